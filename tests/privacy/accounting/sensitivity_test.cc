#include "privacy/accounting/sensitivity.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "common/base/failure.h"
#include "privacy/accounting/pld.h"
#include "privacy/accounting/rdp.h"

namespace hanse {
namespace {

// Every pattern of participations, and every node of the trees.
std::uint64_t by_trying_all(const Participation& participation) {
  std::uint64_t most = 0;
  for (std::uint32_t pattern = 0; pattern < (1U << participation.steps); ++pattern) {
    bool allowed = static_cast<std::uint64_t>(std::popcount(pattern)) <= participation.most;
    std::uint64_t last = 0;
    bool any = false;
    for (std::uint64_t step = 0; step < participation.steps; ++step) {
      if ((pattern >> step & 1) != 0) {
        allowed = allowed && (!any || step - last > participation.separation);
        last = step;
        any = true;
      }
    }
    if (!allowed) {
      continue;
    }
    std::uint64_t sum = 0;
    for (std::uint64_t begin = 0, left = participation.steps; left > 0;) {
      const std::uint64_t tree = std::bit_floor(left);
      for (std::uint64_t size = 1; size <= tree; size *= 2) {
        for (std::uint64_t node = begin; node < begin + tree; node += size) {
          const auto count =
              static_cast<std::uint64_t>(std::popcount((pattern >> node) & ((1ULL << size) - 1)));
          sum += count * count;
        }
      }
      begin += tree;
      left -= tree;
    }
    most = std::max(most, sum);
  }
  return most;
}

TEST(TreeSensitivity, IsTheLargestOfAllPatterns) {
  for (std::uint64_t steps = 1; steps <= 13; ++steps) {
    for (std::uint64_t most = 1; most <= 4; ++most) {
      for (std::uint64_t separation = 0; separation <= 5; ++separation) {
        const Participation participation{most, separation, steps};

        EXPECT_EQ(tree_sensitivity_squared(participation), by_trying_all(participation))
            << most << " " << separation << " " << steps;
      }
    }
  }
}

TEST(TreeSensitivity, MatchesPublishedValues) {
  EXPECT_EQ(tree_sensitivity_squared({1, 7, 8}), 4U);
  EXPECT_EQ(tree_sensitivity_squared({3, 3, 9}), 11U);
  EXPECT_EQ(tree_sensitivity_squared({3, 2, 7}), 9U);
  EXPECT_EQ(tree_sensitivity_squared({8, 2, 24}), 88U);
  EXPECT_EQ(tree_sensitivity_squared({5, 9, 100}), 71U);
  EXPECT_EQ(tree_sensitivity_squared({4, 100, 512}), 60U);
  EXPECT_EQ(tree_sensitivity_squared({6, 313, 2000}), 79U);
}

TEST(TreeSensitivity, APublishedTrainingRunCostsWhatWasPublished) {
  const DpEvent event = correlated_event(7, static_cast<double>(tree_sensitivity_squared({6, 313, 2000})));
  PldAccountant accountant;
  accountant.compose(event);

  EXPECT_NEAR(epsilon(std::vector{event}, 1e-10).epsilon, 8.89860501297, 1e-6);
  EXPECT_NEAR(accountant.epsilon(1e-10).upper, 8.52609344345, 1e-6);
}

TEST(TreeSensitivity, DepthOfARestartedTree) {
  EXPECT_EQ(tree_depth(1600), 11U);
  EXPECT_EQ(tree_depth(100), 7U);
  EXPECT_EQ(tree_depth(64), 7U);
  EXPECT_EQ(tree_depth(1), 1U);
}

TEST(ToeplitzSensitivity, OfTheSquareRootIsTheKnownLoss) {
  EXPECT_NEAR(toeplitz_sensitivity_squared(square_root_column(64), {1, 0, 64}), 2.38885, 5e-6);
  EXPECT_NEAR(toeplitz_sensitivity_squared(square_root_column(1000), {1, 0, 1000}), 3.26500, 5e-6);
}

TEST(ToeplitzSensitivity, OfBuffersIsTheKnownOne) {
  const std::array scales = {0.0122853238, 0.1878393665};
  const std::array decays = {0.9999528892, 0.9857068667};

  const std::vector<double> c = buffered_column(scales, decays, 100'000);

  EXPECT_NEAR(toeplitz_sensitivity_squared(c, {1, 0, 100'000}), 4.166792, 1e-6);
}

// Columns (1, 1/2, 0, 0) and (0, 0, 1, 1/2) do not meet; at distance one, (1, 3/2, 1/2) do.
TEST(ToeplitzSensitivity, BandsAddUpOnlyWhereTheyMeet) {
  const std::array c = {1.0, 0.5};

  EXPECT_DOUBLE_EQ(toeplitz_sensitivity_squared(c, {2, 1, 4}), 2.5);
  EXPECT_DOUBLE_EQ(toeplitz_sensitivity_squared(c, {2, 0, 4}), 1 + 2.25 + 0.25);
}

TEST(ToeplitzSensitivity, RefusesARisingColumn) {
  EXPECT_THROW(toeplitz_sensitivity_squared(std::array{1.0, 2.0}, {1, 0, 2}), Failure);
  EXPECT_THROW(toeplitz_sensitivity_squared(std::array{1.0, -0.5}, {1, 0, 2}), Failure);
}

TEST(BandedEvent, IsOneSampledRoundACycle) {
  EXPECT_EQ(banded_event(2, 0.1, 4, 10).count, 3U);
  EXPECT_EQ(banded_event(2, 0.1, 1, 10).count, 10U);
  EXPECT_EQ(banded_event(2, 0.1, 4, 10).sampling_rate, 0.1);
}

}  // namespace
}  // namespace hanse
