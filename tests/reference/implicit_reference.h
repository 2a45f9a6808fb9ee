#pragma once

#include <cmath>
#include <set>

#include "tests/reference/factorization_reference.h"

/// Implicit alternating least squares in the plainest centralised code: every pair of a customer and an item is visited.
namespace hanse::reference {

struct ImplicitWeights {
  double l2 = 0;
  double exponent = 0;
  double unobserved = 0;
};

using Vectors = std::vector<std::vector<double>>;
using Pairs = std::vector<std::set<std::size_t>>;  ///< Of each side, its partners on the other.

/// One side's vectors given the other's, `all` of which are partners or not.
inline Vectors solve_side(const Vectors& other, const Pairs& partners, ImplicitWeights weights) {
  const std::size_t rank = other[0].size();
  Vectors solved;
  for (const std::set<std::size_t>& own : partners) {
    std::vector<std::vector<double>> gram(rank, std::vector<double>(rank, 0.0));
    std::vector<double> right(rank, 0.0);
    for (std::size_t j = 0; j < other.size(); ++j) {
      const double observed = own.contains(j) ? 1 : 0;
      for (std::size_t a = 0; a < rank; ++a) {
        right[a] += observed * other[j][a];
        for (std::size_t b = 0; b < rank; ++b) {
          gram[a][b] += (observed + weights.unobserved) * other[j][a] * other[j][b];
        }
      }
    }
    const double count =
        static_cast<double>(own.size()) + weights.unobserved * static_cast<double>(other.size());
    for (std::size_t a = 0; a < rank; ++a) {
      gram[a][a] += weights.l2 * std::pow(count, weights.exponent);
    }
    solved.push_back(solve(gram, right));
  }
  return solved;
}

}  // namespace hanse::reference
