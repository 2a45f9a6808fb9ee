#pragma once

#include <cstdint>

#include "privacy/noise/random_bits.h"

namespace hanse {

/// Whether t + f < scale * 2^shift * exp(-a / b), for f uniform in [0, 1) whose bits are drawn from `bits` only as far
/// as the answer needs them: exact for every exponent, because both sides are bounded by integers and the bounds are
/// narrowed until they decide. Takes at least 192 bits of f and tens of microseconds: for what a table cannot decide.
/// b >= 1 and a / b < 2^64; the work grows with a / b.
bool is_below_exp(std::uint64_t t, std::uint64_t scale, unsigned shift, Uint128 a, std::uint64_t b,
                  RandomBits& bits);

}  // namespace hanse
