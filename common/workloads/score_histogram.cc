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

constexpr double kLogitScale = 2;
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
  return below > 0 && positive_total > 0 ? ordered_pairs / pairs : std::numeric_limits<double>::quiet_NaN();
}

Metrics ScoreHistogram::metrics(std::span<const double> total) const {
  check(total.size() == length(), "a score total has the histogram's length");
  const std::span<const double> negatives = total.first(bins_);
  const std::span<const double> positives = total.subspan(bins_, bins_);
  const auto count = [](std::span<const double> bins) {
    return std::max(std::accumulate(bins.begin(), bins.end(), 0.0), 0.0);
  };
  const double negative_total = count(negatives);
  const double positive_total = count(positives);
  const double false_positives = std::min(count(negatives.subspan(bins_ / 2)), negative_total);
  const double true_positives = std::min(count(positives.subspan(bins_ / 2)), positive_total);
  const double records = negative_total + positive_total;

  Metrics metrics;
  if (const double area = area_under_curve(negatives, positives); std::isfinite(area)) {
    metrics["test_auc"] = std::clamp(area, 0.0, 1.0);
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
