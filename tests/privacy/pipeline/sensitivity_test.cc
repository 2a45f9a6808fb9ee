#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "common/base/seeded_generator.h"
#include "common/data/units.h"
#include "common/workloads/logistic_regression.h"
#include "privacy/clip.h"
#include "privacy/grid.h"
#include "privacy/ledger/ledger_state.h"
#include "privacy/pipeline.h"
#include "privacy/secure_sum/masks.h"
#include "tests/support/deterministic_random.h"

// What one unit can do to a sum, in integers and without noise (invariant 5): zero-out adjacency, whatever the weights, the
// coins and the number of merchants.

namespace hanse {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kLength = 6;

/// The vectors of one merchant's units that take part in a round.
using Merchant = std::vector<Contribution>;

Contribution vector_of(const std::vector<double>& values) {
  Contribution contribution;
  contribution.add_block(0, values);
  return contribution;
}

SumParameters parameters_of(std::uint32_t merchants, std::uint32_t merchants_per_unit) {
  return {.length = kLength,
          .clip_norm = 0.7,
          .grid_bits = 20,
          .units_max = 100,
          .merchants_max = merchants,
          .merchants_per_unit = merchants_per_unit};
}

std::vector<std::int64_t> sum_of(const std::vector<Merchant>& merchants, const SumParameters& parameters) {
  SealedTotal total(parameters);
  DeterministicSecureRandom random(1);
  std::vector<std::uint32_t> ids;
  for (const Merchant& merchant : merchants) {
    const UnitSource units = [&](const auto& take) { std::ranges::for_each(merchant, take); };
    total.add(prepare(units, parameters, NoiseShare::draw(parameters, random), RoundMasks()));
    ids.push_back(static_cast<std::uint32_t>(ids.size()));
  }
  return total.open(parameters, ids)->entries;
}

Wide squared_distance(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  Wide square = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::int64_t difference = a[i] - b[i];
    const auto magnitude = static_cast<std::uint64_t>(difference < 0 ? -difference : difference);
    square += Wide{magnitude} * magnitude;
  }
  return square;
}

/// Anything from tiny to huge, times a weight that may follow from how much data a unit has.
Contribution random_vector(SeededGenerator& generator) {
  const double weight =
      std::exp(20 * (generator.uniform() - 0.5)) * static_cast<double>(1 + generator.below(1000));
  std::vector<double> values(kLength);
  for (double& value : values) {
    value = weight * generator.normal();
  }
  return vector_of(values);
}

struct Federation {
  std::uint32_t merchants_per_unit;  // K.
  std::uint32_t touched;             // Merchants at which the unit that is removed really is.
};

void PrintTo(const Federation& federation, std::ostream* out) {
  *out << "K " << federation.merchants_per_unit << ", at " << federation.touched;
}

class Sensitivity : public testing::TestWithParam<Federation> {};

TEST_P(Sensitivity, IsAtMostD2WhicheverUnitIsRemovedAndWhoeverWasSampled) {
  const Federation federation = GetParam();
  const SumParameters parameters = parameters_of(8, federation.merchants_per_unit);
  const Wide bound = Wide{parameters.sensitivity()} * parameters.sensitivity();
  SeededGenerator generator({federation.merchants_per_unit, federation.touched});
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<Merchant> with(8);
    for (Merchant& merchant : with) {
      for (std::uint64_t others = generator.below(4); others > 0; --others) {
        merchant.push_back(random_vector(generator));
      }
    }
    std::vector<Merchant> without = with;
    const Contribution direction = random_vector(generator);  // All merchants pull alike: the worst there is.
    for (std::uint32_t m = 0; m < federation.touched; ++m) {
      const bool sampled = trial % 3 == 0 || generator.below(2) == 0;
      if (sampled) {
        with[m].push_back(trial % 2 == 0 ? direction : random_vector(generator));
      }
    }

    ASSERT_LE(squared_distance(sum_of(with, parameters), sum_of(without, parameters)), bound)
        << "trial " << trial;
  }
}

// A record, a merchant or a customer at one merchant: K = 1, in one place. A customer: up to K places.
INSTANTIATE_TEST_SUITE_P(Units, Sensitivity,
                         testing::Values(Federation{1, 1}, Federation{2, 1}, Federation{2, 2},
                                         Federation{3, 3}, Federation{7, 5}, Federation{8, 8}));

// A customer at k merchants where only a customer at one merchant is hidden: k times as much, and no more (triangle). The
// factor is real: this is what the unit customer is for.
TEST(Sensitivity, OfACustomerAtThreeMerchantsIsThreeTimesThatOfACustomerAtMerchant) {
  const SumParameters parameters = parameters_of(3, 1);
  const std::vector<Merchant> with(3, Merchant{vector_of({5, 0, 0, 0, 0, 0})});
  const std::vector<Merchant> without(3);

  const Wide square = squared_distance(sum_of(with, parameters), sum_of(without, parameters));

  const Wide bound = Wide{parameters.sensitivity()} * parameters.sensitivity();
  EXPECT_LE(square, 9 * bound);
  EXPECT_GT(square, 8 * bound);
}

