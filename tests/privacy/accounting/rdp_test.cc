#include "privacy/accounting/rdp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <ostream>
#include <sstream>
#include <string>

namespace hanse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

DpEvent gaussian(double z, double q, std::uint64_t count = 1) {
  return {NoiseLaw::gaussian, z, q, count};
}
DpEvent discrete(double z, double q, std::uint64_t count = 1) {
  return {NoiseLaw::discrete_gaussian, z, q, count};
}

struct Oracle {
  std::string id;
  DpEvent event;
  double delta = 0;
  double epsilon = 0;
};

void PrintTo(const Oracle& oracle, std::ostream* out) {
  *out << oracle.id;
}

std::vector<Oracle> read_oracles() {
  std::ifstream file(HANSE_SOURCE_DIR "/tests/privacy/accounting/oracles.csv");
  std::vector<Oracle> oracles;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#' || line.starts_with("id,")) {
      continue;
    }
    std::istringstream fields(line);
    Oracle oracle;
    char comma = 0;
    oracle.event.noise = NoiseLaw::gaussian;
    std::getline(fields, oracle.id, ',');
    fields >> oracle.event.noise_multiplier >> comma >> oracle.event.sampling_rate >> comma >>
        oracle.event.count >> comma >> oracle.delta >> comma >> oracle.epsilon;
    oracles.push_back(oracle);
  }
  return oracles;
}

class Oracles : public testing::TestWithParam<Oracle> {};

