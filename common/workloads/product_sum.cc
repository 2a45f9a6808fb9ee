#include "common/workloads/product_sum.h"

#include <algorithm>
#include <memory>
#include <numbers>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/linear.h"
#include "common/numerics/symmetric.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/two_parts.h"

namespace hanse {
namespace {

// Without noise: ||z||^2 may be so much in the mean of all rows.
constexpr double kUnclippedSquare = 0x1p14;

/// Calls use(place, value) for each entry that the row has in the triangle, in increasing order of place. `u` stands at
/// column `width`, or is not there.
template <class Use>
void for_each_product(const SparseRow& x, const double* u, std::size_t width, const Use& use) {
  const std::size_t count = x.columns.size();
  for (std::size_t a = 0; a < count + (u != nullptr ? 1 : 0); ++a) {
    const double left = a < count ? static_cast<double>(x.values[a]) : *u;
    const std::size_t row = a < count ? x.columns[a] : width;
    for (std::size_t b = 0; b < a; ++b) {
      use(triangle_size(row) + x.columns[b], std::numbers::sqrt2 * left * static_cast<double>(x.values[b]));
    }
    use(triangle_size(row) + row, left * left);
  }
}

}  // namespace

ProductSum::ProductSum(Options options) : options_(std::move(options)) {
  check(options_.width > 0, "products are of some columns");
  if (!options_.rows_of) {
    options_.rows_of = [](const UnitRows& unit, const TakeRow& take) {
      for (std::size_t i = 0; i < unit.train.size(); ++i) {
        take(unit.train.row(i), 0);
      }
    };
  }
}

PrivateSum ProductSum::sum() const {
  const std::size_t triangle = triangle_size(order());
  PrivateSum sum;
  sum.name = "products";
  sum.purpose = Purpose::update;
  sum.length = options_.exact ? 2 * triangle : triangle;
  sum.clip_norm = options_.exact ? 4 * kUnclippedSquare * power_of_two_above(std::max(options_.rows, 1.0))
                                 : options_.clip;
  sum.without_privacy = Unit::merchant;
  return sum;
}

Contributor ProductSum::contributor() const {
  if (options_.exact) {
    return exact_contributor();
  }
  if (options_.put_in) {
    return [this](const UnitRows& unit, Contribution& out) {
      if (!unit.train.empty()) {
        std::vector<double> triangle = products_of(unit);
        options_.put_in(triangle);
        out.add_block(0, triangle);
      }
    };
  }
  const auto sums = std::make_shared<ContributionAccumulator>(0, triangle_size(order()), 1);
  return [this, sums](const UnitRows& unit, Contribution& out) {
    const bool one = unit.train.size() == 1;  // Its products come in order.
    options_.rows_of(unit, [&](const SparseRow& x, double u) {
      for_each_product(x, options_.beside ? &u : nullptr, options_.width,
                       [&](std::size_t place, double value) {
                         if (one) {
                           out.add(place, value);
                         } else {
                           (*sums)[place] += value;
                         }
                       });
    });
    sums->flush(out);
  };
}

std::vector<double> ProductSum::products_of(const UnitRows& unit) const {
  std::vector<double> triangle(triangle_size(order()), 0.0);
  options_.rows_of(unit, [&](const SparseRow& x, double u) {
    for_each_product(x, options_.beside ? &u : nullptr, options_.width,
                     [&](std::size_t place, double value) { triangle[place] += value; });
  });
  return triangle;
}

Contributor ProductSum::exact_contributor() const {
  return [this, bound = sum().clip_norm](const UnitRows& unit, Contribution& out) {
    if (unit.train.empty()) {
      return;
    }
    std::vector<double> products = products_of(unit);
    double trace = 0;
    for (std::size_t i = 0; i < order(); ++i) {
      trace += products[triangle_size(i) + i];
    }
    if (!(trace <= bound / 4)) {
      throw bad_input(
          "data.numeric: some values are so large that their squares do not fit into a sum; set "
          "data.standardise=true, or declare ranges as COLUMN[LOW..HIGH]");
    }
    if (options_.put_in) {
      options_.put_in(products);
    }
    split_in_two(products, bound);
    out.add_block(0, products);
  };
}

std::vector<double> ProductSum::matrix(std::span<const double> total) const {
  return options_.exact ? matrix_of_products(joined(total), order()) : matrix_of_products(total, order());
}

std::vector<double> matrix_of_products(std::span<const double> triangle, std::size_t order) {
  const std::size_t n = order;
  check(triangle.size() == triangle_size(n), "a triangle is of its order");
  std::vector<double> matrix(n * n);
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t column = 0; column <= row; ++column) {
      const double value = triangle[triangle_size(row) + column];
      matrix[row * n + column] = matrix[column * n + row] =
          row == column ? value : value / std::numbers::sqrt2;
    }
  }
  return matrix;
}

std::vector<double> without_hidden_directions(const std::vector<double>& matrix, std::size_t order) {
  const SymmetricEigen eigen = symmetric_eigen(matrix, order);
  const double hidden = -eigen.values.front();
  return hidden > 0 ? from_eigen(eigen, [&](double value) { return std::max(value, hidden); }) : matrix;
}

}  // namespace hanse
