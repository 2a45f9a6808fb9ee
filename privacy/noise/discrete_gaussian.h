#pragma once

#include <cstdint>
#include <span>

#include "common/base/secure_random.h"

namespace hanse {

/// Fills `out` with exact samples of the discrete Gaussian N_Z(0, variance): Pr[x] proportional to
/// exp(-x^2 / (2 variance)). Canonne, Kamath, Steinke 2020, algorithms 1 to 3: integers and uniform bits only, no
/// floating point. `variance` is positive and at most 2^62.
void sample_discrete_gaussian(std::uint64_t variance, SecureRandom& random, std::span<std::int64_t> out);

}  // namespace hanse
