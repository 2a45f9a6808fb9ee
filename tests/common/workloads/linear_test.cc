#include "common/numerics/linear.h"

#include <array>
#include <cmath>

namespace hanse {
namespace {

TEST(Linear, GivesInnerProductAndNormInOnePass) {
  const std::array<std::uint32_t, 2> columns{0, 2};
  const std::array<float, 2> values{3, 4};
  const std::array<double, 3> weights{1, 100, 0.5};

  const DotAndNorm both = dot_and_norm({columns, values}, weights);

  EXPECT_EQ(both.dot, 5);
  EXPECT_EQ(both.norm, 5);
  EXPECT_EQ(dot({columns, values}, weights), 5);
}

TEST(Linear, SigmoidAndLossNeverOverflow) {
  EXPECT_EQ(sigmoid(0), 0.5);
  EXPECT_EQ(sigmoid(-2000), 0);
  EXPECT_EQ(sigmoid(2000), 1);
  EXPECT_NEAR(sigmoid(1) + sigmoid(-1), 1, 1e-16);
  EXPECT_NEAR(logistic_loss(0, 1), std::log(2), 1e-16);
  EXPECT_EQ(logistic_loss(2000, 0), 2000);
  EXPECT_EQ(logistic_loss(2000, 1), 0);
}

}  // namespace
}  // namespace hanse
