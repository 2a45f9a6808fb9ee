#include "common/workloads/score_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/figure_tables.h"

namespace hanse {
namespace {

constexpr double kLogitScale = 2;
constexpr double kLossBound = 4;
constexpr double kLossScale = 8;
constexpr std::size_t kFineBins = 4096;
constexpr std::size_t kCoarseBins = 16;
constexpr std::size_t kBands = 10;
constexpr double kFewestRecords = 10;

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

ScoreHistogram::Outcomes ScoreHistogram::outcomes(std::span<const double> total) const {
  check(total.size() == length(), "a score total has the histogram's length");
  const std::span<const double> negatives = total.first(bins_);
  const std::span<const double> positives = total.subspan(bins_, bins_);
  const auto count = [](std::span<const double> bins) {
    return std::max(std::accumulate(bins.begin(), bins.end(), 0.0), 0.0);
  };
  Outcomes outcomes{.true_positives = count(positives.subspan(bins_ / 2)),
                    .false_positives = count(negatives.subspan(bins_ / 2)),
                    .positives = count(positives),
                    .negatives = count(negatives)};
  outcomes.true_positives = std::min(outcomes.true_positives, outcomes.positives);
  outcomes.false_positives = std::min(outcomes.false_positives, outcomes.negatives);
  return outcomes;
}

Metrics ScoreHistogram::metrics(std::span<const double> total) const {
  const auto [true_positives, false_positives, positives, negatives] = outcomes(total);
  const double records = negatives + positives;

  Metrics metrics;
  if (const double area = area_under_curve(total.first(bins_), total.subspan(bins_, bins_));
      std::isfinite(area)) {
    metrics["test_auc"] = std::clamp(area, 0.0, 1.0);
  }
  if (records > 0) {
    metrics["test_rows"] = records;
    metrics["test_accuracy"] = (true_positives + negatives - false_positives) / records;
    metrics["test_loss"] = std::max(total[loss_index()], 0.0) * kLossScale / records;
  }
  if (positives > 0) {
    // 2 TP / (2 TP + FP + FN), and TP + FN are the positives.
    metrics["test_f1"] = 2 * true_positives / (true_positives + false_positives + positives);
  }
  return metrics;
}

Metrics ScoreHistogram::further_metrics(std::span<const double> total) const {
  const auto [true_positives, false_positives, positives, negatives] = outcomes(total);
  const double predicted = true_positives + false_positives;

  Metrics metrics;
  if (positives > 0) {
    metrics["test_recall"] = true_positives / positives;
  }
  if (predicted > 0) {
    metrics["test_precision"] = true_positives / predicted;
  }
  const double records = positives + negatives;
  const double spread = predicted * (records - predicted) * positives * negatives;
  if (spread > 0) {
    metrics["test_mcc"] = (true_positives * records - predicted * positives) / std::sqrt(spread);
  }
  if (bins_ >= kFineBins && records > 0) {
    add_calibration(total, metrics);
    add_curve(total, metrics);
  }
  return metrics;
}

/// Of the middle of a bin.
double ScoreHistogram::probability_of(std::size_t bin) const {
  const double position = (static_cast<double>(bin) + 0.5) / static_cast<double>(bins_);
  return sigmoid(kLogitScale * std::log(position / (1 - position)));
}

void ScoreHistogram::add_calibration(std::span<const double> total, Metrics& metrics) const {
  struct Band {
    double records = 0, positives = 0, predicted = 0;
  };
  std::array<Band, kBands> bands;
  double records = 0;
  for (std::size_t bin = 0; bin < bins_; ++bin) {
    const double probability = probability_of(bin);
    Band& band = bands[std::min(static_cast<std::size_t>(kBands * probability), kBands - 1)];
    const double count = total[bin] + total[bins_ + bin];
    band.records += count;
    band.positives += total[bins_ + bin];
    band.predicted += count * probability;
    records += count;
  }
  double error = 0;
  for (std::size_t b = 0; b < kBands; ++b) {
    error += std::abs(bands[b].predicted - bands[b].positives) / records;
    if (bands[b].records >= kFewestRecords) {
      const std::string band =
          "0." + std::to_string(b) + "-" + (b + 1 < kBands ? "0." + std::to_string(b + 1) : "1");
      metrics[detail_name("records", "predicted probability", band)] = bands[b].records;
      metrics[detail_name("predicted", "predicted probability", band)] =
          bands[b].predicted / bands[b].records;
      metrics[detail_name("came_true", "predicted probability", band)] =
          bands[b].positives / bands[b].records;
    }
  }
  metrics["test_calibration_error"] = error;
}

void ScoreHistogram::add_curve(std::span<const double> total, Metrics& metrics) const {
  const auto [unused, also_unused, positives, negatives] = outcomes(total);
  if (!(positives > 0 && negatives > 0)) {
    return;
  }
  double false_positives = 0, true_positives = 0;
  std::size_t bin = bins_;
  for (const char* rate : {"0.01", "0.02", "0.05", "0.1", "0.2", "0.3", "0.5"}) {
    const double wanted = std::strtod(rate, nullptr) * negatives;
    while (bin > 0 && false_positives + total[bin - 1] <= wanted) {
      --bin;
      false_positives += total[bin];
      true_positives += total[bins_ + bin];
    }
    // The bin that crosses the wanted rate counts by as much of it as is wanted.
    const double part = bin > 0 ? (wanted - false_positives) / total[bin - 1] : 0;
    const double caught = true_positives + (bin > 0 ? part * total[bins_ + bin - 1] : 0);
    metrics[detail_name("true_positive_rate", "false positive rate", rate)] = caught / positives;
  }
}

}  // namespace hanse
