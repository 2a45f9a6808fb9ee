#include "privacy/accounting/pld.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "privacy/accounting/gaussian_curve.h"
#include "privacy/accounting/rdp.h"

namespace hanse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

DpEvent gaussian(double z, double q, std::uint64_t count = 1) {
  return {.noise = NoiseLaw::gaussian, .noise_multiplier = z, .sampling_rate = q, .count = count};
}

EpsilonBracket bracket(const std::vector<DpEvent>& events, double delta, PldPrecision precision = {}) {
  PldAccountant accountant(precision);
  for (const DpEvent& event : events) {
    accountant.compose(event);
  }
  return accountant.epsilon(delta);
}

// The first test is the tutorial: 2250 sampled rounds, and what they cost.
TEST(Pld, AddsUpSampledRounds) {
  PldAccountant accountant;

  accountant.compose(gaussian(1.5, 0.04, 2000));
  accountant.compose(gaussian(1.5, 0.04, 250));
  const EpsilonBracket epsilon = accountant.epsilon(1e-5);

  EXPECT_LE(epsilon.lower, epsilon.upper);
  EXPECT_LE(epsilon.upper - epsilon.lower, 1e-3);
  EXPECT_GE(epsilon.upper, 6.76743015159);  // What two other accountants bracket it by.
  EXPECT_LE(epsilon.lower, 6.77013100029);
}

// Published or computed by other implementations: epsilon lies between these.
struct Known {
  std::string id;
  DpEvent event;
  double delta = 0;
  double lowest = 0;
  double highest = 0;
};

void PrintTo(const Known& known, std::ostream* out) {
  *out << known.id;
}

class KnownAnswers : public testing::TestWithParam<Known> {};

TEST_P(KnownAnswers, LieInTheBracket) {
  const Known& known = GetParam();

  const EpsilonBracket epsilon = bracket({known.event}, known.delta);

  EXPECT_LE(epsilon.lower, known.highest);
  EXPECT_GE(epsilon.upper, known.lowest);
  EXPECT_LE(epsilon.upper, known.highest + 5e-4);
  EXPECT_LE(epsilon.upper - epsilon.lower, 1e-3);
}

DpEvent replacing(double z, double q, std::uint64_t count) {
  DpEvent event = gaussian(z, q, count);
  event.adjacency = Adjacency::replace_one;
  return event;
}

DpEvent with_coins(double z, double q, std::uint64_t count, std::uint32_t coins) {
  DpEvent event = gaussian(z, q, count);
  event.coins = coins;
  return event;
}

DpEvent on_a_line(double z, double q, std::uint64_t count, double steps) {
  return {.noise = NoiseLaw::discrete_gaussian_1d,
          .noise_multiplier = z,
          .sampling_rate = q,
          .count = count,
          .sensitivity_steps = steps};
}