TEST_P(Oracles, AreMatchedToAMillionth) {
  const Oracle& oracle = GetParam();

  const EpsilonAtOrder result = epsilon(std::vector{oracle.event}, oracle.delta);

  EXPECT_NEAR(result.epsilon / oracle.epsilon, 1, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Rdp, Oracles, testing::ValuesIn(read_oracles()),
                         [](const auto& each) { return each.param.id; });

TEST(Rdp, OracleFileIsRead) {
  EXPECT_EQ(read_oracles().size(), 47U);
}

TEST(Rdp, WithoutSamplingIsOrderOverTwiceTheSquare) {
  EXPECT_DOUBLE_EQ(rdp(gaussian(2, 1), 4), 0.5);
  EXPECT_DOUBLE_EQ(rdp(discrete(2, 1), 2.5), 0.3125);
}

// (1 - q)^2 + 2 q (1 - q) + q^2 e^(1 / z^2) = 1 + (e - 1) / 4 at q = 1/2, z = 1.
TEST(Rdp, OrderTwoIsTheSumByHand) {
  EXPECT_NEAR(rdp(gaussian(1, 0.5), 2), std::log1p((std::exp(1) - 1) / 4), 1e-15);
  EXPECT_NEAR(rdp(discrete(1, 0.5), 2), std::log1p((std::exp(1) - 1) / 4), 1e-15);
}

// Tiny sampling rates keep their digits: A - 1 = q^2 (e^(1 / z^2) - 1) = 1e-20 (e - 1), below the rounding
// of 1.
TEST(Rdp, TinySamplingRatesKeepTheirDigits) {
  EXPECT_NEAR(rdp(gaussian(1, 1e-10), 2) / (1e-20 * std::expm1(1)), 1, 1e-12);
}

TEST(Rdp, QuadratureMeetsTheBinomialSumAtIntegers) {
  for (const double z : {0.11, 0.3, 0.5, 1.0, 3.0, 50.0, 1e4}) {
    for (const double q : {1e-9, 1e-4, 0.01, 0.5, 0.99, 1 - 1e-12}) {
      for (const double order : {2.0, 3.0, 10.0}) {
        const double exact = rdp(gaussian(z, q), order);
        const double near = rdp(gaussian(z, q), std::nextafter(order, 11.0));

        EXPECT_NEAR(near / exact, 1, 1e-9) << "z " << z << " q " << q << " order " << order;
      }
    }
  }
}

TEST(Rdp, GrowsWithTheOrderWithoutAGap) {
  for (const double z : {0.02, 0.11, 1.0, 1000.0}) {
    for (const double q : {1e-9, 0.01, 0.9}) {
      double previous = 0;
      for (const double order : default_orders()) {
        const double here = rdp(gaussian(z, q), order);

        EXPECT_TRUE(std::isfinite(here));
        EXPECT_GE(here, previous * (1 - 1e-9)) << "z " << z << " q " << q << " order " << order;
        previous = here;
      }
    }
  }
}

TEST(Rdp, DiscreteNoiseIsTheSameAtIntegersAndAboveBetweenThem) {
  for (const double order : default_orders()) {
    const double continuous = rdp(gaussian(1.5, 0.04), order);
    const double bound = rdp(discrete(1.5, 0.04), order);

    if (order == std::floor(order)) {
      EXPECT_EQ(bound, continuous);
    } else {
      EXPECT_GT(bound, continuous);
    }
  }
}

// (order - 1) rdp is halfway between 0 at order 1 and rdp(2) at order 2.
TEST(Rdp, DiscreteNoiseBelowOrderTwoStartsAtZero) {
  EXPECT_NEAR(0.5 * rdp(discrete(2, 0.1), 1.5), 0.5 * rdp(discrete(2, 0.1), 2), 1e-15);
}

// A published bound for this sampled discrete mechanism is 11.73; the Gaussian on the same integer
// orders 6.391293.
TEST(Rdp, SampledDiscreteNoiseIsAsTightAsTheGaussianAtIntegerOrders) {
  const EpsilonAtOrder result = epsilon(std::vector{discrete(4, 0.5, 100)}, 1e-5);

  EXPECT_NEAR(result.epsilon, 6.391293, 1e-6);
  EXPECT_EQ(result.order, 4);
}

// One coin is the sampled Gaussian; several blur it; each direction is integrated.
TEST(Rdp, CoinsAreMorePrivateTheMoreThereAre) {
  DpEvent event = gaussian(1.0335, 0.02);
  for (const double order : {1.5, 2.0, 5.5, 20.0, 63.0}) {
    double previous = rdp(event, order);
    for (const std::uint32_t coins : {2U, 4U, 10U}) {
      DpEvent several = event;
      several.coins = coins;

      const double here = rdp(several, order);

      EXPECT_LT(here, previous) << order << " " << coins;
      EXPECT_GT(here, 0);
      previous = here;
    }
  }
}

// Two coins of 1/2 at integer order 2: E over two draws of exp(i j / (4 z^2)), i and j Binomial(2, 1/2).
TEST(Rdp, TwoCoinsAtOrderTwoAreTheSumByHand) {
  DpEvent event = gaussian(1, 0.5);
  event.coins = 2;
  double sum = 0;
  const double weights[] = {0.25, 0.5, 0.25};
  for (int i = 0; i <= 2; ++i) {
    for (int j = 0; j <= 2; ++j) {
      sum += weights[i] * weights[j] * std::exp(i * j / 4.0);
    }
  }

  EXPECT_NEAR(rdp(event, 2), std::log(sum), 1e-12);
}

TEST(Rdp, ReplacingMovesTheSumTwiceAsFar) {
  DpEvent event = gaussian(2, 1);
  event.adjacency = Adjacency::replace_one;
  DpEvent sampled = gaussian(2, 0.1);
  sampled.adjacency = Adjacency::replace_one;

  EXPECT_DOUBLE_EQ(rdp(event, 4), 4 * rdp(gaussian(2, 1), 4));
  EXPECT_GT(rdp(sampled, 4), rdp(gaussian(2, 0.1), 4));
  EXPECT_LT(rdp(sampled, 4), rdp(event, 4));
}

TEST(Rdp, RealOrdersAreNeverWorseThanTheReferenceOnes) {
  for (const DpEvent& event :
       {gaussian(1.5, 0.04, 2250), gaussian(5, 1e-5), gaussian(50, 1), discrete(4, 0.5, 100)}) {
    const std::vector<DpEvent> events = {event};

    EXPECT_LE(epsilon_over_real_orders(events, 1e-6).epsilon, epsilon(events, 1e-6).epsilon);
  }
}

TEST(Rdp, NobodySampledCostsNothing) {
  EXPECT_EQ(rdp(gaussian(0, 0), 2), 0);
}

TEST(Rdp, NoNoiseIsInfinite) {
  EXPECT_EQ(rdp(gaussian(0, 1), 2), kInfinity);
  EXPECT_EQ(rdp(discrete(0, 0.1), 2.5), kInfinity);
  EXPECT_EQ(rdp(gaussian(1e-200, 0.1), 2.5), kInfinity);
}

TEST(Rdp, DefaultOrdersAreTheReferenceOnes) {
  const auto orders = default_orders();

  ASSERT_EQ(orders.size(), 99U + 53 + 4);
  EXPECT_EQ(orders.front(), 1.1);
  EXPECT_EQ(orders[98], 10.9);
  EXPECT_EQ(orders[99], 11);
  EXPECT_EQ(orders.back(), 1024);
}

TEST(RdpDeathTest, RefusesWhatMeansNothing) {
  EXPECT_DEATH(rdp(gaussian(1, 1), 1), "order");
  EXPECT_DEATH(rdp(gaussian(-1, 1), 2), "multiplier");
  EXPECT_DEATH(rdp(gaussian(1, 1.5), 2), "rate");
  EXPECT_DEATH(rdp(gaussian(std::nan(""), 1), 2), "multiplier");
}

}  // namespace
}  // namespace hanse
