#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "common/workloads/workload.h"

namespace hanse {

/// The products of all pairs of columns as a private sum: M = sum of z z^T over rows z = x, or z = (x, u) with one number
/// more behind the columns.
///
/// A unit contributes the sum over its rows of the lower triangle of z z^T (common/numerics/symmetric.h), of which
/// off-diagonal entries are multiplied by sqrt 2, so that
///
///   ||vector of a row|| = ||z z^T||_F = ||z||^2,        ||vector of a unit|| <= sum over its rows of ||z||^2.
///
/// Sensitivity: a unit's vector is scaled down to norm C where it is longer, so a unit that comes or goes moves the sum
/// by at most C. To scale z z^T is to weigh the row by C / ||z||^2: what is summed is Z^T W Z, positive semidefinite
/// whatever was clipped. Where the last column of x is the intercept, the number of rows (their total weight) is in M.
///
/// Without a unit of privacy merchants' triangles are added, each entry in two parts (common/workloads/two_parts.h): M is
/// exact to the last digits of a double.
class ProductSum {
 public:
  /// Takes one row.
  using TakeRow = std::function<void(const SparseRow& x, double u)>;
  /// Calls it with each row that a unit has.
  using RowsOf = std::function<void(const UnitRows&, const TakeRow&)>;

  struct Options {
    std::size_t width = 0;  ///< Columns of x.
    bool beside = false;    ///< Whether there is a u.
    double rows = 0;        ///< About how many there are.
    bool exact = false;     ///< No unit of privacy.
    double clip = 1;        ///< C, with one.
    RowsOf rows_of;         ///< Empty: a unit's training rows, without u.
    /// Changes a merchant's triangle before it is added; may be empty.
    std::function<void(std::vector<double>&)> put_in = {};
  };
  explicit ProductSum(Options options);

  /// The training sum "products".
  PrivateSum sum() const;
  /// This sum must outlive it. Throws bad_input where values are so large that an exact sum does not hold them.
  Contributor contributor() const;

  std::size_t order() const { return options_.width + (options_.beside ? 1u : 0u); }
  /// M of a released total, row-major.
  std::vector<double> matrix(std::span<const double> total) const;

 private:
  Contributor exact_contributor() const;
  std::vector<double> products_of(const UnitRows& unit) const;

  Options options_;
};

/// M of such a triangle, row-major.
std::vector<double> matrix_of_products(std::span<const double> triangle, std::size_t order);

/// Raises eigenvalues that noise hides: those below t = max(0, -smallest) cannot be told from noise, whose spectrum is
/// symmetric about 0, and become t, the nearest matrix of which noise made none negative.
std::vector<double> without_hidden_directions(const std::vector<double>& matrix, std::size_t order);

}  // namespace hanse
