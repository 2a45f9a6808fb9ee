#pragma once

#include <cstdint>
#include <span>

#include "common/base/secure_random.h"

namespace hanse {

/// Fills `out` with independent exact samples of the discrete Gaussian N_Z(0, variance):
///   Pr[x] proportional to exp(-x^2 / (2 variance)), x an integer.
/// Canonne, Kamath, Steinke 2020, algorithms 1 to 3: integers and uniform bits only, no floating point.
/// `variance` is in steps squared, positive and at most 2^62. (The variance of the law differs from this
/// parameter by less than 3e-7 of it from 1 on, by less than 1e-30 from 4 on.)
///
/// The time a sample takes depends on its value: draw a round's noise before touching data, where no one can
/// time single entries. The random bytes are wiped before returning; `out` is the caller's to wipe.
void sample_discrete_gaussian(std::uint64_t variance, SecureRandom& random, std::span<std::int64_t> out);

}  // namespace hanse
