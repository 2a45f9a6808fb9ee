#include "worker/sampling_coins.h"

#include <cmath>
#include <vector>

#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

// How many of 100 units take part is binomial: mean 30, variance 21 over 20,000 rounds. Six deviations of the mean
// (sqrt(21 / n)) and of the variance (21 sqrt(2 / n)): a right sampler fails with probability 4e-9. A sampler that takes a
// fixed number, or shuffles, has variance 0.
TEST(SamplingCoins, TakeABinomialNumberOfUnits) {
  DeterministicSecureRandom random(3);
  const double rounds = 20'000;
  double sum = 0;
  double squares = 0;

  for (int round = 0; round < 20'000; ++round) {
    SamplingCoins coins(0.3, random);
    int taken = 0;
    for (int unit = 0; unit < 100; ++unit) {
      taken += coins.next_takes_part() ? 1 : 0;
    }
    sum += taken;
    squares += (taken - 30.0) * (taken - 30.0);
  }

  EXPECT_NEAR(sum / rounds, 30, 6 * std::sqrt(21 / rounds));
  EXPECT_NEAR(squares / rounds, 21, 6 * 21 * std::sqrt(2 / rounds));
}

// One customer at two merchants, in 100,000 rounds: both take it with probability 1/4, and so on for the other three cases.
// A shared coin would give 1/2, 0, 0, 1/2. Six deviations of sqrt(3 / 16 / n).
TEST(SamplingCoins, OfTwoMerchantsAreIndependent) {
  DeterministicSecureRandom one(1);
  DeterministicSecureRandom other(2);
  SamplingCoins first(0.5, one);
  SamplingCoins second(0.5, other);
  std::vector<double> cases(4);

  for (int round = 0; round < 100'000; ++round) {
    const bool a = first.next_takes_part();
    const bool b = second.next_takes_part();
    cases[(a ? 2U : 0U) + (b ? 1U : 0U)] += 1e-5;
  }

  for (const double share : cases) {
    EXPECT_NEAR(share, 0.25, 6 * std::sqrt(3.0 / 16 / 100'000));
  }
}

// Merchants of one worker share its generator, one after the other, and a merchant's rounds follow each other on it.
TEST(SamplingCoins, OfOneGeneratorAreIndependentFromRoundToRound) {
  DeterministicSecureRandom random(5);
  double both = 0;

  for (int round = 0; round < 100'000; ++round) {
    SamplingCoins before(0.5, random);
    SamplingCoins after(0.5, random);
    both += before.next_takes_part() && after.next_takes_part() ? 1e-5 : 0;
  }

  EXPECT_NEAR(both, 0.25, 6 * std::sqrt(3.0 / 16 / 100'000));
}

TEST(SamplingCoins, OfRateOneTakeEverybody) {
  DeterministicSecureRandom random(6);
  SamplingCoins coins(1, random);

  for (int unit = 0; unit < 1000; ++unit) {
    ASSERT_TRUE(coins.next_takes_part());
  }
}

}  // namespace
}  // namespace hanse
