#include "privacy/accounting/accountant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace hanse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

DpEvent event(double z, double q, std::uint64_t count = 1) {
  return {NoiseLaw::discrete_gaussian, z, q, count};
}

TEST(RdpAccountant, NothingReleasedCostsNothing) {
  RdpAccountant accountant;

  accountant.compose(event(1, 0.5, 0));
  accountant.compose(event(0, 0));

  EXPECT_EQ(accountant.epsilon(1e-6).epsilon, 0);
  EXPECT_FALSE(accountant.without_noise());
}

TEST(RdpAccountant, ManyAtOnceAreAsManyOneByOne) {
  RdpAccountant at_once;
  RdpAccountant one_by_one;

  at_once.compose(event(1.5, 0.04, 1000));
  for (int i = 0; i < 1000; ++i) {
    one_by_one.compose(event(1.5, 0.04));
  }

  EXPECT_EQ(at_once.epsilon(1e-5).epsilon, one_by_one.epsilon(1e-5).epsilon);
  EXPECT_EQ(at_once.epsilon(1e-5).order, one_by_one.epsilon(1e-5).order);
}

TEST(RdpAccountant, AddsAnotherAccountantAsItsEvents) {
  RdpAccountant one, other, both;
  one.compose({.noise_multiplier = 2, .count = 3});
  other.compose({.noise_multiplier = 2, .count = 4});
  other.compose({.noise_multiplier = 5, .sampling_rate = 0.1, .count = 7});
  both.compose({.noise_multiplier = 2, .count = 7});
  both.compose({.noise_multiplier = 5, .sampling_rate = 0.1, .count = 7});

  one.compose(other);

  EXPECT_EQ(one.epsilon(1e-6).epsilon, both.epsilon(1e-6).epsilon);
}

TEST(RdpAccountant, CountsTheLargerOfTwoAtEveryOrder) {
  RdpAccountant few, many, either, unbounded;
  few.compose({.noise_multiplier = 3, .count = 2});
  many.compose({.noise_multiplier = 3, .count = 9});
  unbounded.compose({.noise_multiplier = 0});

  either.compose_larger(few, many);

  EXPECT_DOUBLE_EQ(either.epsilon(1e-6).epsilon, many.epsilon(1e-6).epsilon);
  either.compose_larger(many, few);  // Another run.
  many.compose({.noise_multiplier = 3, .count = 9});
  EXPECT_NEAR(either.epsilon(1e-6).epsilon, many.epsilon(1e-6).epsilon, 1e-12);
  RdpAccountant sum;
  sum.compose(either);
  EXPECT_EQ(sum.epsilon(1e-6).epsilon, either.epsilon(1e-6).epsilon);
  either.compose_larger(few, unbounded);
  EXPECT_TRUE(std::isinf(either.epsilon(1e-6).epsilon));
}

TEST(RdpAccountant, TheOrderOfEventsDoesNotMatter) {
  std::vector<DpEvent> events = {event(1, 0.1, 3), event(2, 1), event(5, 0.5, 7), event(1, 0.1)};
  const double expected = epsilon(events, 1e-6).epsilon;

  std::reverse(events.begin(), events.end());

  EXPECT_EQ(epsilon(events, 1e-6).epsilon, expected);
}

TEST(RdpAccountant, MoreNoiseIsMorePrivate) {
  double previous = kInfinity;

  for (const double z : {0.05, 0.09, 0.11, 0.5, 1.0, 1.01, 4.0, 100.0}) {
    const double here = epsilon(std::vector{event(z, 0.1, 10)}, 1e-6).epsilon;
    EXPECT_LT(here, previous);
    previous = here;
  }
}

// Not strictly: close to q = 1 the chord of discrete noise exceeds the unsampled bound, which then counts.
TEST(RdpAccountant, MoreSamplingIsNeverMorePrivate) {
  double previous = 0;

  for (const double q : {0.001, 0.01, 0.1, 0.5, 0.9, 0.999999, 1.0}) {
    const double here = epsilon(std::vector{event(1, q, 10)}, 1e-6).epsilon;
    EXPECT_GE(here, previous);
    previous = here;
  }
}

TEST(RdpAccountant, MoreRoundsAreLessPrivateAndALargerDeltaGivesASmallerEpsilon) {
  RdpAccountant accountant;
  double previous = 0;

  for (int round = 0; round < 20; ++round) {
    accountant.compose(event(2, 0.2));
    const double here = accountant.epsilon(1e-6).epsilon;
    EXPECT_GT(here, previous);
    EXPECT_LT(accountant.epsilon(1e-5).epsilon, here);
    previous = here;
  }
}

TEST(RdpAccountant, OneReleaseWithoutNoiseSpendsEverything) {
  RdpAccountant accountant;

  accountant.compose(event(10, 1));
  accountant.compose(event(0, 0.001));

  EXPECT_TRUE(accountant.without_noise());
  EXPECT_EQ(accountant.epsilon(1e-6).epsilon, kInfinity);
}

TEST(RdpAccountant, WhatIsComposedIntoACopyStaysThere) {
  RdpAccountant accountant;
  accountant.compose(event(3, 1));
  const double before = accountant.epsilon(1e-6).epsilon;

  RdpAccountant what_if = accountant;
  what_if.compose(event(3, 1));

  EXPECT_EQ(accountant.epsilon(1e-6).epsilon, before);
  EXPECT_GT(what_if.epsilon(1e-6).epsilon, before);
}

TEST(RdpAccountant, CountsNeverWrapAround) {
  RdpAccountant accountant;

  accountant.compose(event(1, 1, std::numeric_limits<std::uint64_t>::max()));
  accountant.compose(event(1, 1, 2));

  EXPECT_GT(accountant.epsilon(1e-6).epsilon, 1e18);
}

TEST(RdpAccountantDeathTest, RefusesADeltaOutOfRange) {
  EXPECT_DEATH(RdpAccountant().epsilon(0), "delta");
  EXPECT_DEATH(RdpAccountant().epsilon(1), "delta");
}

TEST(DpEvent, KnowsWhatIsValid) {
  EXPECT_TRUE(is_valid(event(0, 1)));
  EXPECT_FALSE(is_valid(event(-1, 1)));
  EXPECT_FALSE(is_valid(event(kInfinity, 1)));
  EXPECT_FALSE(is_valid(event(1, 1.1)));
  EXPECT_FALSE(is_valid(event(1, std::numeric_limits<double>::quiet_NaN())));
}

}  // namespace
}  // namespace hanse
