// Noise that is drawn for drop-outs and taken out again: how much may go, whose key opens what, and what is left.

#include "privacy/surplus_noise.h"

#include <cmath>

#include "common/base/seeded_generator.h"
#include "privacy/noise/discrete_gaussian.h"
#include "privacy/pipeline.h"
#include "privacy/secure_sum/masks.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

__extension__ using Wide = unsigned __int128;

RungKey key_of(std::uint32_t rung, std::uint64_t seed = 1) {
  DeterministicSecureRandom random(seed);
  return RungKey::fresh(rung, random);
}

std::string hex_of(const Secret<32>& secret) {
  std::string text;
  for (const std::byte byte : secret.expose()) {
    const char digits[] = "0123456789abcdef";
    text += digits[static_cast<unsigned>(byte) >> 4];
    text += digits[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

// --- how much may go ---

TEST(NoiseLadder, LeavesEachShareWhatTheMerchantsThatAreThereMustCarryTogether) {
  const NoiseLadder ladder{.share_variance = 12'000, .shares_min = 3, .collusion = 0};

  EXPECT_EQ(ladder.left(3), 12'000u) << "V = 36000, over 3";
  EXPECT_EQ(ladder.left(4), 9'000u);
  EXPECT_EQ(ladder.left(5), 7'200u);
  EXPECT_EQ(ladder.left(6), 6'000u);
  EXPECT_EQ(ladder.left(7), 5'143u) << "36000 / 7, rounded up";
}

TEST(NoiseLadder, LeavesThoseWhoDoNotColludeTheWholeVariance) {
  const NoiseLadder ladder{.share_variance = 12'000, .shares_min = 4, .collusion = 2};

  EXPECT_EQ(ladder.left(4), 12'000u) << "V = 24000, over the two that do not collude";
  EXPECT_EQ(ladder.left(5), 8'000u);
  EXPECT_EQ(ladder.left(6), 6'000u);
}

TEST(NoiseLadder, NeverLeavesLessThanTheVarianceThatIsChargedNorAPartThatIsTooFine) {
  SeededGenerator random{{1, 0x5u}};

  for (int i = 0; i < 2000; ++i) {
    const auto shares_min = static_cast<std::uint32_t>(1 + random.below(90));
    const NoiseLadder ladder{.share_variance = kRungVarianceMin + (random() >> (2 + random.below(56))),
                             .shares_min = shares_min,
                             .collusion = static_cast<std::uint32_t>(random.below(shares_min))};
    const Wide charged = Wide{ladder.share_variance} * (shares_min - ladder.collusion);
    ASSERT_EQ(ladder.left(shares_min), ladder.share_variance);
    for (std::uint32_t merchants = shares_min + 1; merchants <= 128; ++merchants) {
      const std::uint64_t left = ladder.left(merchants);
      const std::uint64_t more = ladder.left(merchants - 1);

      ASSERT_GE(Wide{left} * (merchants - ladder.collusion), charged);
      ASSERT_LE(left, more);
      ASSERT_TRUE(left == more || more - left >= kRungVarianceMin) << "a part is none, or not too fine";
      ASSERT_GE(left, kRungVarianceMin);
    }
  }
}

TEST(NoiseLadder, KeepsEverythingWhereSharesAreTooFineToCut) {
  const NoiseLadder ladder{.share_variance = kRungVarianceMin, .shares_min = 3, .collusion = 0};

  EXPECT_EQ(ladder.left(100), kRungVarianceMin);
}

TEST(RungToOpen, IsNoneWhereNothingIsTooMuch) {
  SumParameters parameters{.share_variance = 1000, .shares_min = 4};

  EXPECT_EQ(rung_to_open(parameters, 4), std::nullopt);
  EXPECT_EQ(rung_to_open(parameters, 5), 4u);
  EXPECT_EQ(rung_to_open(parameters, 6), 5u);
  parameters.share_variance = 0;
  EXPECT_EQ(rung_to_open(parameters, 6), std::nullopt) << "there is no noise";
}

// --- whose key opens what ---

TEST(RungKey, LeadsDownStepByStepAndToNothingElse) {
  const RungKey top = key_of(9);

  const RungKey stepped = top.below().below();
  const RungKey found = top.at(7);

  EXPECT_EQ(found.rung, 7u);
  EXPECT_TRUE(found.key == stepped.key);
  EXPECT_FALSE(found.key == top.key);
  EXPECT_FALSE(found.key == found.below().key);
}

TEST(RungKey, IsExpandedAsItIsWritten) {
  RungKey top{.rung = 2, .key = {}};  // 32 zeros.

  EXPECT_EQ(hex_of(top.below().key), "e47e90d31de3aaffaa94369b18c8f6898eb8c330146f6b670f269ac7415ea1da")
      << "HMAC-SHA256(0^32; \"hanse/1 lower rung\" || 01)";
}

// --- what is left ---

constexpr std::size_t kLength = 200'000;

double mean_square(const std::vector<std::int64_t>& entries) {
  double sum = 0;
  for (const std::int64_t entry : entries) {
    sum += static_cast<double>(entry) * static_cast<double>(entry);
  }
  return sum / static_cast<double>(entries.size());
}

/// For n samples of a law so close to the normal one, n mean_square / variance is chi-square with n degrees of freedom:
/// within 7 of its standard deviations but for a probability below 2^-38.
void expect_variance(const std::vector<std::int64_t>& entries, double variance) {
  const double deviation = variance * std::sqrt(2.0 / static_cast<double>(entries.size()));
  EXPECT_NEAR(mean_square(entries), variance, 7 * deviation);
}

/// The fourth moment of a normal law is 3 variance^2; its estimate has variance 96 variance^4 / n.
void expect_normal_tails(const std::vector<std::int64_t>& entries, double variance) {
  double sum = 0;
  for (const std::int64_t entry : entries) {
    const double square = static_cast<double>(entry) * static_cast<double>(entry) / variance;
    sum += square * square;
  }
  const double n = static_cast<double>(entries.size());
  EXPECT_NEAR(sum / n, 3, 7 * std::sqrt(96 / n));
}

TEST(AddRungs, GivesTheRungsOfAKeyAndThoseBelowIt) {
  const NoiseLadder ladder{.share_variance = 1'000'000, .shares_min = 4, .collusion = 1};
  const RungKey top = key_of(9);
  std::vector<std::int64_t> upper(100);
  std::vector<std::int64_t> lower(100);
  std::vector<std::int64_t> all(100);

  add_rungs(top, ladder, all);
  add_rungs(top.at(6), ladder, lower);
  NoiseLadder without_lower = ladder;  // Rungs 7 to 9 alone: the law from seven merchants on is the same.
  without_lower.shares_min = 7;
  without_lower.share_variance = ladder.left(7);
  without_lower.collusion = 1;
  add_rungs(top, without_lower, upper);

  bool differs = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    differs = differs || upper[i] != 0;
    ASSERT_EQ(all[i], upper[i] + lower[i]);
  }
  EXPECT_TRUE(differs);
}

TEST(AddRungs, HasTheVarianceThatIsSurplus) {
  const NoiseLadder ladder{.share_variance = 40'000, .shares_min = 3, .collusion = 0};
  std::vector<std::int64_t> surplus(kLength);

  add_rungs(key_of(7), ladder, surplus);

  const double expected = static_cast<double>(ladder.share_variance - ladder.left(8));
  expect_variance(surplus, expected);
  expect_normal_tails(surplus, expected);
}

TEST(AddRungs, OfDifferentMerchantsAreIndependent) {
  const NoiseLadder ladder{.share_variance = 40'000, .shares_min = 3, .collusion = 0};
  std::vector<std::int64_t> both(kLength);

  add_rungs(key_of(5, 1), ladder, both);
  add_rungs(key_of(5, 2), ladder, both);

  expect_variance(both, 2 * static_cast<double>(ladder.share_variance - ladder.left(6)));
}

/// A share as the coordinator sees it, were it alone in a sum without masks: `top` taken out or not.
std::vector<std::int64_t> opened_share(const SumParameters& parameters, std::uint32_t collusion,
                                       const RungKey& drawn, const RungKey* taken_out, std::uint64_t seed) {
  DeterministicSecureRandom random(seed);
  const UnitSource nothing = [](const std::function<void(const Contribution&)>&) {};
  const NoiseLadder ladder{parameters.share_variance, parameters.shares_min, collusion};
  SealedTotal total(parameters);
  total.add(
      prepare(nothing, parameters, NoiseShare::draw(parameters, collusion, drawn, random), RoundMasks()));
  if (taken_out != nullptr) {
    total.take_out(*taken_out, ladder, parameters);
  }
  return total.open(parameters, {0})->entries;
}

SumParameters parameters_of(Ring ring) {
  return {.length = kLength,
          .clip_norm = 1,
          .grid_bits = 8,
          .ring = ring,
          .units_max = 1,
          .share_variance = 40'000,
          .shares_min = 4,
          .merchants_max = 8};
}

class ShareWithRungs : public testing::TestWithParam<Ring> {};

TEST_P(ShareWithRungs, HasTheWholeVarianceUntilItsSurplusIsTakenOut) {
  const SumParameters parameters = parameters_of(GetParam());
  constexpr std::uint32_t kCollusion = 1;
  const NoiseLadder ladder{parameters.share_variance, parameters.shares_min, kCollusion};

  for (std::uint32_t participants = 5; participants <= 8; ++participants) {
    const RungKey drawn = key_of(participants - 1, participants);
    const auto whole = opened_share(parameters, kCollusion, drawn, nullptr, participants);
    expect_variance(whole, static_cast<double>(parameters.share_variance));
    expect_normal_tails(whole, static_cast<double>(parameters.share_variance));
    for (std::uint32_t included = 5; included <= participants; ++included) {
      const RungKey opened = drawn.at(included - 1);

      const auto rest = opened_share(parameters, kCollusion, drawn, &opened, participants);

      expect_variance(rest, static_cast<double>(ladder.left(included)));
      expect_normal_tails(rest, static_cast<double>(ladder.left(included)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rings, ShareWithRungs, testing::Values(Ring::bits32, Ring::bits64),
                         [](const auto& ring) {
                           return std::to_string(static_cast<int>(ring.param)) + "bits";
                         });

TEST(ShareWithRungs, TakesExactlyItsOwnPartsOut) {
  SumParameters parameters = parameters_of(Ring::bits64);
  parameters.length = 50;
  const NoiseLadder ladder{parameters.share_variance, parameters.shares_min, 0};
  const RungKey drawn = key_of(6);

  const auto rest = opened_share(parameters, 0, drawn, &drawn, 3);

  std::vector<std::int64_t> base(parameters.length);
  DeterministicSecureRandom random(3);
  sample_discrete_gaussian(ladder.left(7), random, base);
  EXPECT_EQ(rest, base) << "with all seven in the sum, of the seven that started, the base alone is left";
}

}  // namespace
}  // namespace hanse
