#include "privacy/pipeline.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "privacy/clip.h"
#include "privacy/grid.h"
#include "privacy/secure_sum/masks.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

// A stage cannot be skipped: no type is made from anything but the stage before it, and only the last has
// bytes.
template <class T>
concept HasWireForm = requires(const T& t) {
  t.wire();
};
static_assert(!std::is_constructible_v<SealedSum, LocalSum>);
static_assert(!std::is_constructible_v<SealedSum, std::vector<std::int64_t>>);
static_assert(!std::is_constructible_v<NoisedSum, std::vector<std::int64_t>>);
static_assert(!std::is_constructible_v<LocalSum, std::vector<std::int64_t>>);
static_assert(!std::is_invocable_v<decltype(&SealedSum::of), LocalSum, const SumParameters&, const Seal&>);
static_assert(HasWireForm<SealedSum>);
static_assert(!std::is_constructible_v<EncodedSum, std::vector<std::int64_t>>);
static_assert(!HasWireForm<LocalSum> && !HasWireForm<EncodedSum> && !HasWireForm<NoisedSum>);
static_assert(!std::is_invocable_v<decltype(&NoisedSum::of), LocalSum, NoiseShare>);

// Two entries, clip norm 1 and 2^10 steps to it: small enough to check by hand.
SumParameters small_parameters() {
  return {.length = 2,
          .clip_norm = 1,
          .grid_bits = 10,
          .ring = Ring::bits64,
          .units_max = 10,
          .merchants_max = 3};
}

Contribution vector_of(const std::vector<double>& values) {
  Contribution contribution;
  contribution.add_block(0, values);
  return contribution;
}

UnitSource units_of(const std::vector<Contribution>& contributions) {
  return [&contributions](const auto& take) { std::ranges::for_each(contributions, take); };
}

OpenedSum open_alone(const std::vector<Contribution>& contributions, const SumParameters& parameters) {
  SealedTotal total(parameters);
  DeterministicSecureRandom random(1);
  total.add(prepare(units_of(contributions), parameters, NoiseShare::draw(parameters, random), RoundMasks()));
  return *total.open(parameters, {0});
}

TEST(Pipeline, WalksAVectorFromTheMerchantToTheSum) {
  const std::vector<Contribution> units = {vector_of({0.5, -0.25}), vector_of({0.25, 0.25})};

  const OpenedSum sum = open_alone(units, small_parameters());

  EXPECT_EQ(sum.entries, (std::vector<std::int64_t>{768, 0}));
  EXPECT_EQ(sum.values(small_parameters()), (std::vector<double>{0.75, 0}));
}

TEST(Pipeline, TruncatesTowardZeroSoThatNoCoordinateGrows) {
  const std::vector<Contribution> units = {vector_of({0.9999 / 1024, -0.9999 / 1024})};

  EXPECT_EQ(open_alone(units, small_parameters()).entries, (std::vector<std::int64_t>{0, 0}));
}

TEST(Pipeline, ScalesALongVectorDownToTheClipNorm) {
  const std::vector<Contribution> units = {vector_of({30, 40})};

  const OpenedSum sum = open_alone(units, small_parameters());

  // (0.6, 0.8) * 1024 = (614.4, 819.2), a hair less, toward zero.
  EXPECT_EQ(sum.entries, (std::vector<std::int64_t>{614, 819}));
}

TEST(Pipeline, GivesEachOfKMerchantsAKthOfTheClipNorm) {
  SumParameters parameters = small_parameters();
  parameters.merchants_per_unit = 4;
  const std::vector<Contribution> units = {vector_of({1, 0})};

  // A quarter of 1024 steps, a hair less, toward zero.
  EXPECT_EQ(open_alone(units, parameters).entries, (std::vector<std::int64_t>{255, 0}));
}

TEST(Pipeline, FusedRowGivesTheSameIntegersAsTheWrittenVector) {
  const std::vector<std::uint32_t> columns = {0, 1};
  const std::vector<float> values = {0.75f, -1.5f};
  Contribution fused;
  fused.set_scaled_row(0.25, {columns, values}, std::hypot(0.75, 1.5));

  const auto written = open_alone({vector_of({0.25 * 0.75, 0.25 * -1.5})}, small_parameters());

  EXPECT_EQ(open_alone({fused}, small_parameters()).entries, written.entries);
}

// Sensitivity in integers: whatever a unit holds, it moves the sum by at most D2 (invariant 5).
TEST(Pipeline, IntegerNormNeverPassesTheSensitivity) {
  SumParameters parameters = small_parameters();
  parameters.length = 64;
  parameters.grid_bits = 20;
  SeededGenerator generator({5});
  for (int trial = 0; trial < 20000; ++trial) {
    const std::size_t count = 1 + generator.below(parameters.length);
    std::vector<double> values(count);
    const double scale = std::exp(40 * (generator.uniform() - 0.5));
    for (double& value : values) {
      value = scale * (generator.below(4) == 0 ? 1e-9 : generator.normal());
    }
    // Vectors that sit on the bound are the adversary's favourites.
    if (trial % 3 == 0) {
      double norm = 0;
      for (const double value : values) norm += value * value;
      for (double& value : values) value /= std::sqrt(norm);
    }
    const Contribution contribution = vector_of(values);
    std::vector<std::int64_t> entries(parameters.length);

    add_on_grid(contribution, *clip_factor(contribution, parameters.clip_norm), parameters, entries);

    double square = 0;
    for (const std::int64_t entry : entries)
      square += static_cast<double>(entry) * static_cast<double>(entry);
    ASSERT_LE(square, 0x1p40) << "trial " << trial;
  }
}

