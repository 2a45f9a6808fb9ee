#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/workloads/customer_side.h"

namespace hanse {

// Weights W between items from their co-occurrence matrix G (entry (i, j): customers who have both; the diagonal: customers
// who have the item), given as its lower triangle (triangle_size() in common/numerics/symmetric.h). W is row-major: W_ij is
// what having item i speaks for item j, and the diagonal is zero. A customer with the items S gives item j the score
//
//   s_j = sum over i in S of W_ij

/// W_ij = G_ij / (sqrt(G_ii G_jj) + shrink): cosines of the items' columns, shrunk where few customers speak (Sarwar, Karypis,
/// Konstan, Riedl 2001). Cells below `least` are taken for zero.
std::vector<double> cosine_weights(std::span<const double> triangle, std::size_t order, double shrink,
                                   double least);

/// The shallow linear autoencoder EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data"):
///
///   minimise ||X - X W||^2 + ridge ||W||^2,  diag W = 0:    W_ij = -P_ij / P_jj,  P = (G + ridge I)^-1
///
/// Of covariances in place of G it is the one with an intercept. Where cells are missing from G or noise is in it, G + ridge I may be no positive matrix; the ridge is doubled until it is.
std::vector<double> ease_weights(std::span<const double> triangle, std::size_t order, double ridge);

/// Of each item the `count` others whose weights for it are the largest in magnitude, the larger first. Entries of no weight
/// fill the rest.
struct NeighbourLists {
  std::size_t count = 0;               ///< Of each item.
  std::vector<std::uint32_t> sources;  ///< i of item j's n-th at j * count + n.
  std::vector<double> weights;         ///< W_ij likewise.
};
NeighbourLists strongest_neighbours(std::span<const double> weights, std::size_t order, std::size_t count);

/// The lists turned around, to score a customer in time of what it has.
class NeighbourScores {
 public:
  /// `ids` are the items' columns, increasing; `items` the number of columns. `prior`, one a column, is added to every score.
  NeighbourScores(const NeighbourLists& lists, std::span<const std::uint32_t> ids, std::vector<float> prior);

  /// Scores of all columns for a customer with these. Valid until the next call.
  std::span<const float> of(std::span<const std::uint32_t> columns);

  /// Which of the customer's columns speak for column `item`, the strongest first; none that speak against it.
  std::vector<ItemReason> reasons(std::span<const std::uint32_t> columns, std::uint32_t item) const;

  std::size_t columns() const { return prior_.size(); }

 private:
  std::vector<float> prior_;
  std::vector<float> scores_;
  std::vector<std::size_t> begins_;  ///< Of each column's targets.
  std::vector<std::uint32_t> targets_;
  std::vector<float> weights_;
};

}  // namespace hanse
