#include "privacy/noise/random_bits.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

// Counts the bytes asked for and gives zeros.
class CountingRandom final : public SecureRandom {
 public:
  void fill(std::span<std::byte> out) override {
    asked += out.size();
    std::fill(out.begin(), out.end(), std::byte{0});
  }
  std::size_t asked = 0;
};

TEST(RandomBits, AFewNumbersFetchAFewBytes) {
  CountingRandom random;
  RandomBits bits(random, 10);

  bits.next<std::uint64_t>();

  EXPECT_EQ(random.asked, 64U);
}

TEST(RandomBits, ABoundOfOneGivesZero) {
  DeterministicSecureRandom random(1);
  RandomBits bits(random, 64);

  EXPECT_EQ(bits.below(1), 0U);
}

// 3 * 10^5 draws over 3 values: a count is off by 6 standard deviations (1549) with probability below 2e-9
// each.
TEST(RandomBits, IsUniformBelowBoundsOfEveryWidth) {
  DeterministicSecureRandom random(2);
  RandomBits bits(random, 8192);

  for (const std::uint64_t scale : {std::uint64_t{1}, std::uint64_t{1} << 20, std::uint64_t{1} << 61}) {
    std::vector<int> counts(3);
    for (int i = 0; i < 300'000; ++i) {
      const std::uint64_t drawn = bits.below(3 * scale);
      ASSERT_LT(drawn, 3 * scale);
      ++counts[drawn / scale];
    }
    for (const int count : counts) {
      EXPECT_NEAR(count, 100'000, 1549);
    }
  }
}

}  // namespace
}  // namespace hanse
