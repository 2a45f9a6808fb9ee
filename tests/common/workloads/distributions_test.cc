#include "common/numerics/distributions.h"

#include "common/numerics/markov.h"

namespace hanse {
namespace {

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-12) << i;
  }
}

TEST(Distributions, ProjectionTakesTheSameOffAllThatStayAboveZero) {
  std::vector<double> counts = {10, 4, 1, -3};

  project_to_simplex(counts, 12);

  // 10 + 4 + 1 - 3 taken off three = 12: each loses 1, and the fourth stays at zero.
  expect_near(counts, {9, 3, 0, 0});
}

TEST(Distributions, ProjectionLeavesACountThatIsOneAlready) {
  std::vector<double> counts = {2, 0, 3};

  project_to_simplex(counts, 5);

  expect_near(counts, {2, 0, 3});
}

TEST(Distributions, ProjectionToNothingIsZero) {
  std::vector<double> counts = {2, -7};

  project_to_simplex(counts, -5);

  expect_near(counts, {0, 0});
}

TEST(Distributions, CountsBecomeSharesWithSmoothing) {
  std::vector<double> counts = {3, 1, 0};
  std::vector<double> none = {0, 0};
  std::vector<double> negative = {-3, -1};

  counts_to_distribution(counts, 1);
  counts_to_distribution(none, 0);
  counts_to_distribution(negative, 0.5);

  expect_near(counts, {4.0 / 7, 2.0 / 7, 1.0 / 7});
  expect_near(none, {0.5, 0.5});
  expect_near(negative, {0.5, 0.5});
}

// 0 -> 1 always; 1 -> 0 or 2, half each; 2 -> 0 always. pi is proportional to (2, 2, 1).
const std::vector<double> kChain = {0, 1, 0, 0.5, 0, 0.5, 1, 0, 0};

TEST(MarkovNumbers, StationaryDistributionOfAChainByHand) {
  expect_near(stationary_distribution(kChain, 3), {0.4, 0.4, 0.2});
  expect_near(stationary_distribution(std::vector<double>{1}, 1), {1});
}

TEST(MarkovNumbers, ExpectedStepsOfAChainByHand) {
  // h1 = 1 + h0 / 2, h0 = 1 + h1: h0 = 4, h1 = 3.
  expect_near(expected_steps(kChain, 3, 2), {4, 3, 0});
}

TEST(MarkovNumbers, ChanceOfReachingOneStateBeforeAnother) {
  expect_near(reached_before(kChain, 3, 2, 0), {0, 0.5, 1});
}

TEST(MarkovNumbers, RareStatesKeepTheirDigits) {
  const double rare = 1e-14;

  const std::vector<double> shares =
      stationary_distribution(std::vector<double>{1 - rare, rare, 0.5, 0.5}, 2);

  EXPECT_NEAR(shares[1] / (2 * rare), 1, 1e-12);
}

}  // namespace
}  // namespace hanse
