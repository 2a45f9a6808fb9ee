#pragma once

#include <cstddef>
#include <span>

#include "common/workloads/test_rows.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Classification quality as a private sum: every test record adds a 1 to the bin of its score among the
/// records of its label, and its loss to one more entry.
///
///   layout   [bins of negatives][bins of positives][loss];  2 bins + 1 entries
///   bin      floor(bins * sigmoid(logit / 2)): half of the bins on each side of logit 0, and those in the
///            tails wider, so that the scores of skewed classes still spread
///   loss     min(logistic loss, 4) / 8
///   norm     of one record: at most sqrt(1 + 1/4)
///
/// Many bins make the area under the curve exact to the ties within a bin; few bins carry less noise.
class ScoreHistogram {
 public:
  /// `bins` is even.
  explicit ScoreHistogram(std::size_t bins);
  /// With bins so fine that ties cost the area under the curve less than 1e-4; or, where each of them costs noise, so coarse
  /// that they cost 0.005.
  static ScoreHistogram for_privacy(Unit privacy);

  /// The evaluation sum "test scores" of so many models side by side.
  PrivateSum sum(const TestRows& rows, Unit natural, std::size_t models = 1) const;
  /// A unit's part of it: its test rows by their logits.
  Contributor contributor(RowScorer logit_of) const;

  std::size_t length() const { return 2 * bins_ + 1; }
  std::size_t bin_of(double logit) const;

  /// The largest norm of one record's vector, sqrt(1.25).
  static double record_norm();
  /// The loss entry of one record.
  static double loss_entry(double logit, double label);
  std::size_t index_of(double logit, double label) const { return (label > 0.5 ? bins_ : 0) + bin_of(logit); }
  std::size_t loss_index() const { return 2 * bins_; }

  /// test_rows, test_auc (ties count one half), test_loss, test_accuracy and test_f1 (of the positives, both at logit 0)
  /// of a released total. Noisy bins are used as they are, negative ones too: each figure is a ratio of sums
  /// of them, so their noise averages out, whereas setting negative bins to zero would add records that
  /// nobody has. The sums are then clamped to what is possible. Figures that are undefined (no positive, no
  /// negative) are left out.
  Metrics metrics(std::span<const double> total) const;

  /// What else a total tells: test_precision, test_recall and test_mcc (Matthews 1975), all at logit 0; and of fine bins
  /// test_calibration_error (Naeini et al. 2015: over ten bands of predicted probability, the mean distance between what was
  /// predicted and what came true, by records), with the bands themselves, and points of the ROC curve, under names for tables
  /// (common/workloads/figure_tables.h). Bands of fewer than ten records are not told.
  Metrics further_metrics(std::span<const double> total) const;

 private:
  struct Outcomes {
    double true_positives, false_positives, positives, negatives;
  };
  Outcomes outcomes(std::span<const double> total) const;
  double probability_of(std::size_t bin) const;
  void add_calibration(std::span<const double> total, Metrics& metrics) const;
  void add_curve(std::span<const double> total, Metrics& metrics) const;

  std::size_t bins_;
};

/// Area under the ROC curve of two histograms over the same bins, by increasing score: the probability that a
/// positive scores above a negative, ties counting one half. NaN when one is empty.
double area_under_curve(std::span<const double> negatives, std::span<const double> positives);

}  // namespace hanse
