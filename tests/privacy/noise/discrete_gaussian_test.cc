#include "privacy/noise/discrete_gaussian.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <vector>

#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

std::vector<std::int64_t> draw(std::uint64_t variance, std::size_t count, std::uint64_t seed) {
  DeterministicSecureRandom random(seed);
  std::vector<std::int64_t> samples(count);
  sample_discrete_gaussian(variance, random, samples);
  return samples;
}

double weight(std::int64_t x, std::uint64_t variance) {
  return std::exp(-static_cast<double>(x * x) / (2.0 * static_cast<double>(variance)));
}

double normaliser(std::uint64_t variance) {
  double sum = 0;
  for (std::int64_t x = -1000; x <= 1000; ++x) {
    sum += weight(x, variance);
  }
  return sum;
}

struct Cells {
  std::uint64_t variance;
  std::int64_t last;    // Values -last ... last have a cell each; both tails share one more.
  double chi_square_9;  // Quantile 1 - 1e-9 of chi-square with 2 last + 1 degrees of freedom.
};

void PrintTo(const Cells& cells, std::ostream* out) {
  *out << "variance " << cells.variance;
}

class SmallVariances : public testing::TestWithParam<Cells> {};

// A right sampler fails with probability 1e-9 over seeds; the seed is fixed.
TEST_P(SmallVariances, FollowTheExactProbabilities) {
  const Cells cells = GetParam();
  const std::size_t count = 1'000'000;
  std::vector<double> observed(static_cast<std::size_t>(2 * cells.last + 1));
  double tails = 0;

  for (const std::int64_t x : draw(cells.variance, count, 17 + cells.variance)) {
    if (std::abs(x) > cells.last) {
      ++tails;
    } else {
      ++observed[static_cast<std::size_t>(x + cells.last)];
    }
  }

  double chi_square = 0;
  double expected_tails = static_cast<double>(count);
  for (std::int64_t x = -cells.last; x <= cells.last; ++x) {
    const double expected =
        static_cast<double>(count) * weight(x, cells.variance) / normaliser(cells.variance);
    expected_tails -= expected;
    chi_square += std::pow(observed[static_cast<std::size_t>(x + cells.last)] - expected, 2) / expected;
  }
  chi_square += std::pow(tails - expected_tails, 2) / expected_tails;
  EXPECT_LT(chi_square, cells.chi_square_9);
}

INSTANTIATE_TEST_SUITE_P(DiscreteGaussian, SmallVariances,
                         testing::Values(Cells{1, 3, 55.9}, Cells{2, 4, 60.7}, Cells{3, 5, 65.2},
                                         Cells{4, 6, 69.5}, Cells{7, 8, 77.6}, Cells{100, 30, 152.0}));

struct Spread {
  int log2_variance;
};

void PrintTo(const Spread& spread, std::ostream* out) {
  *out << "variance 2^" << spread.log2_variance;
}

class LargeVariances : public testing::TestWithParam<Spread> {};

// 4 * 10^5 samples. In units of sigma the mean has deviation 1 / sqrt(n), the square's sqrt(2 / n), the
// fourth power's sqrt(96 / n); six deviations: a right sampler fails with probability 6e-9.
TEST_P(LargeVariances, HaveTheMomentsOfAGaussian) {
  const double sigma = std::ldexp(1.0, GetParam().log2_variance / 2);
  const double n = 400'000;
  double mean = 0;
  double square = 0;
  double fourth = 0;

  for (const std::int64_t x :
       draw(std::uint64_t{1} << GetParam().log2_variance, static_cast<std::size_t>(n), 5)) {
    const double unit = static_cast<double>(x) / sigma;
    mean += unit / n;
    square += unit * unit / n;
    fourth += unit * unit * unit * unit / n;
  }

  EXPECT_NEAR(mean, 0, 6 / std::sqrt(n));
  EXPECT_NEAR(square, 1, 6 * std::sqrt(2 / n));
  EXPECT_NEAR(fourth, 3, 6 * std::sqrt(96 / n));
}

INSTANTIATE_TEST_SUITE_P(DiscreteGaussian, LargeVariances,
                         testing::Values(Spread{10}, Spread{32}, Spread{40}, Spread{62}));

// The reference sums this file checks against, themselves checked against independently computed values.
TEST(DiscreteGaussian, TestNormalisersAreTheKnownOnes) {
  EXPECT_NEAR(normaliser(1), 2.506628288042905, 1e-12);
  EXPECT_NEAR(normaliser(4), 5.0132565492620005, 1e-12);
  EXPECT_NEAR(normaliser(100), 25.066282746310005, 1e-11);
}

// n(x > 0) - n(x < 0) has deviation below sqrt(n) = 1000: six of them.
TEST(DiscreteGaussian, IsSymmetric) {
  std::int64_t balance = 0;

  for (const std::int64_t x : draw(2, 1'000'000, 3)) {
    balance += x > 0 ? 1 : x < 0 ? -1 : 0;
  }

  EXPECT_LT(std::abs(balance), 6000);
}

TEST(DiscreteGaussian, RepeatsWithTheGeneratorAndOnlyWithIt) {
  EXPECT_EQ(draw(1000, 50, 8), draw(1000, 50, 8));
  EXPECT_NE(draw(1000, 50, 8), draw(1000, 50, 9));
}

TEST(DiscreteGaussian, NothingToFillTakesNothing) {
  EXPECT_TRUE(draw(1, 0, 1).empty());
}

TEST(DiscreteGaussianDeathTest, RefusesVariancesOutOfRange) {
  EXPECT_DEATH(draw(0, 1, 1), "variance");
  EXPECT_DEATH(draw((std::uint64_t{1} << 62) + 1, 1, 1), "variance");
}

}  // namespace
}  // namespace hanse
