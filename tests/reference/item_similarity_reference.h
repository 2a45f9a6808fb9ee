#pragma once

#include <cmath>
#include <set>

#include "tests/reference/factorization_reference.h"

/// Item similarities in the plainest centralised code: all customers' items on one table.
namespace hanse::reference {

using Matrix = std::vector<std::vector<double>>;
using Baskets = std::vector<std::set<std::size_t>>;  ///< Of each customer, its items.

/// How many customers have both.
inline Matrix together(const Baskets& baskets, std::size_t items) {
  Matrix counts(items, std::vector<double>(items, 0.0));
  for (const auto& basket : baskets) {
    for (const std::size_t i : basket) {
      for (const std::size_t j : basket) {
        counts[i][j] += 1;
      }
    }
  }
  return counts;
}

/// Column j of the autoencoder by its definition: ridge regression of item j on all others and an intercept, which is free.
/// Gives the weights of the others and, last, the intercept.
inline std::vector<double> autoencoder_column(const Baskets& baskets, std::size_t items, std::size_t j,
                                              double ridge) {
  Matrix normal(items + 1, std::vector<double>(items + 1, 0.0));
  std::vector<double> right(items + 1, 0.0);
  for (const auto& basket : baskets) {
    std::vector<double> x(items + 1, 0.0);
    for (const std::size_t i : basket) {
      x[i] = i == j ? 0.0 : 1.0;
    }
    x[items] = 1;
    const double target = basket.contains(j) ? 1 : 0;
    for (std::size_t a = 0; a <= items; ++a) {
      right[a] += x[a] * target;
      for (std::size_t b = 0; b <= items; ++b) {
        normal[a][b] += x[a] * x[b];
      }
    }
  }
  for (std::size_t a = 0; a < items; ++a) {
    normal[a][a] += ridge;
  }
  return solve(normal, right);
}

inline double cosine(const Matrix& counts, std::size_t i, std::size_t j, double shrink) {
  return i == j || counts[i][j] == 0 ? 0 : counts[i][j] / (std::sqrt(counts[i][i] * counts[j][j]) + shrink);
}

}  // namespace hanse::reference