TEST(Pipeline, SumIsTheSameInAnyOrderAndAnySplit) {
  SumParameters parameters = small_parameters();
  parameters.units_max = 1000;
  std::vector<Contribution> units;
  SeededGenerator generator({6});
  for (int i = 0; i < 100; ++i) units.push_back(vector_of({generator.normal(), generator.normal()}));
  const OpenedSum whole = open_alone(units, parameters);
  std::ranges::reverse(units);

  SealedTotal split(parameters);
  DeterministicSecureRandom random(1);
  for (std::size_t begin = 0; begin < units.size(); begin += 25) {
    const std::vector<Contribution> part(units.begin() + static_cast<std::ptrdiff_t>(begin),
                                         units.begin() + static_cast<std::ptrdiff_t>(begin + 25));
    split.add(prepare(units_of(part), parameters, NoiseShare::draw(parameters, random), RoundMasks()));
  }
  parameters.merchants_max = 4;

  EXPECT_EQ(split.open(parameters, {0, 1, 2, 3})->entries, whole.entries);
}

TEST(Pipeline, AMerchantWithoutUnitsContributesZero) {
  EXPECT_EQ(open_alone({}, small_parameters()).entries, (std::vector<std::int64_t>{0, 0}));
}

TEST(Pipeline, RefusesMoreUnitsThanThePublicBound) {
  const std::vector<Contribution> units(11, vector_of({0, 0}));

  EXPECT_THROW(LocalSum::of(units_of(units), small_parameters()), Failure);
}

TEST(Pipeline, RefusesAContributionThatIsNotFinite) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(LocalSum::of(units_of({vector_of({bad, 0})}), small_parameters()), Failure);
  }
}

// With noise nothing that depends on the data may stop a round: it would be a release without noise.
TEST(Pipeline, CountsWhatItCannotTakeAsZeroWhereThereIsNoise) {
  SumParameters parameters = small_parameters();
  parameters.share_variance = 1;
  parameters.units_max = 2;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Contribution> strange = {vector_of({nan, 1}), vector_of({0.5, 0}), vector_of({0, 1})};
  const std::vector<Contribution> taken = {vector_of({0.5, 0})};

  EXPECT_EQ(open_alone(strange, parameters).entries, open_alone(taken, parameters).entries);
}

TEST(Pipeline, DrawsNoiseOfTheLoggedVariance) {
  SumParameters parameters = small_parameters();
  parameters.length = 20000;
  parameters.share_variance = 1u << 30;
  DeterministicSecureRandom random(7);
  SealedTotal total(parameters);

  total.add(prepare(units_of({}), parameters, NoiseShare::draw(parameters, random), RoundMasks()));

  const OpenedSum sum = *total.open(parameters, {0});
  double square = 0;
  for (const std::int64_t entry : sum.entries) square += std::pow(entry, 2);
  // Relative standard error of a variance of n Gaussians: sqrt(2 / n) = 1 %; five of them.
  EXPECT_NEAR(square / 20000 / 0x1p30, 1, 0.05);
}

TEST(SealedSum, ReadsBackFromExactlyItsBytes) {
  for (const Ring ring : {Ring::bits32, Ring::bits64}) {
    SumParameters parameters = small_parameters();
    parameters.ring = ring;
    DeterministicSecureRandom random(1);
    const SealedSum sealed = prepare(units_of({vector_of({-0.5, 0})}), parameters,
                                     NoiseShare::draw(parameters, random), RoundMasks());
    const Bytes bytes(sealed.wire().begin(), sealed.wire().end());

    SealedTotal total(parameters);
    total.add(*SealedSum::from_wire(bytes, parameters));

    EXPECT_EQ(total.open(parameters, {0})->entries, (std::vector<std::int64_t>{-512, 0}));
    EXPECT_FALSE(SealedSum::from_wire(ByteView(bytes).first(bytes.size() - 1), parameters).ok());
    EXPECT_FALSE(SealedSum::from_wire({}, parameters).ok());
  }
}

TEST(SealedTotal, RefusesAWrongNumberOfMerchants) {
  SealedTotal total(small_parameters());

  EXPECT_FALSE(total.open(small_parameters(), {0}).ok());
}

TEST(SealedTotal, RefusesAnEntryBeyondWhatHonestMerchantsCanSum) {
  SumParameters parameters = small_parameters();
  SealedTotal total(parameters);
  DeterministicSecureRandom random(1);
  total.add(prepare(units_of({}), parameters, NoiseShare::draw(parameters, random), RoundMasks()));
  std::get<1>(total.residues())[0] = std::uint64_t{1} << 63;

  EXPECT_FALSE(total.open(parameters, {0}).ok());
}

TEST(Contribution, DiesWhenAnEntryIsWrittenTwice) {
  Contribution contribution = vector_of({1, 2});

  EXPECT_DEATH(contribution.add(1, 3), "increasing");
}

}  // namespace
}  // namespace hanse
