#include "privacy/noise/discrete_gaussian.h"

#include "common/base/check.h"
#include "privacy/noise/random_bits.h"

// Nothing here overflows. With V = variance <= 2^62 and m = floor(sqrt(V)), 1 <= m <= 2^31:
//   - Laplace: x = u + V k with u < V and k < 2^32 (checked; passing that takes 2^32 successes in a row of
//     probability 1/e), so x < 2^62 (1 + 2^32) < 2^95, computed in 128 bits.
//     y = floor(x / m) <= (k + 1) V / m, and V < (m + 1)^2 <= 4 m^2, so y <= 4 m (k + 1) <= 2^65: 128 bits.
//     It is checked to fit 2^62 before it becomes an int64.
//   - Acceptance: (y - m)^2 < 2^124 after that check; its denominator 2 V <= 2^63 and the remainder fit 64
//   bits.

namespace hanse {
namespace {

constexpr std::uint64_t kLargestVariance = std::uint64_t{1} << 62;
constexpr std::uint64_t kLargestMagnitude = std::uint64_t{1} << 62;
constexpr std::uint64_t kMostSuccesses = std::uint64_t{1} << 32;

// floor(sqrt(n)) for n <= 2^62, digit by digit.
std::uint64_t integer_sqrt(std::uint64_t n) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= n) {
      root += bit;
    }
  }
  return root;
}

// The alternating run of [CKS20] algorithm 1 from its `k`-th coin on: coins of probability gamma / k, gamma =
// a / b, until the first failure, at k; true when that k is odd. Because gamma / k is a product, a coin is
// two independent ones: 1 / k, the cheaper, and a / b.
bool alternating_run(std::uint64_t a, std::uint64_t b, std::uint64_t k, RandomBits& bits) {
  while ((k == 1 || bits.below(k) == 0) && (a == b || bits.below(b) < a)) {
    ++k;
  }
  return k % 2 == 1;
}

// True with probability exp(-a / b), 0 <= a <= b <= 2^63.
bool bernoulli_exp_fraction(std::uint64_t a, std::uint64_t b, RandomBits& bits) {
  return a == 0 || alternating_run(a, b, 1, bits);
}

// True with probability 1 / e. The run with gamma = 1 gets past k with probability 1 / k!, so its first five
// coins are one uniform number below 5! = 120: below 60 past 2, below 20 past 3, below 5 past 4, 0 past 5.
bool bernoulli_one_over_e(RandomBits& bits) {
  unsigned u = bits.next<std::uint8_t>();
  while (u >= 240) {
    u = bits.next<std::uint8_t>();
  }
  u %= 120;
  if (u == 0) [[unlikely]] {
    return alternating_run(1, 1, 6, bits);
  }
  return (u >= 20 && u < 60) || (u >= 1 && u < 5);  // Stopped at 3, or at 5.
}

// True with probability exp(-numerator / denominator), denominator <= 2^63: whole units first.
bool bernoulli_exp(Uint128 numerator, std::uint64_t denominator, RandomBits& bits) {
  while (numerator >= denominator) {
    if (!bernoulli_one_over_e(bits)) {
      return false;
    }
    numerator -= denominator;
  }
  return bernoulli_exp_fraction(static_cast<std::uint64_t>(numerator), denominator, bits);
}

// The magnitude of a discrete Laplace of scale V / m, [CKS20] algorithm 2 with t = V and s = m: before the
// sign.
std::uint64_t geometric_magnitude(std::uint64_t v, std::uint64_t m, RandomBits& bits) {
  std::uint64_t u = bits.below(v);
  while (!bernoulli_exp_fraction(u, v, bits)) {
    u = bits.below(v);
  }
  std::uint64_t successes = 0;
  while (bernoulli_one_over_e(bits)) {
    ++successes;
    check(successes < kMostSuccesses, "a uniform source does not succeed 2^32 times in a row");
  }
  const Uint128 x = u + static_cast<Uint128>(v) * successes;
  const Uint128 y = x >> 64 == 0 ? static_cast<std::uint64_t>(x) / m : x / m;
  check(y < kLargestMagnitude, "a sample is within 2^31 deviations");
  return static_cast<std::uint64_t>(y);
}

// [CKS20] algorithm 3, with the proposal's scale V / m instead of floor(sigma) + 1. Since
// exp(-y^2 / (2 V)) = exp(-m |y| / V) exp(-(|y| - m)^2 / (2 V)) exp(m^2 / (2 V)), every m >= 1 is exact; m
// near sigma accepts most, and this choice makes the exponent a ratio of integers below 2^64.
std::int64_t sample(std::uint64_t v, std::uint64_t m, RandomBits& bits) {
  for (;;) {
    const std::uint64_t y = geometric_magnitude(v, m, bits);
    const bool negative = (bits.next<std::uint8_t>() & 1) != 0;
    if (negative && y == 0) {  // Zero has one sign.
      continue;
    }
    const std::uint64_t distance = y > m ? y - m : m - y;
    if (bernoulli_exp(static_cast<Uint128>(distance) * distance, 2 * v, bits)) {
      const auto value = static_cast<std::int64_t>(y);
      return negative ? -value : value;
    }
  }
}

}  // namespace

void sample_discrete_gaussian(std::uint64_t variance, SecureRandom& random, std::span<std::int64_t> out) {
  check(variance >= 1 && variance <= kLargestVariance, "the variance of noise is between 1 and 2^62");
  if (out.empty()) {
    return;
  }
  const std::uint64_t m = integer_sqrt(variance);
  RandomBits bits(random, out.size() > 128 ? 8192 : out.size() * 64);
  for (std::int64_t& value : out) {
    value = sample(variance, m, bits);
  }
}

}  // namespace hanse
