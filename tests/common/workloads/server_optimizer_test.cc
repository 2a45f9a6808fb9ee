#include "common/numerics/server_optimizer.h"

#include <array>
#include <cmath>

#include "common/base/failure.h"

namespace hanse {
namespace {

/// Two steps of one parameter that starts at 1, along gradients 2 and -1, with rate 0.1.
double after_two_steps(const std::string& name) {
  const ServerOptimizer optimizer(
      {.name = name, .learning_rate = 0.1, .momentum = 0.5, .second_moment = 0.75});
  std::vector<double> state(optimizer.state_size(1), 0.0);
  std::array<double, 1> parameter{1};
  optimizer.apply(1, std::array<double, 1>{2}, parameter, state);
  optimizer.apply(2, std::array<double, 1>{-1}, parameter, state);
  return parameter[0];
}

TEST(ServerOptimizer, SgdStepsAlongTheGradient) {
  EXPECT_NEAR(after_two_steps("sgd"), 1 - 0.2 + 0.1, 1e-15);
}

TEST(ServerOptimizer, MomentumRemembersEarlierGradients) {
  // m = 2, then 0.5 * 2 - 1 = 0.
  EXPECT_NEAR(after_two_steps("momentum"), 1 - 0.2 - 0.0, 1e-15);
}

TEST(ServerOptimizer, AdagradDividesByTheRootOfAllSquares) {
  EXPECT_NEAR(after_two_steps("adagrad"), 1 - 0.2 / (2 + 1e-3) + 0.1 / (std::sqrt(5.0) + 1e-3), 1e-15);
}

TEST(ServerOptimizer, AdamCorrectsTheBiasOfItsMoments) {
  // m = 1, v = 1; corrected 2 and 4. Then m = 0, v = 0.75 + 0.25 = 1; corrected m is 0.
  EXPECT_NEAR(after_two_steps("adam"), 1 - 0.1 * 2 / (2 + 1e-3), 1e-15);
}

TEST(ServerOptimizer, YogiMovesTheSecondMomentByAtMostTheSquare) {
  // v = 0.25 * 4 = 1, then v == g^2: unchanged. First step as Adam's; m is 0 at the second.
  EXPECT_NEAR(after_two_steps("yogi"), 1 - 0.1 * 2 / (2 + 1e-3), 1e-15);

  const ServerOptimizer yogi({.name = "yogi", .learning_rate = 0.1, .momentum = 0, .second_moment = 0.75});
  std::array<double, 2> state{0, 8};  // v far above g^2 = 4 falls by a quarter of 4 only.
  std::array<double, 1> parameter{0};
  yogi.apply(1, std::array<double, 1>{2}, parameter, state);
  EXPECT_EQ(state[1], 7);
}

TEST(ServerOptimizer, KeepsMemoryThatIsNotItsOwn) {
  const ServerOptimizer optimizer({.name = "adam"});
  std::array<double, 3> state{0, 0, 42};
  std::array<double, 1> parameter{0};

  optimizer.apply(1, std::array<double, 1>{1}, parameter, state);

  EXPECT_EQ(state[2], 42);
}

TEST(ServerOptimizer, RefusesUnknownNamesAndSenselessRates) {
  EXPECT_THROW(ServerOptimizer({.name = "adamw"}), Failure);
  EXPECT_THROW(ServerOptimizer({.name = "sgd", .learning_rate = 0}), Failure);
  EXPECT_THROW(ServerOptimizer({.name = "sgd", .learning_rate = std::nan("")}), Failure);
  EXPECT_THROW(ServerOptimizer({.name = "momentum", .momentum = 1}), Failure);
}

}  // namespace
}  // namespace hanse
