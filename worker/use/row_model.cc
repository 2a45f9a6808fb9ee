#include "worker/use/row_model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/data/feature_space.h"

namespace hanse {
namespace {

void check_kind(const AppliedModel& model) {
  const std::string& name = model.workload();
  if (name == "logistic" || name == "linear" || name == "factorization-machine") {
    return;
  }
  const bool items = model.configuration.data.format == "ratings";
  throw bad_input(model.origin + " is a model of " + name + ", and rows are scored by logistic, linear and " +
                  "factorization-machine, classes by softmax" + (items ? ": use hanse recommend" : ""));
}

}  // namespace

void keep_largest(std::vector<Effect>& effects, std::size_t most) {
  std::ranges::stable_sort(
      effects, [](const Effect& a, const Effect& b) { return std::abs(a.value) > std::abs(b.value); });
  effects.resize(std::min(effects.size(), most));
}

RowModel::RowModel(const AppliedModel& model)
    : columns_((check_kind(model), std::max<std::size_t>(model.published.columns.size(), 1)) - 1),
      logit_(label_kind(model.configuration) == LabelKind::binary),
      weights_(model.array("weights", columns_).values),
      intercept_(model.array("intercept", 1).values[0]) {
  if (const NamedArray* factors = model.published.find("factors")) {
    rank_ = factors->shape.size() == 2 ? factors->shape[1] : 0;
    factors_ = model.array("factors", columns_ * rank_).values;
  }
}

/// Sums over the row's columns of x_j v_j.
void RowModel::add_up(const SparseRow& row, std::vector<double>& sums) const {
  sums.assign(rank_, 0.0);
  for (std::size_t i = 0; i < row.columns.size() && row.columns[i] < columns_; ++i) {
    for (std::size_t f = 0; f < rank_; ++f) {
      sums[f] += factors_[row.columns[i] * rank_ + f] * static_cast<double>(row.values[i]);
    }
  }
}

double RowModel::score(const SparseRow& row) const {
  std::vector<double> sums;
  add_up(row, sums);
  double score = intercept_;
  double twice = 0;
  for (const double sum : sums) {
    twice += sum * sum;
  }
  for (std::size_t i = 0; i < row.columns.size() && row.columns[i] < columns_; ++i) {
    const double x = static_cast<double>(row.values[i]);
    score += weights_[row.columns[i]] * x;
    for (std::size_t f = 0; f < rank_; ++f) {
      const double term = factors_[row.columns[i] * rank_ + f] * x;
      twice -= term * term;
    }
  }
  return score + twice / 2;
}

std::vector<Effect> RowModel::effects(const SparseRow& row, std::size_t most) const {
  std::vector<double> sums;
  add_up(row, sums);
  std::vector<Effect> effects;
  for (std::size_t i = 0; i < row.columns.size() && row.columns[i] < columns_; ++i) {
    const double x = static_cast<double>(row.values[i]);
    double part = weights_[row.columns[i]] * x;
    for (std::size_t f = 0; f < rank_; ++f) {
      const double term = factors_[row.columns[i] * rank_ + f] * x;
      part += term * (sums[f] - term);
    }
    if (part != 0) {
      effects.push_back({row.columns[i], part});
    }
  }
  keep_largest(effects, most);
  return effects;
}

OwnScore read_own_score(const std::filesystem::path& file, const AppliedModel& model) {
  std::string kind;
  std::vector<double> values;
  std::vector<std::string> columns;
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(file));
    if (json.at("format") != "hanse own part" || json.at("version") != 1) {
      throw bad_input(file.string() + " is no own part of a merchant that this program reads");
    }
    kind = json.at("own").get<std::string>();
    values = json.at("values").get<std::vector<double>>();
    columns = json.value("columns", columns);
  } catch (const nlohmann::json::exception& error) {
    throw bad_input(file.string() + " is no own part of a merchant: " + error.what());
  }
  const auto width = static_cast<std::uint32_t>(model.published.columns.size());
  OwnScore own{.part = OwnPart({.kind = own_kind_of(kind), .width = width}), .values = std::move(values)};
  const bool by_columns = own_kind_of(kind) == OwnKind::all;
  if (own.values.size() != own.part.size() || (by_columns && columns != model.published.columns)) {
    throw bad_input(file.string() + " belongs to another model than " + model.origin);
  }
  return own;
}

}  // namespace hanse
