// Correlated noise from both ends: what merchants encode, what the coordinator solves for, and how much a unit changes of
// it over a whole run.

#include "privacy/rows.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>

#include "common/base/seeded_generator.h"
#include "privacy/accounting/turns.h"
#include "privacy/secure_sum/masks.h"
#include "privacy/turn.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

__extension__ using Wide = __int128;
using Vector = std::vector<double>;
using Coefficients = std::vector<std::uint32_t>;

constexpr std::size_t kLength = 3;

SumParameters parameters_of(const Coefficients& c, std::uint64_t share_variance = 0) {
  return {.length = kLength,
          .clip_norm = 1,
          .grid_bits = 10,
          .ring = Ring::bits64,
          .units_max = 100,
          .share_variance = share_variance,
          .merchants_max = 8,
          .gain = gain_of(c)};
}

/// One merchant's memory; its own uploads opened alone.
class Merchant {
 public:
  explicit Merchant(const Coefficients& c) : parameters_(parameters_of(c)), past_(c) {}

  SealedSum upload(std::uint64_t row, const std::vector<Vector>& units) {
    const RowOfRun place{.row = row, .past = past_};
    const UnitSource source = [&](const auto& take) {
      for (const Vector& unit : units) {
        Contribution contribution;
        contribution.add_block(0, unit);
        take(contribution);
      }
    };
    return prepare(source, parameters_, NoiseShare{}, RoundMasks(), &place);
  }
  const SumParameters& parameters() const { return parameters_; }

 private:
  SumParameters parameters_;
  PastSums past_;
};

OpenedSum opened(const SumParameters& parameters, const std::vector<SealedSum>& sums) {
  SealedTotal total(parameters);
  std::vector<std::uint32_t> merchants;
  for (const SealedSum& sum : sums) {
    total.add(sum);
    merchants.push_back(static_cast<std::uint32_t>(merchants.size()));
  }
  return *total.open(parameters, merchants);
}

OpenedSum upload_alone(Merchant& merchant, std::uint64_t row, const std::vector<Vector>& units) {
  std::vector<SealedSum> one;
  one.push_back(merchant.upload(row, units));
  return opened(merchant.parameters(), one);
}

Vector random_unit(SeededGenerator& random) {
  Vector unit(kLength);
  for (double& entry : unit) {
    entry = 1.2 * random.uniform() - 0.6;  // Some are beyond the clip norm.
  }
  return unit;
}

TEST(Rows, GiveTheIntegersThatTheMatrixGives) {
  Merchant merchant({4, 2, 1});

  const OpenedSum first = upload_alone(merchant, 0, {{0.5, 0, 0}});
  const OpenedSum second = upload_alone(merchant, 1, {{0, 0.25, 0}});
  const OpenedSum third = upload_alone(merchant, 2, {});
  const OpenedSum fourth = upload_alone(merchant, 3, {{-0.5, 0, 0}});

  EXPECT_EQ(first.entries, (std::vector<std::int64_t>{4 * 512, 0, 0}));
  EXPECT_EQ(second.entries, (std::vector<std::int64_t>{2 * 512, 4 * 256, 0}));
  EXPECT_EQ(third.entries, (std::vector<std::int64_t>{512, 2 * 256, 0}));
  EXPECT_EQ(fourth.entries, (std::vector<std::int64_t>{-4 * 512, 256, 0}));
}

class EveryMatrix : public testing::TestWithParam<Coefficients> {};

