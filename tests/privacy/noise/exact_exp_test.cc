#include "privacy/noise/exact_exp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

// A source whose every bit is the same: f = 0, or as near to 1 as it takes.
class ConstantRandom final : public SecureRandom {
 public:
  explicit ConstantRandom(unsigned char byte) : byte_(byte) {}
  void fill(std::span<std::byte> out) override { std::ranges::fill(out, std::byte{byte_}); }

 private:
  unsigned char byte_;
};

bool is_below(std::uint64_t t, unsigned char f, std::uint64_t scale, unsigned shift, Uint128 a,
              std::uint64_t b) {
  ConstantRandom random(f);
  RandomBits bits(random, 64);
  return is_below_exp(t, scale, shift, a, b, bits);
}

// 10^18 / e = 367879441171442321.59552..., 10^18 exp(-1/3) = 716531310573789250.42565...
TEST(ExactExp, SeesOnWhichSideOfTheExponentialANumberIs) {
  const std::uint64_t scale = 1'000'000'000'000'000'000;

  EXPECT_TRUE(is_below(367879441171442321, 0x00, scale, 0, 1, 1));
  EXPECT_FALSE(is_below(367879441171442321, 0xFF, scale, 0, 1, 1));
  EXPECT_FALSE(is_below(367879441171442322, 0x00, scale, 0, 1, 1));
  EXPECT_TRUE(is_below(716531310573789250, 0x60, scale, 0, 1, 3));   // 0x0.60 = 0.375...
  EXPECT_FALSE(is_below(716531310573789250, 0x70, scale, 0, 1, 3));  // 0x0.70 = 0.4375...
}

// 2^70 / e^40 = 5015.58..., and exp(-40) is the same fraction in larger numbers.
TEST(ExactExp, TakesScalesBeyond64BitsAndLargeFractions) {
  const Uint128 large = static_cast<Uint128>(1) << 90;

  EXPECT_TRUE(is_below(5015, 0x00, 1, 70, 40, 1));
  EXPECT_FALSE(is_below(5016, 0x00, 1, 70, 40, 1));
  EXPECT_TRUE(is_below(5015, 0x00, 1, 70, large * 40 / (Uint128{1} << 40), std::uint64_t{1} << 50));
  EXPECT_FALSE(is_below(5016, 0x00, 1, 70, large * 40 / (Uint128{1} << 40), std::uint64_t{1} << 50));
}

TEST(ExactExp, OfZeroIsTheWholeScale) {
  EXPECT_TRUE(is_below(99, 0xFE, 100, 0, 0, 7));
  EXPECT_FALSE(is_below(100, 0x00, 100, 0, 0, 7));
}

// t = 0 and scale 1: true with probability exp(-a / b). 4000 trials; six deviations, wrong with probability 2e-9 each.
TEST(ExactExp, IsABernoulliOfTheExponential) {
  DeterministicSecureRandom random(4);
  RandomBits bits(random, 8192);
  for (const std::uint64_t a : {1U, 5U, 9U, 30U}) {
    const double p = std::exp(-static_cast<double>(a) / 10);
    int count = 0;

    for (int i = 0; i < 4'000; ++i) {
      count += is_below_exp(0, 1, 0, a, 10, bits) ? 1 : 0;
    }

    EXPECT_NEAR(count / 4'000.0, p, 6 * std::sqrt(p * (1 - p) / 4'000)) << a;
  }
}

}  // namespace
}  // namespace hanse
