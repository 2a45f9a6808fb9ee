#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/data/csr_matrix.h"
#include "worker/use/applied_model.h"
#include "worker/use/row_model.h"

namespace hanse {

/// The classes of a row by a published `softmax` model: P(class c) is proportional to exp(intercept_c + sum over j of w_jc x_j).
class ClassModel {
 public:
  /// Files that name classes (data.label = NAME@FILE) are looked for in `folder`. Throws bad_input where `model` is no softmax.
  ClassModel(const AppliedModel& model, const std::filesystem::path& folder);

  const std::vector<std::string>& classes() const { return classes_; }
  /// Of each class.
  std::vector<double> probabilities(const SparseRow& row) const;
  /// The `most` columns that speak most for or against class `c`, compared with the mean of all classes: the larger in magnitude
  /// first.
  std::vector<Effect> effects(const SparseRow& row, std::size_t c, std::size_t most) const;

 private:
  std::vector<std::string> classes_;
  std::size_t columns_;
  std::vector<double> weights_;  ///< w_jc at [j * classes + c].
  std::vector<double> intercepts_;
};

}  // namespace hanse
