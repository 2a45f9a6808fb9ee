#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "common/data/csr_matrix.h"
#include "common/workloads/own_part.h"
#include "worker/use/applied_model.h"

namespace hanse {

/// The part of one column in a row's score.
struct Effect {
  std::uint32_t column;
  double value;  ///< What the score would lack without the column.
};

/// Leaves the `most` effects that are the largest in magnitude, the larger first.
void keep_largest(std::vector<Effect>& effects, std::size_t most);

/// The score of a row by a published model of records:
///
///   score = intercept + sum over j of w_j x_j  [ + sum over j < k of (v_j . v_k) x_j x_k, for factorization machines ]
class RowModel {
 public:
  /// Throws bad_input where `model` is none of `logistic`, `linear` and `factorization-machine`.
  explicit RowModel(const AppliedModel& model);

  double score(const SparseRow& row) const;
  /// The `most` columns of the row whose parts are the largest in magnitude, the larger first; never the intercept. A number's
  /// part is counted from the mean of the training rows, a word's from its absence.
  std::vector<Effect> effects(const SparseRow& row, std::size_t most) const;
  /// Scores are logits, and 1 / (1 + exp(-score)) is a probability.
  bool is_logit() const { return logit_; }

 private:
  void add_up(const SparseRow& row, std::vector<double>& sums) const;

  std::size_t columns_;
  bool logit_;
  std::vector<double> weights_;
  double intercept_;
  std::size_t rank_ = 0;
  std::vector<double> factors_;
};

/// A merchant's own part (worker/own_part_file.h), to be applied on top of a model's scores.
struct OwnScore {
  OwnPart part;
  std::vector<double> values;

  double score(const SparseRow& row, double common) const { return part.score(values, row, common); }
};

/// Reads own.json. Throws bad_input where it is none, or one of another model.
OwnScore read_own_score(const std::filesystem::path& file, const AppliedModel& model);

}  // namespace hanse
