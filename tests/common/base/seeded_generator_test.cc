#include "common/base/seeded_generator.h"

#include <cmath>

namespace hanse {
namespace {

TEST(SeededGenerator, IsAFunctionOfItsKeyAlone) {
  SeededGenerator a({1, 2, 3}), b({1, 2, 3}), other_merchant({1, 2, 4});

  EXPECT_EQ(a(), b());
  EXPECT_NE(a(), other_merchant());
}

// Reference value of SplitMix64 (Vigna's splitmix64.c with state 0): 0xE220A8397B1DCDAF.
TEST(SeededGenerator, SplitMixMatchesItsReference) {
  EXPECT_EQ(split_mix(0), 0xE220A8397B1DCDAFu);
}

TEST(SeededGenerator, DrawsHaveTheMomentsOfTheirLaws) {
  SeededGenerator generator({42});
  const int n = 200000;
  double uniform = 0, normal = 0, normal_square = 0, gamma = 0, below = 0;

  for (int i = 0; i < n; ++i) {
    uniform += generator.uniform();
    const double x = generator.normal();
    normal += x;
    normal_square += x * x;
    gamma += generator.gamma(0.5);
    below += static_cast<double>(generator.below(10));
  }

  // Five standard errors each; the seed is fixed, so this cannot flicker.
  EXPECT_NEAR(uniform / n, 0.5, 5 * 0.29 / std::sqrt(n));
  EXPECT_NEAR(normal / n, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(normal_square / n, 1.0, 5 * 1.42 / std::sqrt(n));
  EXPECT_NEAR(gamma / n, 0.5, 5 * 0.71 / std::sqrt(n));
  EXPECT_NEAR(below / n, 4.5, 5 * 2.88 / std::sqrt(n));
}

}  // namespace
}  // namespace hanse