INSTANTIATE_TEST_SUITE_P(
    Pld, KnownAnswers,
    testing::Values(Known{"SmallRate", gaussian(1, 0.01, 1000), 1e-5, 1.82710472652, 1.82936873271},
                    Known{"LargeRate", gaussian(2, 0.5, 100), 1e-5, 14.282830652, 14.2861334947},
                    Known{"NearlyEveryone", gaussian(1.5, 0.9, 20), 1e-5, 14.9323949585, 14.9356904947},
                    Known{"TinyRateManyRounds", gaussian(1, 1e-4, 100'000), 1e-9, 0.217007969717,
                          0.21902360882},
                    Known{"OneRound", gaussian(1, 0.03), 1e-5, 0.658840270674, 0.661128739138},
                    Known{"OneRoundTinyRate", gaussian(5, 1e-5), 1e-10, 0, 1e-4},
                    Known{"LittleNoise", gaussian(0.4, 0.01, 100), 1e-5, 12.2226129359, 12.2267624962},
                    Known{"LargeDelta", gaussian(0.5, 0.2, 3), 0.15594, 0.997305188684, 1.0001},
                    Known{"TwentyThousandRounds", gaussian(1.5, 0.05, 20'000), 1e-6, 38.2844, 38.29555},
                    Known{"Documented3_77", gaussian(3, 0.1, 512), 1e-6, 3.765, 3.775},
                    Known{"Replaced", replacing(4, 0.1, 1000), 1e-6, 8.2815, 8.28250619203},
                    Known{"ReplacedEveryone", replacing(1, 1, 1), 1e-5, 9.99725614643, 9.99725614644},
                    Known{"TwoCoins", with_coins(1.0335, 0.02, 500, 2), 1e-6, 2.1655, 2.16686993124},
                    Known{"TwoCoinsAtHalf", with_coins(7.833, 0.5, 100, 2), 1e-6, 2.974, 2.97510141204},
                    Known{"Integers", on_a_line(1, 1, 1, 1), 1e-6, 4.49959097, 4.49959100},
                    Known{"IntegersTwoSteps", on_a_line(5, 1, 1, 2), 1e-6, 0.8343332, 0.8343333},
                    Known{"IntegersSampled", on_a_line(2, 0.1, 100, 1), 1e-6, 2.674, 2.67503571755}),
    [](const auto& each) { return each.param.id; });

// The exact curve is known for every composition of Gaussians, so it tests the grid, far beyond double precision's
// absolute 1e-16.
TEST(Pld, NeverFallsBelowTheExactCurveDownToTinyDeltas) {
  struct Composition {
    double z;
    std::uint64_t count;
  };
  for (const auto& [z, count] : {Composition{20, 1000}, {100, 10'000}, {1, 1}, {0.5, 3}, {0.3, 20}, {4, 7}}) {
    for (const double delta : {1e-3, 1e-6, 1e-10, 1e-14, 1e-20}) {
      const double exact = gaussian_epsilon(std::sqrt(static_cast<double>(count)) / z, delta);

      const EpsilonBracket epsilon = bracket({gaussian(z, 1, count)}, delta, {.closed_form = false});

      EXPECT_LE(epsilon.lower, exact) << z << " " << count << " " << delta;
      EXPECT_GE(epsilon.upper, exact) << z << " " << count << " " << delta;
      EXPECT_LE(epsilon.upper - epsilon.lower, std::max(1e-3, 1e-5 * exact))
          << z << " " << count << " " << delta;
    }
  }
}

TEST(Pld, NamesItsErrorsAndTheyFillTheBracket) {
  const EpsilonBracket epsilon = bracket({gaussian(1, 0.01, 1000)}, 1e-5);
  const EpsilonErrors& errors = epsilon.errors;

  const double named = errors.discretisation + errors.aliasing + errors.round_off + errors.truncation;

  EXPECT_NEAR(named, epsilon.upper - epsilon.lower, 1e-12);
  EXPECT_GT(errors.round_off, 0);
  EXPECT_LT(errors.aliasing + errors.round_off + errors.truncation, 1e-5);
  EXPECT_GT(epsilon.grid_step, 0);
}

TEST(Pld, AFinerWishGivesANarrowerBracketInside) {
  const EpsilonBracket wide = bracket({gaussian(2, 0.1, 200)}, 1e-6, {.absolute = 1e-2, .relative = 1e-3});

  const EpsilonBracket narrow = bracket({gaussian(2, 0.1, 200)}, 1e-6, {.absolute = 2e-5});

  EXPECT_LT(narrow.upper - narrow.lower, 2e-5);
  EXPECT_LE(narrow.upper, wide.upper);
  EXPECT_GE(narrow.lower, wide.lower);
}

TEST(Pld, ManyAtOnceAreAsManyOneByOne) {
  for (const DpEvent& event : {gaussian(1.5, 1), gaussian(1.5, 0.04), replacing(3, 0.1, 1),
                               with_coins(1.5, 0.1, 1, 3), on_a_line(3, 0.2, 1, 2)}) {
    PldAccountant one_by_one;
    for (int i = 0; i < 20; ++i) {
      one_by_one.compose(event);
    }
    DpEvent twenty = event;
    twenty.count = 20;

    const EpsilonBracket at_once = bracket({twenty}, 1e-6);

    EXPECT_EQ(at_once.upper, one_by_one.epsilon(1e-6).upper);
    EXPECT_EQ(at_once.lower, one_by_one.epsilon(1e-6).lower);
  }
}

TEST(Pld, TheOrderOfEventsDoesNotMatter) {
  std::vector<DpEvent> events = {gaussian(1, 0.1, 3), gaussian(2, 1), gaussian(5, 0.5, 7), gaussian(1, 0.1)};
  const EpsilonBracket expected = bracket(events, 1e-6);

  std::reverse(events.begin(), events.end());

  EXPECT_EQ(bracket(events, 1e-6).upper, expected.upper);
  EXPECT_EQ(bracket(events, 1e-6).lower, expected.lower);
}

TEST(Pld, AHundredDifferentRoundsAreAProduct) {
  std::vector<DpEvent> rounds;
  for (int r = 0; r < 100; ++r) {
    rounds.push_back(gaussian(2 + 0.05 * r, 0.1 + 0.002 * r));
  }

  const EpsilonBracket epsilon = bracket(rounds, 1e-6);

  EXPECT_LE(epsilon.lower, 2.1609051088);
  EXPECT_NEAR(epsilon.upper, 2.1609051088, 5e-4);
}

TEST(Pld, SampledAndUnsampledNoiseGoTogether) {
  // A sampling rate of almost one is as unsampled.
  const double exact = gaussian_epsilon(std::sqrt(10 / 9.0), 1e-6);

  const EpsilonBracket epsilon = bracket({gaussian(3, 1, 5), gaussian(3, 1 - 1e-9, 5)}, 1e-6);

  EXPECT_NEAR(epsilon.upper, exact, 5e-4);
  EXPECT_NEAR(epsilon.lower, exact, 5e-4);
}

TEST(Pld, IsMonotone) {
  double previous = kInfinity;
  for (const double z : {0.6, 0.9, 1.3, 2.0, 5.0, 50.0}) {
    const double here = bracket({gaussian(z, 0.1, 10)}, 1e-6).upper;
    EXPECT_LT(here, previous);
    previous = here;
  }
  previous = 0;
  for (const double q : {0.001, 0.01, 0.1, 0.5, 0.9, 1.0}) {
    const double here = bracket({gaussian(1, q, 10)}, 1e-6).upper;
    EXPECT_GT(here, previous);
    previous = here;
  }
  previous = 0;
  for (const std::uint64_t count : {1U, 2U, 10U, 100U, 10'000U}) {
    const double here = bracket({gaussian(2, 0.02, count)}, 1e-6).upper;
    EXPECT_GT(here, previous);
    previous = here;
  }
  previous = kInfinity;
  for (const double delta : {1e-12, 1e-9, 1e-6, 1e-3, 1e-1}) {
    const double here = bracket({gaussian(2, 0.02, 1000)}, delta).upper;
    EXPECT_LT(here, previous);
    previous = here;
  }
}

// With a public bound K a unit present at more merchants is heard in more and smaller parts, which only blurs it.
TEST(Pld, MoreCoinsAreMorePrivate) {
  double previous = kInfinity;
  for (const std::uint32_t coins : {1U, 2U, 4U, 10U}) {
    const double here = bracket({with_coins(1.0335, 0.02, 500, coins)}, 1e-6).upper;
    EXPECT_LT(here, previous);
    previous = here;
  }
  EXPECT_EQ(bracket({with_coins(2, 1, 5, 7)}, 1e-6).upper, bracket({gaussian(2, 1, 5)}, 1e-6).upper);
}

TEST(Pld, DiscreteNoiseOnAFineGridIsGaussianAndOnACoarseOneSaysSo) {
  DpEvent fine = {.noise_multiplier = 1.5, .sampling_rate = 0.04, .count = 100, .sensitivity_steps = 1 << 20};
  DpEvent coarse = fine;
  coarse.sensitivity_steps = 8;
  DpEvent unknown = fine;
  unknown.sensitivity_steps = 0;
  DpEvent hopeless = fine;
  hopeless.sensitivity_steps = 2;
  const double continuous = bracket({gaussian(1.5, 0.04, 100)}, 1e-6).upper;

  EXPECT_NEAR(bracket({fine}, 1e-6).upper, continuous, 1e-9);
  EXPECT_FALSE(bracket({fine}, 1e-6).gaussian_limit);
  EXPECT_GT(bracket({coarse}, 1e-6).upper, continuous);
  EXPECT_TRUE(bracket({unknown}, 1e-6).gaussian_limit);
  EXPECT_EQ(bracket({hopeless}, 1e-6).upper, kInfinity);
}

// Renyi divergences bound epsilon too, less tightly: at losses of hundreds, where one direction's weights are below what
// a double holds, as at small ones.
TEST(Pld, IsBelowRenyiForMixedLedgers) {
  const std::vector<std::vector<DpEvent>> ledgers = {
      {gaussian(2, 0.05, 100), gaussian(20, 1, 20), gaussian(8, 0.5, 3)},
      {gaussian(1.134, 0.004, 87), gaussian(1.6, 1, 400)},
      {gaussian(0.45, 0.3, 50), replacing(2.8, 1, 200), with_coins(4, 0.2, 25, 4)},
      {gaussian(0.98, 1.6e-4, 428), replacing(0.84, 0.0038, 1)},
      {gaussian(1.3, 2e-4, 8), gaussian(3, 0.1, 2)},
      {with_coins(0.5, 0.01, 100, 30)}};
  for (const std::vector<DpEvent>& ledger : ledgers) {
    for (const double delta : {1e-4, 1e-9}) {
      const EpsilonBracket pld = bracket(ledger, delta);

      EXPECT_LE(pld.lower, pld.upper);
      EXPECT_LE(pld.upper, epsilon(ledger, delta).epsilon) << ledger[0].noise_multiplier << " " << delta;
      EXPECT_LE(pld.upper - pld.lower, std::max(2e-3, 1e-4 * pld.upper))
          << ledger[0].noise_multiplier << " " << delta;
    }
  }
}

// More releases than a grid can hold the losses of: a wide bracket, but a bracket.
TEST(Pld, HoldsEpsilonWhereTheGridIsFarTooCoarse) {
  const DpEvent many = gaussian(3, 0.001, 1'000'000'000'000);

  const EpsilonBracket wide = bracket({many}, 1e-6);

  EXPECT_LE(wide.lower, epsilon(std::vector{many}, 1e-6).epsilon);
  EXPECT_GE(wide.upper, 55'000);
}

TEST(Pld, NothingCostsNothingAndNoNoiseCostsEverything) {
  PldAccountant accountant;
  accountant.compose(gaussian(1, 0.5, 0));
  accountant.compose(gaussian(0, 0));

  EXPECT_EQ(accountant.epsilon(1e-6).upper, 0);

  accountant.compose(gaussian(0, 0.001));

  EXPECT_TRUE(accountant.without_noise());
  EXPECT_EQ(accountant.epsilon(1e-6).upper, kInfinity);
}

TEST(Pld, IsAlwaysFiniteWithNoise) {
  for (const DpEvent& event :
       {gaussian(0.2, 1e-3, 10), gaussian(0.05, 0.5, 3), gaussian(1e4, 0.5, 1000), gaussian(0.01, 1, 10)}) {
    const EpsilonBracket epsilon = bracket({event}, 1e-6);

    EXPECT_TRUE(std::isfinite(epsilon.upper)) << event.noise_multiplier << " " << event.sampling_rate;
    EXPECT_GE(epsilon.lower, 0);
    EXPECT_LE(epsilon.lower, epsilon.upper);
  }
}

TEST(GaussianCurve, IsTheClosedForm) {
  EXPECT_NEAR(gaussian_epsilon(1, 1e-5), 4.37717809568, 1e-10);
  EXPECT_NEAR(gaussian_epsilon(1 / 0.785674201318, 1e-10), 8.54891702839, 1e-10);
  EXPECT_NEAR(gaussian_epsilon(1 / 4.530877117, 1e-6), 0.927392337997, 1e-11);
  EXPECT_NEAR(gaussian_epsilon(std::sqrt(1000.0) / 20, 1e-20), 15.566613, 1e-6);
  EXPECT_EQ(gaussian_epsilon(1, 0.5), 0);
  for (const double mu : {1e-8, 1e-3, 0.1, 1.0, 10.0, 100.0}) {
    for (const double delta : {1e-2, 1e-6, 1e-15}) {
      const double epsilon = gaussian_epsilon(mu, delta);
      if (epsilon > 0) {
        EXPECT_NEAR(gaussian_delta(mu, epsilon) / delta, 1, 1e-8) << mu << " " << delta;
      }
    }
  }
}

TEST(PldDeathTest, RefusesWhatMeansNothing) {
  EXPECT_DEATH(PldAccountant().epsilon(0), "delta");
  EXPECT_DEATH(PldAccountant().compose(gaussian(-1, 1)), "valid");
}

}  // namespace
}  // namespace hanse
