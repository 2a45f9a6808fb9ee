#include "common/workloads/score_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"

namespace hanse {
namespace {

constexpr double kLogitScale = 2;
constexpr double kLossBound = 4;
constexpr double kLossScale = 8;
constexpr std::size_t kFineBins = 4096;
constexpr std::size_t kCoarseBins = 16;

}  // namespace

ScoreHistogram::ScoreHistogram(std::size_t bins) : bins_(bins) {
  check(bins >= 2 && bins % 2 == 0, "a score histogram has an even number of bins");
}

ScoreHistogram ScoreHistogram::for_privacy(Unit privacy) {
  return ScoreHistogram(privacy == Unit::none ? kFineBins : kCoarseBins);
}

PrivateSum ScoreHistogram::sum(const TestRows& rows, Unit natural, std::size_t models) const {
  PrivateSum sum;
  sum.name = "test scores";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = models * length();
  const double norm = rows.most(natural) * std::sqrt(static_cast<double>(models)) * record_norm();
  sum.clip_norm = rows.privacy == Unit::none ? power_of_two_above(norm) : norm;
  return sum;
}

Contributor ScoreHistogram::contributor(RowScorer logit_of) const {
  const auto sums = std::make_shared<ContributionAccumulator>(0, length(), 1);
  return [*this, sums, logit_of = std::move(logit_of)](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.test;
    if (rows.size() == 1) {  // Its entries come in order.
      const double label = static_cast<double>(rows.label(0));
      const double logit = logit_of(rows.row(0));
      out.add(index_of(logit, label), 1.0);
      out.add(loss_index(), loss_entry(logit, label));
      return;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double label = static_cast<double>(rows.label(i));
      const double logit = logit_of(rows.row(i));
      (*sums)[index_of(logit, label)] += 1.0;
      (*sums)[loss_index()] += loss_entry(logit, label);
    }
    sums->flush(out);
  };
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
