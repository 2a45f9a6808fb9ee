#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/data/dataset.h"
#include "common/workloads/model.h"

namespace hanse {

/// A published model, to go on from: arrays as Workload::arrays gives them, in the columns and units of its own encoding.
struct SavedModel {
  std::vector<NamedArray> arrays;
  std::vector<std::string> columns;  ///< Names; the intercept's is the last where there is one.
  std::vector<double> mean;          ///< One a numeric column, which are the first.
  std::vector<double> deviation;

  /// The array of that name, of as many values. Throws bad_input when there is none, or it is of another shape.
  const std::vector<double>& values(std::string_view name, std::size_t count) const;
};

/// How the columns of a saved model become those of a run on new data. Columns are known by their names: new words and items begin as
/// they would without the model, and what nobody has any more is left out. A number that was x = (value - m) / d is
/// x' = (value - m') / d' now, so x = a x' + c with a = d' / d and c = (m' - m) / d, for its crosses with words too.
class CarriedColumns {
 public:
  /// `space`, `mean` and `deviation` are of the new run's encoding.
  CarriedColumns(const SavedModel& saved, const FeatureSpace& space, std::span<const double> mean,
                 std::span<const double> deviation);

  /// The saved model's column that new column j was, if any.
  std::optional<std::size_t> origin(std::size_t j) const { return columns_[j].origin; }

  /// The same scores in the new columns: `weights` has one entry a saved column, the intercept's last, and the result one a new column.
  std::vector<double> weights(std::span<const double> weights) const;

  /// A factorization machine with factors v_j of rank k, one row a saved column but the intercept. With S = sum of c_j v_j,
  ///   v'_j = a_j v_j,   w'_j = a_j (w_j + v_j . (S - c_j v_j)),   w'_0 = w_0 + w . c + (||S||^2 - sum c_j^2 ||v_j||^2) / 2,
  /// scores are the same where no number is crossed with words. New columns have no value here: origin() tells.
  struct Factors {
    std::vector<double> weights;  ///< One a new column, the intercept's last.
    std::vector<double> factors;  ///< One row a new column but the intercept.
  };
  Factors factors(std::span<const double> weights, std::span<const double> factors, std::size_t rank) const;

 private:
  struct Column {
    std::optional<std::size_t> origin;
    double scale = 1;                 ///< a.
    double shift = 0;                 ///< c.
    std::optional<std::size_t> word;  ///< Of a column of a cross: the word's column, where its shift goes.
  };
  std::vector<Column> columns_;
  std::size_t saved_columns_;
};

}  // namespace hanse