// The fault measured in a well-known framework: updates are clipped, then averaged by their numbers of rows, while the noise
// is made for an average with equal weights. With ten merchants, one of 910 rows and nine of 10, one merchant moves the
// average by 0.91 of the clip norm and the noise is made for 0.1. Here weights are inside what is clipped and the divisor is a
// public constant: the released step moves by a tenth of the clip norm and not by more.
TEST(Sensitivity, FollowsNoWeightByRows) {
  const SumParameters parameters = parameters_of(10, 1);
  std::vector<Merchant> with;
  for (int m = 0; m < 10; ++m) {
    const double rows = m == 0 ? 910 : 10;
    with.push_back({vector_of({rows * 0.5, 0, 0, 0, 0, 0})});
  }
  std::vector<Merchant> without = with;
  without[0].clear();
  LogisticRegression::Options options;
  options.width = kLength;
  options.train_rows = 1000;
  options.merchants = 10;
  options.unit = Unit::merchant;
  options.solver = LogisticRegression::Solver::local;
  options.clip = parameters.clip_norm;
  const LogisticRegression workload(options);
  const auto step_of = [&](const std::vector<Merchant>& merchants) {
    OpenedSum opened{.entries = sum_of(merchants, parameters), .merchants = {}};
    Model model = workload.initial_model(1);
    workload.apply(model, *workload.next_sum(model), opened.values(parameters));
    return model.parameters;
  };

  const std::vector<double> a = step_of(with);
  const std::vector<double> b = step_of(without);

  double square = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    square += (a[i] - b[i]) * (a[i] - b[i]);
  }
  EXPECT_LE(std::sqrt(square), parameters.clip_norm / 10 * (1 + 1e-12));
  EXPECT_GT(std::sqrt(square), parameters.clip_norm / 10 * 0.999);
}

// The norm is checked again in integers, after truncation: D2 itself passes, the next integer vector does not.
TEST(GridDeathTest, ChecksTheIntegerNormAtItsBoundary) {
  SumParameters parameters = parameters_of(1, 1);
  parameters.clip_norm = 1048576;  // A step of one.
  parameters.grid_bits = 20;
  std::vector<std::int64_t> entries(kLength);

  add_on_grid(vector_of({1048576, 0}), 1, parameters, entries);
  add_on_grid(vector_of({-838860, 629145}), 1, parameters, entries);  // Just inside (4/5, 3/5) D2.

  EXPECT_EQ(entries[0], 1048576 - 838860);
  EXPECT_DEATH(add_on_grid(vector_of({1048576, 1}), 1, parameters, entries), "within the sensitivity");
  EXPECT_DEATH(add_on_grid(vector_of({1048577, 0}), 1, parameters, entries), "within the sensitivity");
  EXPECT_DEATH(add_on_grid(vector_of({-838861, 629146}), 1, parameters, entries), "within the sensitivity");
  parameters.merchants_per_unit = 2;
  add_on_grid(vector_of({524288, 0}), 1, parameters, entries);
  EXPECT_DEATH(add_on_grid(vector_of({524288, 1}), 1, parameters, entries), "within the sensitivity");
}

// n_min - t shares alone carry z^2 D2^2, in exact integers; one step less of variance would not. The ledger counts just
// these shares.
TEST(Sensitivity, SharesOfTheSurvivorsThatDoNotColludeCarryTheNoise) {
  for (const std::uint64_t z : {1U, 3U, 40U}) {
    for (const auto& [shares_min, collusion] : {std::pair{3U, 0U}, {7U, 2U}, {14U, 13U}, {700U, 99U}}) {
      const SumParameters parameters = choose_parameters({.length = 1,
                                                          .units_max = 10,
                                                          .merchants = 1000,
                                                          .shares_min = shares_min,
                                                          .collusion = collusion,
                                                          .noise_multiplier = static_cast<double>(z)});
      const Wide wished = Wide{z * z} << (2 * parameters.grid_bits);
      const Wide shares = shares_min - collusion;

      EXPECT_GE(shares * parameters.share_variance, wished);
      EXPECT_LT(shares * (parameters.share_variance - 1), wished);

      Intent intent;
      intent.parameters = parameters;
      EXPECT_GE(event_of(intent, collusion).noise_multiplier, static_cast<double>(z) * (1 - 1e-15));
      EXPECT_NEAR(event_of(intent, collusion).noise_multiplier, static_cast<double>(z), 1e-5);
    }
  }
}

// Jin et al. 2021 time discrete samplers: all noise is there before the first unit is looked at, so its time tells nothing of
// the data, and no draw waits for data.
TEST(NoiseOrder, AllNoiseIsDrawnBeforeTheFirstUnitIsTouched) {
  SumParameters parameters = parameters_of(1, 1);
  parameters.length = 5000;
  parameters.share_variance = 1u << 30;
  std::vector<std::string> events;
  DeterministicSecureRandom random(9, [&](ByteView) { events.push_back("drawn"); });
  const UnitSource units = [&](const auto& take) {
    events.push_back("data");
    take(vector_of({0.5}));
  };

  NoiseShare noise = NoiseShare::draw(parameters, random);
  prepare(units, parameters, std::move(noise), RoundMasks());

  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(events.back(), "data");
  EXPECT_EQ(std::ranges::count(events, "data"), 1);
}

}  // namespace
}  // namespace hanse
