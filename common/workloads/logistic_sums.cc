#include "common/workloads/logistic_sums.h"

#include <cmath>

#include "common/base/check.h"
#include "common/numerics/linear.h"
#include "common/numerics/newton.h"

namespace hanse {
namespace {

constexpr double kLaneRatio = 0x1p19;

void add_outer_product(const SparseRow& row, double scale, std::span<double> lower) {
  for (std::size_t a = 0; a < row.columns.size(); ++a) {
    double* const line = lower.data() + triangle_size(row.columns[a]);
    const double factor = scale * static_cast<double>(row.values[a]);
    for (std::size_t b = 0; b <= a; ++b) {
      line[row.columns[b]] += factor * static_cast<double>(row.values[b]);
    }
  }
}

}  // namespace

double LogisticSums::add(const Rows& rows, std::span<const double> weights, std::span<double> gradient,
                         std::span<double> lower) const {
  double loss = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SparseRow row = rows.row(i);
    const double label = static_cast<double>(rows.label(i));
    const double weight = label > 0.5 ? positive_weight : 1;
    const double logit = dot(row, weights);
    const double probability = sigmoid(logit);
    const double residual = weight * (probability - label);
    for (std::size_t entry = 0; entry < row.columns.size(); ++entry) {
      gradient[row.columns[entry]] += residual * static_cast<double>(row.values[entry]);
    }
    loss += with_loss ? weight * logistic_loss(logit, label) : 0;
    if (!lower.empty()) {
      add_outer_product(row, weight * probability * (1 - probability), lower);
    }
  }
  return loss;
}

void split_lanes(double clip_norm, std::span<const double> values, std::span<double> high,
                 std::span<double> low) {
  check(high.size() == values.size() && low.size() == values.size(), "two lanes carry as many numbers");
  const double quantum = std::ldexp(clip_norm, -26);
  for (std::size_t i = 0; i < values.size(); ++i) {
    high[i] = std::nearbyint(values[i] / quantum) * quantum;
    low[i] = (values[i] - high[i]) * kLaneRatio;
  }
}

void join_lanes(std::span<const double> high, std::span<const double> low, std::span<double> values) {
  check(high.size() == values.size() && low.size() == values.size(), "two lanes carry as many numbers");
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = high[i] + low[i] / kLaneRatio;
  }
}

}  // namespace hanse
