#pragma once

#include <span>

#include "common/data/csr_matrix.h"

namespace hanse {

/// The kernels of linear models. Sums run over four or eight partial sums in one fixed order, the same on every processor. Rows
/// whose columns are consecutive, as all rows of numbers are, are computed as dense ones.

/// A sparse row's inner product with dense weights, and the row's own L2 norm, in one pass over its entries.
struct DotAndNorm {
  double dot = 0;
  double norm = 0;
};
DotAndNorm dot_and_norm(const SparseRow& row, std::span<const double> weights);
double dot(const SparseRow& row, std::span<const double> weights);
/// out += scale * row.
void add_scaled(const SparseRow& row, double scale, std::span<double> out);

/// Logistic regression's view of one logit.
struct LogisticTerms {
  double probability = 0;  ///< sigmoid(x).
  double loss = 0;         ///< logistic_loss(x, y).
};
/// Both from one exponential.
LogisticTerms logistic_terms(double x, double y);

/// 1 / (1 + exp(-x)), without overflow.
double sigmoid(double x);

/// Logistic loss of logit x and label y in {0, 1}: log(1 + exp(x)) - y x, without overflow.
double logistic_loss(double x, double y);

/// The x that minimises (x - value)^2 / 2 + threshold |x|.
double soft_threshold(double value, double threshold);

/// The smallest power of two that is not below `value` > 0. With it as clip norm, whole numbers lie on the grid.
double power_of_two_above(double value);

}  // namespace hanse