TEST_P(EveryMatrix, IsSolvedToTheLastBitForTheSumsOfAHundredRows) {
  SeededGenerator random({1, GetParam().size()});
  Merchant coded(GetParam());
  RowDecoder decoder(GetParam());
  SumParameters plain_parameters = parameters_of({});

  for (std::uint64_t row = 0; row < 100; ++row) {
    const std::vector<Vector> units = {random_unit(random), random_unit(random)};
    const UnitSource source = [&](const auto& take) {
      for (const Vector& unit : units) {
        Contribution contribution;
        contribution.add_block(0, unit);
        take(contribution);
      }
    };
    std::vector<SealedSum> plain;
    plain.push_back(prepare(source, plain_parameters, NoiseShare{}, RoundMasks()));

    const Vector decoded = decoder.values(row, upload_alone(coded, row, units), coded.parameters());

    EXPECT_EQ(decoded, opened(plain_parameters, plain).values(plain_parameters)) << row;
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, EveryMatrix,
                         testing::Values(turn_coefficients(2, true), turn_coefficients(16, true),
                                         turn_coefficients(64, true), turn_coefficients(5, false)));

/// The sums of a run of five merchants, dealt to so many workers: uploads are added up in another order.
std::vector<Vector> run_of_five(std::uint32_t workers) {
  const Coefficients c = turn_coefficients(4, true);
  std::vector<Merchant> merchants;
  for (int i = 0; i < 5; ++i) {
    merchants.emplace_back(c);
  }
  RowDecoder decoder(c);
  std::vector<Vector> run;
  for (std::uint64_t row = 0; row < 20; ++row) {
    SealedTotal total(parameters_of(c));
    for (std::uint32_t worker = workers; worker-- > 0;) {
      for (std::size_t i = worker; i < merchants.size(); i += workers) {
        SeededGenerator random({row, i});
        total.add(merchants[i].upload(row, {random_unit(random), random_unit(random)}));
      }
    }
    run.push_back(decoder.values(row, *total.open(parameters_of(c), {0, 1, 2, 3, 4}), parameters_of(c)));
  }
  return run;
}

TEST(Rows, DecodeToTheSameBytesOnOneTwoAndFourWorkers) {
  EXPECT_EQ(run_of_five(1), run_of_five(2));
  EXPECT_EQ(run_of_five(1), run_of_five(4));
}

/// 560 = 256 + 128 + 96 + 80: of what an aborted row had to say, 256/560 is lost in the end.
TEST(Rows, AfterAnAbortedOneBringMostOfWhatItHadToSay) {
  const Coefficients c = turn_coefficients(4, true);
  Merchant merchant(c);
  RowDecoder decoder(c);
  double sum = 0;

  for (std::uint64_t row = 0; row < 200; ++row) {
    const OpenedSum upload = upload_alone(merchant, row, {{row == 3 ? 0.5 : 0.0, 0, 0}});
    if (row != 3) {
      sum += decoder.values(row, upload, merchant.parameters())[0];
    }
  }

  EXPECT_NEAR(sum, 0.5 * (1 - 256.0 / 560), 1e-12);
}

TEST(RowsDeathTest, ComeOnceAndInOrder) {
  Merchant merchant(turn_coefficients(4, true));
  upload_alone(merchant, 5, {{0.5, 0, 0}});

  EXPECT_DEATH(merchant.upload(5, {{0.5, 0, 0}}), "rows come in order");
  EXPECT_DEATH(merchant.upload(4, {{0.5, 0, 0}}), "rows come in order");
}

TEST(Rows, ThatBothEndsBeginAnewWithAreExactFromTheFirst) {
  const Coefficients c = turn_coefficients(4, true);
  Merchant anew(c);
  RowDecoder decoder(c);

  for (std::uint64_t row = 17; row < 30; ++row) {
    EXPECT_EQ(decoder.values(row, upload_alone(anew, row, {{0.5, -0.25, 0}}), anew.parameters()),
              (Vector{0.5, -0.25, 0}));
  }
}

TEST(Rows, HaveRoomForAllUnitsAtTheirBoundInEveryOne) {
  const Coefficients c = turn_coefficients(8, true);
  Merchant merchant(c);
  SumParameters without_gain = merchant.parameters();
  without_gain.gain = 1;
  const std::vector<Vector> all(100, Vector{1, 0, 0});

  std::int64_t most = 0;
  for (std::uint64_t row = 0; row < 20; ++row) {
    most = upload_alone(merchant, row, all).entries[0];  // Opens, so it is within the bound.
  }

  EXPECT_EQ(most, 1023 * 100 * gain_of(c));
  EXPECT_LE(static_cast<std::uint64_t>(most), merchant.parameters().merchant_bound());
  EXPECT_GT(static_cast<std::uint64_t>(most), without_gain.merchant_bound());
}

// --- sensitivity over a whole run ---

/// A run of two merchants at which one unit appears among others. What it contributes in a row, if anything.
struct UnitOfRun {
  std::vector<std::optional<Vector>> contributions;  ///< By row.
  std::uint32_t merchants = 1;                       ///< At which it is, K.
};

struct RunOptions {
  Coefficients c;
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> forgets_at;  ///< A row before which the first merchant's worker began anew.
  std::vector<std::uint64_t> missing_rows;  ///< In which the second merchant is missing.
};

/// Opened integers of all rows, with the unit or with zeros in its place.
std::vector<std::int64_t> run_with(const UnitOfRun& unit, bool included, const RunOptions& options) {
  SumParameters parameters = parameters_of(options.c);
  parameters.merchants_per_unit = unit.merchants;
  std::vector<std::unique_ptr<PastSums>> past;
  past.push_back(std::make_unique<PastSums>(options.c));
  past.push_back(std::make_unique<PastSums>(options.c));
  std::vector<std::int64_t> run;
  for (std::uint64_t row = 0; row < unit.contributions.size(); ++row) {
    SealedTotal total(parameters);
    std::vector<std::uint32_t> there;
    for (std::uint32_t merchant = 0; merchant < 2; ++merchant) {
      if (merchant == 0 && options.forgets_at == row) {
        past.front() = std::make_unique<PastSums>(options.c);
      }
      const UnitSource source = [&](const auto& take) {
        SeededGenerator random({options.seed, row, merchant});
        for (int other = 0; other < 3; ++other) {
          Contribution contribution;
          contribution.add_block(0, random_unit(random));
          take(contribution);
        }
        if (included && merchant < unit.merchants && unit.contributions[row]) {
          Contribution contribution;
          contribution.add_block(0, *unit.contributions[row]);
          take(contribution);
        }
      };
      const RowOfRun place{.row = row, .past = *past[merchant]};
      const SealedSum sum = prepare(source, parameters, NoiseShare{}, RoundMasks(), &place);
      if (merchant == 0 || !std::ranges::count(options.missing_rows, row)) {
        total.add(sum);
        there.push_back(merchant);
      }
    }
    const auto entries = total.open(parameters, there)->entries;
    run.insert(run.end(), entries.begin(), entries.end());
  }
  return run;
}

/// Squared distance of the two runs' outputs, in steps.
std::uint64_t distance_squared(const UnitOfRun& unit, const RunOptions& options) {
  const auto with = run_with(unit, true, options);
  const auto without = run_with(unit, false, options);
  Wide sum = 0;
  for (std::size_t i = 0; i < with.size(); ++i) {
    const Wide change = with[i] - without[i];
    sum += change * change;
  }
  return static_cast<std::uint64_t>(sum);
}

constexpr std::uint64_t kD2 = 1024;

// All that may happen: the unit skips turns, is at one merchant or two, is longer than the clip norm, a merchant forgets or is
// missing. The bound is checked in integers.
TEST(UnitOverAWholeRun, ChangesItByNoMoreThanTheLoggedBoundWhateverHappens) {
  SeededGenerator random({2026});
  for (int trial = 0; trial < 300; ++trial) {
    RunOptions options;
    const auto turns = static_cast<std::uint32_t>(2 + random.below(5));
    options.c = turn_coefficients(turns, random.below(4) > 0);
    options.seed = static_cast<std::uint64_t>(trial);
    const std::uint64_t rows = 1 + random.below(14);
    UnitOfRun unit;
    unit.merchants = static_cast<std::uint32_t>(1 + random.below(2));
    const std::uint32_t turn = turn_of(1, random(), turns);
    for (std::uint64_t row = 0; row < rows; ++row) {
      const bool takes_part = row % turns == turn && random.below(4) > 0;
      unit.contributions.push_back(takes_part ? std::optional(random_unit(random)) : std::nullopt);
    }
    if (random.below(3) == 0) {
      options.forgets_at = random.below(rows);
    }
    if (random.below(3) == 0) {
      options.missing_rows = {random.below(rows), random.below(rows)};
    }

    EXPECT_LE(distance_squared(unit, options), turns_sensitivity_squared(options.c, rows) * kD2 * kD2)
        << "trial " << trial;
  }
}

/// All patterns of a unit at its bound, sign by sign: the largest change is the bound, but for the last step of the grid, and it
/// is that of turn 0.
TEST(UnitOverAWholeRun, ChangesItByTheBoundAtMostAndByAsMuchInTheWorstOfAllPatterns) {
  for (const std::uint32_t turns : {2u, 3u}) {
    RunOptions options;
    options.c = turn_coefficients(turns, true);
    for (std::uint64_t rows = 1; rows <= 6; ++rows) {
      std::uint64_t most = 0;
      std::uint64_t patterns = 1;
      for (std::uint64_t i = 0; i < (rows + turns - 1) / turns; ++i) {
        patterns *= 3;
      }
      for (std::uint32_t turn = 0; turn < turns; ++turn) {
        for (std::uint64_t pattern = 0; pattern < patterns; ++pattern) {
          UnitOfRun unit;
          std::uint64_t digits = pattern;
          for (std::uint64_t row = 0; row < rows; ++row) {
            std::optional<Vector> contribution;
            if (row % turns == turn) {
              const double sign = static_cast<double>(digits % 3) - 1;
              digits /= 3;
              contribution = Vector{sign, 0, 0};
            }
            unit.contributions.push_back(contribution);
          }
          most = std::max(most, distance_squared(unit, options));
        }
      }
      EXPECT_EQ(most, turns_sensitivity_squared(options.c, rows) * (kD2 - 1) * (kD2 - 1)) << rows << " rows";
    }
  }
}

/// What the turns are for: a merchant that does not keep to them passes the bound.
TEST(UnitOverAWholeRun, ThatTakesPartOutOfTurnPassesTheBound) {
  RunOptions options;
  options.c = turn_coefficients(4, true);
  UnitOfRun unit;
  unit.contributions.assign(8, Vector{1, 0, 0});

  EXPECT_GT(distance_squared(unit, options), turns_sensitivity_squared(options.c, 8) * kD2 * kD2);
}

TEST(TurnOf, DealsUnitsEvenlyAndAsTheSeedSays) {
  std::vector<int> units(8);
  int moved = 0;
  for (std::uint64_t key = 0; key < 80000; ++key) {
    ++units[turn_of(1, key, 8)];
    moved += turn_of(1, key, 8) != turn_of(2, key, 8) ? 1 : 0;
  }

  for (const int count : units) {
    EXPECT_NEAR(count, 10000, 600);  // Six standard deviations; the seed is fixed.
  }
  EXPECT_NEAR(moved, 70000, 600);
}

// --- what it is good for ---

/// Root mean square of the noise in the decoded prefix sum after `rows` rows, over `entries` entries, in clip norms.
double prefix_noise(const Coefficients& c, double multiplier_of_a_turn, std::uint64_t rows,
                    std::size_t entries) {
  SumParameters parameters = parameters_of(c);
  parameters.length = entries;
  parameters.share_variance =
      static_cast<std::uint64_t>(std::pow(multiplier_of_a_turn * norm_of(c) * static_cast<double>(kD2), 2));
  DeterministicSecureRandom random(5);
  PastSums past(c);
  RowDecoder decoder(c);
  Vector prefix(entries);
  for (std::uint64_t row = 0; row < rows; ++row) {
    const RowOfRun place{.row = row, .past = past};
    SealedTotal total(parameters);
    total.add(
        prepare([](const auto&) {}, parameters, NoiseShare::draw(parameters, random), RoundMasks(), &place));
    const Vector decoded = decoder.values(row, *total.open(parameters, {0}), parameters);
    std::ranges::transform(prefix, decoded, prefix.begin(), std::plus());
  }
  return std::sqrt(std::inner_product(prefix.begin(), prefix.end(), prefix.begin(), 0.0) /
                   static_cast<double>(entries));
}

/// What theory says of it: z ||c|| times the norm of the last row of A C^-1.
double expected_prefix_noise(const Coefficients& c, double multiplier_of_a_turn, std::uint64_t rows) {
  Vector prefix;  // Prefix sums of the first column of C^-1.
  Vector inverse;
  for (std::size_t i = 0; i < rows; ++i) {
    double value = i == 0 ? 1.0 : 0.0;
    for (std::size_t j = 1; j <= std::min(i, c.size() - 1); ++j) {
      value -= c[j] * inverse[i - j];
    }
    inverse.push_back(value / c[0]);
    prefix.push_back(inverse.back() + (i == 0 ? 0 : prefix.back()));
  }
  return multiplier_of_a_turn * norm_of(c) *
         std::sqrt(std::inner_product(prefix.begin(), prefix.end(), prefix.begin(), 0.0));
}

// The same turns and the same multiplier of a turn, hence the same epsilon. Of 4000 entries the root mean square has a standard error
// of 1.1 per cent: a deviation of 7 per cent has probability below 1e-9, and the seed is fixed.
TEST(CorrelatedNoise, IsLessThanHalfOfIndependentNoiseInPrefixSumsAtTheSameEpsilon) {
  const Coefficients banded = turn_coefficients(8, true);
  const Coefficients independent = turn_coefficients(8, false);

  const double with = prefix_noise(banded, 2, 64, 4000);
  const double without = prefix_noise(independent, 2, 64, 4000);

  EXPECT_NEAR(with / expected_prefix_noise(banded, 2, 64), 1, 0.07);
  EXPECT_NEAR(without / (2 * std::sqrt(64)), 1, 0.07);
  EXPECT_LT(with, 0.5 * without);
}

/// And what it is not: with every unit in every row the sums say as much of each unit with less noise, for eight times the
/// work. Deviation of the prefix sum over all that the units had to say, at one zCDP: 8 turns of k = 8 participations,
/// against 64 participations.
TEST(CorrelatedNoise, DoesNotBeatEveryUnitInEveryRowWhichIsMoreWork) {
  const Coefficients banded = turn_coefficients(8, true);
  const double turns = 8 * expected_prefix_noise(banded, std::sqrt(8), 64);
  const double all = 64;

  EXPECT_GT(turns, all);
  EXPECT_LT(turns, 1.3 * all);
}

}  // namespace
}  // namespace hanse
