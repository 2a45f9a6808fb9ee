#pragma once

#include <cmath>
#include <cstdint>

namespace hanse {

/// Poisson sampling: whether a unit takes part in a sum, by a coin of 64 uniform bits of its own. With
/// probability `rate` in [0, 1], to 2^-63.
inline bool takes_part(double rate, std::uint64_t coin) {
  return coin >> 1 < static_cast<std::uint64_t>(std::ldexp(rate, 63));
}

}  // namespace hanse
