#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/workloads/test_rows.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Quality of predicted numbers as a private sum. With the range of labels [low, high] of middle m and half-width h, a
/// test record of label y and prediction p adds
///
///   e^2 - 1/2   with e = (y - p) / 2h, one entry for each model that is compared
///   |e| - 1/2   likewise
///   u           with u = (y - m) / h
///   u^2 - 1/2
///   1
///
/// Where the range is declared, predictions are clamped to it (labels are in it already), so |e|, |u| <= 1, and the norm
/// of one record is at most sqrt(models / 2 + 5/4 + 1). Centring costs nothing: the count tells what was taken off.
/// Where it was learnt without noise nothing is clamped, and e^2 and u^2 count up to 1024.
///
/// Figures: test_rows, and of each model by its suffix: test_rmse = 2h sqrt(mean e^2), test_mae = 2h mean |e|, and test_r2 = 1 - 4 sum e^2 / sum (u - mean u)^2.
class RegressionErrors {
 public:
  struct Options {
    double low = -1;
    double high = 1;
    bool declared = false;
    TestRows rows;
    std::vector<std::string> models{""};  ///< Suffixes of figures: "", "_own", ...
  };
  explicit RegressionErrors(Options options);

  /// The evaluation sum "test errors". Without a unit of privacy it adds merchants' vectors, in two parts
  /// (common/workloads/two_parts.h).
  PrivateSum sum() const;
  /// A unit's part of it for one model, by what that predicts for its test rows. These errors must outlive it.
  Contributor contributor(RowScorer predict) const;
  /// What one test record adds to.
  std::size_t entries() const { return 2 * options_.models.size() + 3; }
  /// Adds one test record to `sums` (entries() long); one prediction a model.
  void add(std::span<const double> predictions, double label, std::span<double> sums) const;
  /// Writes a unit's sums; those of no record must not be written.
  void write(std::vector<double>& sums, Contribution& out) const;
  /// Of a released total. Figures that are undefined (no records) are left out.
  Metrics metrics(std::span<const double> total) const;
  /// Of sums as add() makes them.
  Metrics figures(std::span<const double> sums) const;

 private:
  double record_norm() const;

  Options options_;
  double middle_;
  double half_width_;
};

}  // namespace hanse
