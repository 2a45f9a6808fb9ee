#pragma once

#include <cstdint>
#include <vector>

#include "privacy/accounting/loss_cells.h"

namespace hanse {

/// Two laws on the grid of losses (first + k) step that enclose one of the cells: for every epsilon, also after
/// composition with anything,
///   delta of lower <= delta of the cells <= delta of upper.
struct GridLaws {
  double step = 0;
  std::int64_t first = 0;
  std::vector<double> upper = {};  ///< P weights, with `infinite` adding up to 1 (to round-off).
  std::vector<double> lower = {};  ///< P weights, adding up to less.
  double infinite = 0;             ///< P weight of `upper` at infinity.
  /// Bounds on round-off, in either law: of the weights, and of how far they are displaced in units of a step,
  /// times step.
  std::vector<double> error = {};
};

/// Write D(y) = integral of (dP - y dQ)+ with y = e^epsilon: convex, and for a law on the grid y_k = e^(k step)
/// piecewise linear, the weight of Q at y_k being the change of slope there. That D1 <= D2 everywhere survives
/// composition with any third pair.
///
/// upper: the chords of D (connect the dots: Doroshenko et al. 2022). The cell's weights p and q go to its ends as
///   p = A + B,  q = A / y_k + B / y_(k+1).
/// lower: chords of D(y_k) - c_k. With the cell's chord and the tangents at its ends D lies at most
///   gap = (y_(k+1) - y_k) a b / (a + b),  a = A / y_k, b = B / y_(k+1),
/// below its chord, so c_k is the larger gap of the cells beside. Where that is not convex (steep edges), weights
/// below zero are spread to their neighbours, which is taking the convex hull.
GridLaws connect_the_dots(const LossCells& cells);

}  // namespace hanse
