#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/secure_random.h"
#include "privacy/crypto/secret.h"

namespace hanse {

/// Shamir's secret sharing (1979) of 32 bytes over the field of p = 2^61 - 1.
///
/// The secret is cut into five limbs of 52 bits; each is the constant term of its own random polynomial of
/// degree threshold - 1. A holder with identity h has the five values at x = h + 1, 8 bytes little-endian
/// each: 40 bytes. Any `threshold` shares give the secret, fewer say nothing about it.
using Share = std::array<std::byte, 40>;

/// One share for each of `holders` (distinct), in their order. `threshold` is in 1..holders.size().
std::vector<Secret<40>> shamir_split(const Secret<32>& secret, std::span<const std::uint32_t> holders,
                                     std::uint32_t threshold, SecureRandom& random);

/// Gives secrets from shares of the same distinct holders, as many as the threshold they were split with. The
/// Lagrange weights, quadratic in the number of holders, are computed once; each secret costs a few
/// multiplications a share. Shares are checked against commitments before they come here; wrong ones give a
/// wrong secret, which the caller's own checks must find.
class ShareCombiner {
 public:
  /// `holders` are distinct (check), at least one.
  explicit ShareCombiner(std::span<const std::uint32_t> holders);
  /// `shares` are those of the holders, in their order (check of the number).
  Secret<32> combine(std::span<const Share> shares) const;

 private:
  std::vector<std::uint64_t> weights_;
};

}  // namespace hanse
