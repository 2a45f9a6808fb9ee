#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/workloads/test_rows.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Quality of a classifier of many classes as a private sum: every test record adds a 1 to the cell of its class and the one
/// that is predicted, the most probable (of equal ones the first).
///
///   layout   [K x K cells, row-major: true class, predicted class][1/2 a record][1/2 a record told right][loss]
///   loss     min(log-loss, 16) / 32
///   norm     of one record: at most sqrt(1 + 3/4)
///
/// Records and those told right are in the cells already. They have entries of their own because with noise a sum over K or
/// K^2 cells has the noise of all of them.
///
/// Figures, of n records of which c are told right, t_k are of class k and p_k predicted as k:
///   test_accuracy   c / n
///   test_precision, test_recall, test_f1   means over the classes that were there or predicted (macro averages) of cell_kk / p_k,
///                   cell_kk / t_k, and 2 cell_kk / (p_k + t_k); 0 where a class was never predicted, or never there
///   test_mcc        (c n - sum p_k t_k) / sqrt((n^2 - sum p_k^2) (n^2 - sum t_k^2)): Matthews' correlation coefficient for many
///                   classes (Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient")
///   test_loss       mean log-loss
/// Noisy cells are used as they are, and each ratio is clamped to what is possible. What is undefined is left out.
class Confusion {
 public:
  Confusion(std::vector<std::string> classes, TestRows rows);

  /// The evaluation sum "test classes".
  PrivateSum sum() const;
  /// A unit's part of it: its test rows by the probabilities of their classes. This must outlive it.
  Contributor contributor(ClassScorer probabilities) const;
  std::size_t length() const { return classes_.size() * classes_.size() + 3; }
  Metrics metrics(std::span<const double> total) const;

  /// A table of classes ("classes": test rows, recall, precision, F1, most frequent error), and one of the pairs that are most
  /// often taken for each other ("confusions"). A class or a pair is shown where its count is above four standard deviations
  /// of its `noise`, a pair from three test rows on.
  Insights insights(std::span<const double> total, double noise) const;

 private:
  double cell(std::span<const double> total, std::size_t truth, std::size_t predicted) const {
    return total[truth * classes_.size() + predicted];
  }

  std::vector<std::string> classes_;
  TestRows rows_;
};

}  // namespace hanse
