#pragma once

#include <span>
#include <vector>

#include "common/data/units.h"
#include "common/numerics/linear.h"

namespace hanse {

/// Sums over rows of the logistic loss at weights w, row i weighing c_i: `positive_weight` where y = 1, else 1. With
/// p = sigmoid(w.x):
///
///   loss += sum c (log(1 + exp(w.x)) - y w.x),   gradient += sum c (p - y) x,   curvature += sum c p (1 - p) x x^T
///
/// `gradient` is as long as w, `lower` is empty (then no curvature is added) or the lower triangle of a matrix of that
/// order (common/numerics/newton.h). Gives the loss; 0 where it is not wanted. The order of additions is fixed, so equal
/// rows give equal bytes.
struct LogisticSums {
  double positive_weight = 1;
  bool with_loss = true;

  /// One row's part: c (p - y), c p (1 - p) and its loss, 0 where that is not wanted.
  struct Row {
    double residual = 0;
    double curvature = 0;
    double loss = 0;
  };
  Row of_row(double logit, double label) const {
    const double weight = label > 0.5 ? positive_weight : 1;
    const LogisticTerms terms =
        with_loss ? logistic_terms(logit, label) : LogisticTerms{.probability = sigmoid(logit)};
    return {.residual = weight * (terms.probability - label),
            .curvature = weight * terms.probability * (1 - terms.probability),
            .loss = weight * terms.loss};
  }

  double add(const Rows& rows, std::span<const double> weights, std::span<double> gradient,
             std::span<double> lower = {}) const;
};

}  // namespace hanse
