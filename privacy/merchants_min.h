#pragma once

#include <algorithm>
#include <cstdint>

namespace hanse {

/// Fewest merchants in a sum that hides them when nobody names a number: two thirds of `merchants`, and never fewer than 3.
inline std::uint32_t default_merchants_min(std::uint32_t merchants) {
  return std::max(3u, (2 * merchants + 2) / 3);
}

}  // namespace hanse
