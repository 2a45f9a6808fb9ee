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
  std::vector<double> error = {};  ///< As in LossCells, at the points of the grid.
};

/// The cells' step is half the grid's. Write D(y) = integral of (dP - y dQ)+ with y = e^epsilon: convex, and for a law
/// on the grid y_k = e^(k step) piecewise linear, the weight of Q at y_k being the change of slope there. That D1 <= D2
/// everywhere survives composition with any third pair.
///
/// upper: the chords of D (connect the dots: Doroshenko et al. 2022). A cell's weights p and q go to the points of the
///   grid beside it as p = A + B, q = A / y_k + B / y_(k+1).
/// lower: what coarser observations show (any function of the output, at random too, has a lower D). A cell is seen as
///   one point, of odds p / q, and points are seen together: from the lowest on, each group takes in as much of the next
///   points as its odds need to be those of the grid's first point above. What is left at the very top is rounded
///   down.
/// Both moments of order theta + 1 are off by about theta (theta + 1) / 2 step^2 / 6 above and half as much below.
GridLaws connect_the_dots(const LossCells& cells);

}  // namespace hanse
