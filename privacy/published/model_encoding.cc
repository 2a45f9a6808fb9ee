#include "privacy/published/model_encoding.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "common/base/failure.h"
#include "common/base/figure.h"

namespace hanse {
namespace {

std::vector<double> to_doubles(const std::vector<std::uint32_t>& values) {
  return {values.begin(), values.end()};
}

void put_number(PublishedModel& model, const std::string& name, double value) {
  if (!std::isnan(value)) {
    model.facts["encoding." + name] = figure(value, 17);
  }
}

double number_of(const PublishedModel& model, const std::string& name, double otherwise) {
  const auto found = model.facts.find("encoding." + name);
  double value = otherwise;
  if (found != model.facts.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  }
  return value;
}

}  // namespace

void publish_encoding(const Encoding& encoding, PublishedModel& model) {
  model.encoding = {{"mean", {encoding.mean.size()}, encoding.mean},
                    {"deviation", {encoding.deviation.size()}, encoding.deviation},
                    {"column_of", {encoding.column_of.size()}, to_doubles(encoding.column_of)}};
  model.columns = encoding.names;
  put_number(model, "train_rows", encoding.train_rows);
  put_number(model, "label_low", encoding.label_low);
  put_number(model, "label_high", encoding.label_high);
  put_number(model, "outlier_limit", encoding.outlier_limit);
}

Encoding encoding_of(const PublishedModel& model, const std::string& origin) {
  const NamedArray* mean = model.find("mean");
  const NamedArray* deviation = model.find("deviation");
  const NamedArray* column_of = model.find("column_of");
  const bool there = mean != nullptr && deviation != nullptr && column_of != nullptr;
  const auto is_column = [&](double column) {
    return column >= 0 && column == std::floor(column) &&
           (column < static_cast<double>(model.columns.size()) || column == kDropped);
  };
  if (!there || mean->values.size() != deviation->values.size() ||
      mean->values.size() > column_of->values.size() || !std::ranges::all_of(column_of->values, is_column) ||
      !std::ranges::all_of(deviation->values, [](double one) { return one > 0; })) {
    throw bad_input(origin + " has no encoding of rows that could be used");
  }
  Encoding encoding{.mean = mean->values,
                    .deviation = deviation->values,
                    .column_of = {},
                    .width = static_cast<std::uint32_t>(model.columns.size()),
                    .names = model.columns};
  for (const double column : column_of->values) {
    encoding.column_of.push_back(static_cast<std::uint32_t>(column));
  }
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  encoding.train_rows = number_of(model, "train_rows", 0);
  encoding.label_low = number_of(model, "label_low", unknown);
  encoding.label_high = number_of(model, "label_high", unknown);
  encoding.outlier_limit = number_of(model, "outlier_limit", 0);
  return encoding;
}

}  // namespace hanse
