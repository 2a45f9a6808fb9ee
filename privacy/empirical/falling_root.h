#pragma once

#include <cmath>

namespace hanse {

/// Where a condition that holds for small arguments and then no more stops holding: the largest x >= 0, to a
/// relative 1e-12, for which `holds(x)`; 0 when it does not even hold there, `limit` when it holds beyond.
template <class Condition>
double last_that_holds(const Condition& holds, double limit, double first = 1) {
  if (!holds(0.0)) {
    return 0;
  }
  double low = 0;
  double high = first;
  while (holds(high)) {
    low = high;
    high *= 2;
    if (low >= limit) {
      return limit;
    }
  }
  while (high - low > 1e-12 * high) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) {
      break;
    }
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace hanse
