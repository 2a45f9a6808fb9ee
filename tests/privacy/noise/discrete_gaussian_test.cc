#include "privacy/noise/discrete_gaussian.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <vector>

#include "privacy/noise/gaussian_table.h"
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

/// How often `samples` are at least `from`.
double share_from(const std::vector<std::int64_t>& samples, double from) {
  const auto count =
      std::ranges::count_if(samples, [from](std::int64_t x) { return static_cast<double>(x) >= from; });
  return static_cast<double>(count) / static_cast<double>(samples.size());
}

// The hockey stick between the noise and the noise of a neighbour, who moves the sum by D = 1 step, is
//   delta(epsilon) = Pr[X >= epsilon V / D - D / 2] - e^epsilon Pr[X >= epsilon V / D + D / 2]
// (Canonne, Kamath, Steinke 2020). The exact values are sums of weights; 10^6 draws estimate each probability to 6
// deviations of at most 0.0005: wrong with probability 4e-9.
TEST(DiscreteGaussian, HidesAStepByTheExactHockeyStick) {
  for (const std::uint64_t variance : {1U, 2U, 4U}) {
    const std::vector<std::int64_t> samples = draw(variance, 1'000'000, 40 + variance);
    for (const double epsilon : {0.25, 0.5, 1.0, 2.0}) {
      const double low = epsilon * static_cast<double>(variance) - 0.5;
      const double high = low + 1;
      double exact = 0;
      for (std::int64_t x = -60; x <= 60; ++x) {
        const double p = weight(x, variance) / normaliser(variance);
        exact += (static_cast<double>(x) >= low ? p : 0) -
                 (static_cast<double>(x) >= high ? std::exp(epsilon) * p : 0);
      }

      const double found = share_from(samples, low) - std::exp(epsilon) * share_from(samples, high);

      EXPECT_NEAR(found, exact, 0.003 * (1 + std::exp(epsilon))) << variance << ", epsilon " << epsilon;
    }
  }
}

// With strips up to one or a few deviations the tail is drawn often, block by block, and every decision there is the exact
// one. The chi-square is that of the whole law; its 1 - 1e-9 quantile again.
TEST(DiscreteGaussian, KeepsItsLawWhenTheTailIsDrawnOften) {
  for (const auto& [variance, last, quantile] : {Cells{4, 6, 69.5}, Cells{100, 30, 152.0}}) {
    const GaussianTable table = make_gaussian_table(variance, 1);
    DeterministicSecureRandom random(70 + variance);
    std::vector<std::int64_t> samples(4'000);
    std::vector<double> observed(static_cast<std::size_t>(2 * last + 1));

    sample_discrete_gaussian(table, random, samples);

    for (const std::int64_t x : samples) {
      if (std::abs(x) <= last) {
        ++observed[static_cast<std::size_t>(x + last)];
      }
    }
    double chi_square = 0;
    for (std::int64_t x = -last; x <= last; ++x) {
      const double expected =
          static_cast<double>(samples.size()) * weight(x, variance) / normaliser(variance);
      chi_square += std::pow(observed[static_cast<std::size_t>(x + last)] - expected, 2) / expected;
    }
    EXPECT_LT(chi_square, quantile) << variance;
  }
}

// The same where strips have many integers: 64 cells of equal width over four deviations, compared with the continuous law
// (the difference is below 1e-9). 70 degrees of freedom at most: the quantile is below 170.
TEST(DiscreteGaussian, FollowsTheBellWhereStripsAreWide) {
  const std::uint64_t variance = std::uint64_t{1} << 40;
  const GaussianTable table = make_gaussian_table(variance, 3);
  DeterministicSecureRandom random(81);
  std::vector<std::int64_t> samples(1'000'000);
  const double width = 0x1p17;  // An eighth of a deviation.
  std::vector<double> observed(64);

  sample_discrete_gaussian(table, random, samples);

  for (const std::int64_t x : samples) {
    const double cell = std::floor((static_cast<double>(x) + 0.5) / width) + 32;
    if (cell >= 0 && cell < 64) {
      ++observed[static_cast<std::size_t>(cell)];
    }
  }
  double chi_square = 0;
  for (int cell = -32; cell < 32; ++cell) {
    const double p =
        0.5 * (std::erf((cell + 1) * 0.125 / std::sqrt(2.0)) - std::erf(cell * 0.125 / std::sqrt(2.0)));
    const double expected = p * static_cast<double>(samples.size());
    chi_square += std::pow(observed[static_cast<std::size_t>(cell + 32)] - expected, 2) / expected;
  }
  EXPECT_LT(chi_square, 170);
}

// All that the table promises, against exponentials in long double (64 bits of mantissa: a hair of slack).
TEST(GaussianTable, BoundsTheLawFromBothSides) {
  for (const std::uint64_t variance :
       {std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{4000}, std::uint64_t{4096},
        std::uint64_t{5'000'000}, std::uint64_t{1} << 35, std::uint64_t{1} << 62}) {
    const GaussianTable table = make_gaussian_table(variance);
    const long double scale = static_cast<long double>(table.scale);
    const long double slack = scale * 0x1p-60L;
    for (std::uint32_t s = 0; s <= table.strips; ++s) {
      const long double y = std::ldexp(static_cast<long double>(s), static_cast<int>(table.strip_bits));
      const long double w = scale * std::exp(-y * y / (2 * static_cast<long double>(variance)));
      ASSERT_LE(static_cast<long double>(table.lower[s]), w + slack) << variance << ", strip " << s;
      ASSERT_GE(static_cast<long double>(table.upper[s]), w - slack) << variance << ", strip " << s;
      ASSERT_LE(static_cast<long double>(table.upper[s] - table.lower[s]), 2 + slack);
      if (s > 0 && table.strip_bits > 0) {
        ASSERT_LE(table.inner[s - 1], table.lower[s]);
      }
    }
    EXPECT_GE(table.scale, std::uint64_t{1} << 56) << "the heights of strips keep 56 bits";
  }
}

// Each cell's weight, summed over the columns that it has a part of, is the one that the strips say.
TEST(GaussianTable, ColumnsWeighEachCellExactly) {
  for (const std::uint64_t variance : {std::uint64_t{1}, std::uint64_t{77}, std::uint64_t{1} << 35}) {
    const GaussianTable table = make_gaussian_table(variance);
    std::vector<std::uint64_t> weights(table.columns.size());
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const std::uint64_t threshold = table.columns[i] >> GaussianTable::kColumnBits;
      weights[i] += threshold;
      weights[table.columns[i] % table.columns.size()] +=
          (std::uint64_t{1} << GaussianTable::kThresholdBits) - threshold;
    }

    for (std::uint32_t s = 0; s < table.strips; ++s) {
      EXPECT_EQ(weights[2 * s], table.inner[s]);
      EXPECT_EQ(weights[2 * s + 1], table.upper[s] - table.inner[s]);
    }
    EXPECT_EQ(weights[table.tail_cell()], table.tail);
  }
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
