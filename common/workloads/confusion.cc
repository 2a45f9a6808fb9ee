#include "common/workloads/confusion.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "common/base/check.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"

namespace hanse {
namespace {

constexpr double kLossBound = 16;
constexpr double kLossScale = 32;
constexpr double kBelieved = 4;  // Standard deviations of noise that a shown count is above 0.
constexpr double kFewestShown =
    3;  // Test rows of a pair: one or two say more of their owners than of the model.
constexpr std::size_t kPairsShown = 20;

double ratio(double part, double whole) {
  return whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0.0;
}

/// What is known of one class.
struct ClassCounts {
  double truth = 0;      ///< t_k.
  double predicted = 0;  ///< p_k.
  double right = 0;
};

std::vector<ClassCounts> counts_of(std::span<const double> total, std::size_t classes) {
  std::vector<ClassCounts> counts(classes);
  for (std::size_t truth = 0; truth < classes; ++truth) {
    for (std::size_t predicted = 0; predicted < classes; ++predicted) {
      const double cell = total[truth * classes + predicted];
      counts[truth].truth += cell;
      counts[predicted].predicted += cell;
      counts[truth].right += truth == predicted ? cell : 0;
    }
  }
  return counts;
}

}  // namespace

Confusion::Confusion(std::vector<std::string> classes, TestRows rows)
    : classes_(std::move(classes)), rows_(rows) {
  check(!classes_.empty(), "a classifier has classes");
}

PrivateSum Confusion::sum() const {
  PrivateSum sum;
  sum.name = "test classes";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = length();
  sum.without_privacy = Unit::record;
  const double norm = rows_.most(Unit::record) * std::sqrt(1.75);
  sum.clip_norm = rows_.privacy == Unit::none ? power_of_two_above(norm) : norm;
  return sum;
}

Contributor Confusion::contributor(ClassScorer probabilities) const {
  struct Scratch {
    ContributionAccumulator sums;
    std::vector<double> probabilities;
  };
  const std::size_t classes = classes_.size();
  const auto scratch = std::make_shared<Scratch>(Scratch{{0, length(), 1}, std::vector<double>(classes)});
  return [scratch, classes, score = std::move(probabilities)](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.test;
    std::vector<double>& p = scratch->probabilities;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto truth = static_cast<std::size_t>(rows.label(i));
      score(rows.row(i), p);
      const auto predicted = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
      const double loss = std::min(-std::log(p[truth]), kLossBound);
      scratch->sums[truth * classes + predicted] += 1.0;
      scratch->sums[classes * classes] += 0.5;
      if (truth == predicted) {
        scratch->sums[classes * classes + 1] += 0.5;
      }
      scratch->sums[classes * classes + 2] += loss / kLossScale;
    }
    scratch->sums.flush(out);
  };
}

Metrics Confusion::metrics(std::span<const double> total) const {
  check(total.size() == length(), "a total of classes has a cell for each pair");
  const std::size_t classes = classes_.size();
  const std::vector<ClassCounts> counts = counts_of(total, classes);
  const double rows = 2 * total[classes * classes];
  const double right = std::clamp(2 * total[classes * classes + 1], 0.0, std::max(rows, 0.0));
  if (!(rows > 0)) {
    return {};
  }
  double precision = 0, recall = 0, f1 = 0, seen = 0;
  double product = 0, truth_square = 0, predicted_square = 0;
  for (const ClassCounts& one : counts) {
    product += one.truth * one.predicted;
    truth_square += one.truth * one.truth;
    predicted_square += one.predicted * one.predicted;
    if (one.truth > 0 || one.predicted > 0) {
      ++seen;
      precision += ratio(one.right, one.predicted);
      recall += ratio(one.right, one.truth);
      f1 += ratio(2 * one.right, one.truth + one.predicted);
    }
  }
  Metrics metrics{{"test_rows", rows},
                  {"test_accuracy", right / rows},
                  {"test_loss", std::max(total[classes * classes + 2], 0.0) * kLossScale / rows}};
  if (seen > 0) {
    metrics["test_precision"] = precision / seen;
    metrics["test_recall"] = recall / seen;
    metrics["test_f1"] = f1 / seen;
  }
  const double spread = (rows * rows - predicted_square) * (rows * rows - truth_square);
  if (rows * rows > predicted_square && rows * rows > truth_square) {
    metrics["test_mcc"] = std::clamp((right * rows - product) / std::sqrt(spread), -1.0, 1.0);
  }
  return metrics;
}

Insights Confusion::insights(std::span<const double> total, double noise) const {
  check(total.size() == length(), "a total of classes has a cell for each pair");
  const std::size_t classes = classes_.size();
  const std::vector<ClassCounts> counts = counts_of(total, classes);
  const double least_row = std::max(kBelieved * noise * std::sqrt(static_cast<double>(classes)), 0.5);
  const double least_cell = std::max(kBelieved * noise, kFewestShown - 0.5);

  struct Pair {
    std::size_t truth, predicted;
    double count;
  };
  std::vector<Pair> pairs;
  Insights insights;
  InsightTable table{.name = "classes",
                     .title = "How well each class is told, the weakest first",
                     .columns = {"class", "test rows", "recall", "precision", "F1", "mostly taken for"},
                     .rows = {}};
  for (std::size_t truth = 0; truth < classes; ++truth) {
    std::size_t taken_for = truth;
    for (std::size_t predicted = 0; predicted < classes; ++predicted) {
      const double count = cell(total, truth, predicted);
      if (predicted == truth || !(count > least_cell)) {
        continue;
      }
      pairs.push_back({truth, predicted, count});
      if (taken_for == truth || count > cell(total, truth, taken_for)) {
        taken_for = predicted;
      }
    }
    const ClassCounts& one = counts[truth];
    if (one.truth > least_row) {
      table.rows.push_back({classes_[truth], std::round(one.truth), ratio(one.right, one.truth),
                            ratio(one.right, one.predicted), ratio(2 * one.right, one.truth + one.predicted),
                            taken_for == truth ? std::string() : classes_[taken_for]});
    }
  }
  constexpr std::size_t kF1 = 4;
  std::ranges::stable_sort(table.rows, {}, [](const auto& row) { return std::get<double>(row[kF1]); });
  if (!table.rows.empty()) {
    insights.tables.push_back(std::move(table));
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.count > b.count; });
  pairs.resize(std::min(pairs.size(), kPairsShown));
  if (pairs.empty()) {
    return insights;
  }
  InsightTable confusions{.name = "confusions",
                          .title = "Most frequent errors",
                          .columns = {"class", "taken for", "test rows", "share of the class"},
                          .rows = {}};
  for (const Pair& pair : pairs) {
    confusions.rows.push_back({classes_[pair.truth], classes_[pair.predicted], std::round(pair.count),
                               ratio(pair.count, counts[pair.truth].truth)});
  }
  insights.sentences.push_back("The most frequent error is to take " + classes_[pairs[0].truth] + " for " +
                               classes_[pairs[0].predicted] + ".");
  insights.tables.push_back(std::move(confusions));
  return insights;
}

}  // namespace hanse
