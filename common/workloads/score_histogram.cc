#include "common/workloads/score_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "common/base/check.h"
#include "common/numerics/linear.h"

namespace hanse {
namespace {

constexpr double kLogitScale = 3;
constexpr double kLossBound = 4;
constexpr double kLossScale = 8;

}  // namespace

ScoreHistogram::ScoreHistogram(std::size_t bins) : bins_(bins) {
  check(bins >= 2 && bins % 2 == 0, "a score histogram has an even number of bins");
}

std::size_t ScoreHistogram::bin_of(double logit) const {
  const double position = static_cast<double>(bins_) * sigmoid(logit / kLogitScale);
  return std::min(static_cast<std::size_t>(position), bins_ - 1);
}

double ScoreHistogram::record_norm() {
  return std::sqrt(1 + (kLossBound / kLossScale) * (kLossBound / kLossScale));
}

double ScoreHistogram::loss_entry(double logit, double label) {
  return std::min(logistic_loss(logit, label), kLossBound) / kLossScale;
}

double area_under_curve(std::span<const double> negatives, std::span<const double> positives) {
  double below = 0;
  double ordered_pairs = 0;
  double positive_total = 0;
  for (std::size_t i = 0; i < negatives.size(); ++i) {
    ordered_pairs += positives[i] * (below + negatives[i] / 2);
    below += negatives[i];
    positive_total += positives[i];
  }
  const double pairs = below * positive_total;
  return pairs > 0 ? ordered_pairs / pairs : std::numeric_limits<double>::quiet_NaN();
}

void project_to_counts(std::span<double> values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  const bool clean = std::all_of(values.begin(), values.end(), [](double v) { return v >= 0; });
  if (clean) {
    return;
  }
  if (sum <= 0) {
    std::fill(values.begin(), values.end(), 0.0);
    return;
  }
  // max(v - shift, 0) with the shift that keeps the sum: the largest k for which the k largest stay positive.
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double prefix = 0;
  double shift = 0;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    prefix += sorted[k];
    const double candidate = (prefix - sum) / static_cast<double>(k + 1);
    if (sorted[k] <= candidate) {
      break;
    }
    shift = candidate;
  }
  for (double& value : values) {
    value = std::max(value - shift, 0.0);
  }
}

Metrics ScoreHistogram::metrics(std::span<const double> total) const {
  check(total.size() == length(), "a score total has the histogram's length");
  std::vector<double> counts(total.begin(), total.begin() + static_cast<std::ptrdiff_t>(2 * bins_));
  const std::span<double> negatives = std::span(counts).first(bins_);
  const std::span<double> positives = std::span(counts).subspan(bins_);
  project_to_counts(negatives);
  project_to_counts(positives);
  const auto upper_half = [this](std::span<const double> half) {
    return std::accumulate(half.begin() + static_cast<std::ptrdiff_t>(bins_ / 2), half.end(), 0.0);
  };
  const double false_positives = upper_half(negatives);
  const double true_positives = upper_half(positives);
  const double negative_total = std::accumulate(negatives.begin(), negatives.end(), 0.0);
  const double positive_total = std::accumulate(positives.begin(), positives.end(), 0.0);
  const double records = negative_total + positive_total;

  Metrics metrics;
  if (const double area = area_under_curve(negatives, positives); std::isfinite(area)) {
    metrics["test_auc"] = area;
  }
  if (records > 0) {
    metrics["test_accuracy"] = (true_positives + negative_total - false_positives) / records;
    metrics["test_loss"] = std::max(total[loss_index()], 0.0) * kLossScale / records;
  }
  if (positive_total > 0) {
    // 2 TP / (2 TP + FP + FN), and TP + FN are the positives.
    metrics["test_f1"] = 2 * true_positives / (true_positives + false_positives + positive_total);
  }
  return metrics;
}

}  // namespace hanse
