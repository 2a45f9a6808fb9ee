#include "common/workloads/regression_errors.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "common/base/check.h"
#include "common/numerics/linear.h"
#include "common/workloads/two_parts.h"

namespace hanse {
namespace {

constexpr double kUndeclaredBound = 1024;  // Of e^2 and u^2.

}  // namespace

RegressionErrors::RegressionErrors(Options options)
    : options_(std::move(options)),
      middle_(options_.low + (options_.high - options_.low) / 2),
      half_width_((options_.high - options_.low) / 2) {
  check(half_width_ > 0, "a label has a range");
  check(options_.declared || options_.rows.privacy == Unit::none, "privacy has a declared range");
}

double RegressionErrors::record_norm() const {
  const double models = static_cast<double>(options_.models.size());
  if (options_.declared) {
    return std::sqrt(models / 2 + 1.25 + 1);
  }
  return std::sqrt((models + 1) * kUndeclaredBound * (kUndeclaredBound + 1) + 1);
}

PrivateSum RegressionErrors::sum() const {
  PrivateSum sum;
  sum.name = "test errors";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = options_.rows.privacy == Unit::none ? 2 * entries() : entries();
  sum.without_privacy = Unit::merchant;
  const double norm = options_.rows.most(Unit::merchant) * record_norm();
  sum.clip_norm = options_.rows.privacy == Unit::none ? 4 * power_of_two_above(norm) : norm;
  return sum;
}

Contributor RegressionErrors::contributor(RowScorer predict) const {
  const auto sums = std::make_shared<std::vector<double>>();
  return [this, sums, predict = std::move(predict)](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.test;
    if (rows.empty()) {
      return;
    }
    sums->assign(entries(), 0.0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double prediction = predict(rows.row(i));
      add({&prediction, 1}, static_cast<double>(rows.label(i)), *sums);
    }
    write(*sums, out);
  };
}

void RegressionErrors::add(std::span<const double> predictions, double label, std::span<double> sums) const {
  const std::size_t models = options_.models.size();
  for (std::size_t k = 0; k < models; ++k) {
    const double p =
        options_.declared ? std::clamp(predictions[k], options_.low, options_.high) : predictions[k];
    const double e = (label - p) / (2 * half_width_);
    const double square = std::min(e * e, options_.declared ? 1.0 : kUndeclaredBound);
    sums[k] += square - 0.5;
    sums[models + k] += std::sqrt(square) - 0.5;
  }
  const double bound = options_.declared ? 1 : std::sqrt(kUndeclaredBound);
  const double u = std::clamp((label - middle_) / half_width_, -bound, bound);
  sums[2 * models] += u;
  sums[2 * models + 1] += u * u - 0.5;
  sums[2 * models + 2] += 1;
}

void RegressionErrors::write(std::vector<double>& sums, Contribution& out) const {
  check(sums.size() == entries(), "a unit's errors have their entries");
  if (options_.rows.privacy == Unit::none) {
    split_in_two(sums, sum().clip_norm);
  }
  out.add_block(0, sums);
}

Metrics RegressionErrors::metrics(std::span<const double> total) const {
  if (options_.rows.privacy == Unit::none) {
    return figures(joined(total));
  }
  return figures(total);
}

Metrics RegressionErrors::figures(std::span<const double> total) const {
  check(total.size() == entries(), "a total of errors has its entries");
  const std::size_t models = options_.models.size();
  const double records = total[2 * models + 2];
  Metrics metrics;
  if (!(records >= 0.5)) {
    return metrics;
  }
  metrics["test_rows"] = records;
  const double mean = total[2 * models] / records;
  const double variance = total[2 * models + 1] / records + 0.5 - mean * mean;
  for (std::size_t k = 0; k < models; ++k) {
    const double square = std::max(total[k] / records + 0.5, 0.0);
    metrics["test_rmse" + options_.models[k]] = 2 * half_width_ * std::sqrt(square);
    metrics["test_mae" + options_.models[k]] =
        2 * half_width_ * std::max(total[models + k] / records + 0.5, 0.0);
    if (variance > 0) {
      metrics["test_r2" + options_.models[k]] = 1 - 4 * square / variance;
    }
  }
  return metrics;
}

}  // namespace hanse
