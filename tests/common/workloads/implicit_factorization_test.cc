#include "common/workloads/implicit_factorization.h"

#include <cmath>

#include "common/base/failure.h"
#include "tests/reference/implicit_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::Pairs;
using reference::Vectors;

constexpr std::uint32_t kItems = 6;
constexpr std::uint32_t kRank = 3;

ImplicitFactorization::Options small_options() {
  ImplicitFactorization::Options options;
  options.items = kItems;
  options.rank = kRank;
  options.l2 = 0.05;
  options.unobserved = 0.2;
  options.init = 0.5;
  return options;
}

Dataset small_data(std::uint32_t merchants) {
  return test::deal_people(test::rating_people(25, kItems), merchants, RowKind::customer,
                           test::rating_space(kItems));
}

Model train(const ImplicitFactorization& workload, const Dataset& data, int sums) {
  Model model = workload.initial_model(1);
  for (int i = 0; i < sums; ++i) {
    const PrivateSum sum = *workload.next_sum(model);
    workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));
  }
  return model;
}

Vectors vectors_of(const Model& model) {
  Vectors vectors;
  for (std::size_t item = 0; item < kItems; ++item) {
    const auto first = model.parameters.begin() + static_cast<std::ptrdiff_t>(item * kRank);
    vectors.emplace_back(first, first + kRank);
  }
  return vectors;
}

struct BothSides {
  Pairs of_customers;
  Pairs of_items = Pairs(kItems);
};
BothSides pairs_of(const RowBlock& block) {
  BothSides pairs;
  for (std::size_t i = 0; i < block.features.rows(); ++i) {
    const SparseRow row = block.features.row(i);
    pairs.of_customers.emplace_back(row.columns.begin(), row.columns.end());
    for (const std::uint32_t item : row.columns) {
      pairs.of_items[item].insert(i);
    }
  }
  return pairs;
}

Vectors reference_items(Vectors items, const Dataset& data, int steps, reference::ImplicitWeights weights) {
  const BothSides pairs = pairs_of(data.train);
  for (int step = 0; step < steps; ++step) {
    items = solve_side(solve_side(items, pairs.of_customers, weights), pairs.of_items, weights);
  }
  return items;
}

void expect_near(const Vectors& actual, const Vectors& expected, double tolerance) {
  for (std::size_t item = 0; item < kItems; ++item) {
    for (std::size_t a = 0; a < kRank; ++a) {
      EXPECT_NEAR(actual[item][a], expected[item][a], tolerance) << item << ", " << a;
    }
  }
}

TEST(ImplicitFactorization, CountsPairsOfItemsAndCustomersFirst) {
  const Dataset data = small_data(3);
  const ImplicitFactorization workload(small_options());

  const Model model = train(workload, data, 1);

  const BothSides pairs = pairs_of(data.train);
  EXPECT_EQ(model.server_state[2], static_cast<double>(pairs.of_items[2].size()));
  EXPECT_EQ(model.server_state.back(), static_cast<double>(pairs.of_customers.size()));
}

TEST(ImplicitFactorization, EqualsTheCentralisedReference) {
  const Dataset data = small_data(4);
  const ImplicitFactorization workload(small_options());
  const Vectors first = vectors_of(workload.initial_model(1));

  const Vectors actual = vectors_of(train(workload, data, 1 + 5));

  expect_near(actual, reference_items(first, data, 5, {.l2 = 0.05, .exponent = 1, .unobserved = 0.2}), 1e-4);
}

TEST(ImplicitFactorization, EqualsTheReferenceWithAnotherExponent) {
  const Dataset data = small_data(2);
  ImplicitFactorization::Options options = small_options();
  options.exponent = 0;
  const ImplicitFactorization workload(options);
  const Vectors first = vectors_of(workload.initial_model(1));

  const Vectors actual = vectors_of(train(workload, data, 1 + 3));

  expect_near(actual, reference_items(first, data, 3, {.l2 = 0.05, .exponent = 0, .unobserved = 0.2}), 1e-4);
}

TEST(ImplicitFactorization, PartsOfItemsAreTheSameUpdateInTurns) {
  const Dataset data = small_data(2);
  ImplicitFactorization::Options options = small_options();
  options.entries_per_sum = 4 * 9;  // Four items of six at a time.
  const ImplicitFactorization workload(options);
  const Model before = train(workload, data, 1);

  const Model after = train(workload, data, 2);

  EXPECT_NE(before.parameters[3 * kRank], after.parameters[3 * kRank]);
  EXPECT_EQ(before.parameters[4 * kRank], after.parameters[4 * kRank]);
}

// Block coordinate descent goes down in the same objective, to the same least value.
TEST(ImplicitFactorization, BlocksOfVectorsEndWhereWholeVectorsDo) {
  const Dataset data = small_data(2);
  ImplicitFactorization::Options options = small_options();
  options.block = 2;
  const ImplicitFactorization in_blocks(options);
  const ImplicitFactorization at_once(small_options());
  const auto loss_after = [&](const ImplicitFactorization& workload, int sums) {
    Model model = train(workload, data, sums);
    const PrivateSum sum = *workload.next_sum(model);
    return workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data))
        .at("train_loss");
  };

  EXPECT_NEAR(loss_after(in_blocks, 1 + 2 * 200), loss_after(at_once, 1 + 200), 1e-4);
}

TEST(ImplicitFactorization, RanksTestItemsAmongThoseNotSeen) {
  const Dataset data = small_data(3);
  const ImplicitFactorization workload(small_options());
  Model model = train(workload, data, 4);
  const PrivateSum sum = *workload.evaluation_sum(model);

  const Metrics by_customer =
      workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::customer, data));
  const Metrics by_merchant =
      workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));

  EXPECT_EQ(by_customer.at("test_recall_20"), 1);  // Six items: all are among the first 20.
  EXPECT_EQ(by_customer.at("test_hit_rate_10"), 1);
  EXPECT_GT(by_customer.at("test_ndcg_10"), 0.3);
  EXPECT_NEAR(by_customer.at("test_ndcg_10"), by_merchant.at("test_ndcg_10"), 1e-12);
}

TEST(ImplicitFactorization, APrivateCustomerHasSoManyItemsInASumAndAShortVector) {
  const Dataset data = small_data(1);
  ImplicitFactorization::Options options = small_options();
  options.unit = Unit::customer;
  options.items_per_customer = 2;
  options.factor_bound = 0.5;
  const ImplicitFactorization workload(options);
  Model model = workload.initial_model(1);
  ++model.step;
  for (double& entry : model.parameters) {
    entry *= 10;
  }
  const PrivateSum sum = *workload.next_sum(model);
  const Contributor contribute = workload.contributor(model, sum);

  for (std::size_t row = 0; row < data.train.features.rows(); ++row) {
    Contribution contribution;
    contribute(UnitRows{.train = Rows(data.train, row, row + 1), .test = {}, .merchant = 0}, contribution);

    EXPECT_LE(contribution.blocks().size(), 1u + 2u);
    double trace = 0;
    for (std::size_t a = 0; a < kRank; ++a) {
      trace += contribution.values()[a * kRank + a];
    }
    EXPECT_LE(trace, 0.25 + 1e-6);
  }
}

TEST(ImplicitFactorization, OfPrivateItemsTheMostFrequentBeginAtTheirCountsAndOthersStayZero) {
  ImplicitFactorization::Options options = small_options();
  options.unit = Unit::customer;
  options.items_kept = 2;
  const ImplicitFactorization workload(options);
  Model model = workload.initial_model(1);
  const std::vector<double> counts = {3, 8, -2, 4, 1, 0, 10};  // Six items, then customers.

  workload.apply(model, *workload.next_sum(model), counts);
  const PrivateSum sum = *workload.next_sum(model);
  Model later = model;
  workload.apply(later, sum, std::vector<double>(sum.length, 0.5));

  EXPECT_EQ(model.parameters[1 * kRank], 1);
  EXPECT_EQ(model.parameters[3 * kRank], 0.5);
  for (const std::size_t item : {0u, 2u, 4u, 5u}) {
    EXPECT_EQ(later.parameters[item * kRank], 0) << item;
  }
  EXPECT_NE(later.parameters[1 * kRank], 1);
}

TEST(ImplicitFactorization, WithoutASignalThePenaltyHoldsPrivateItemsAtTheirCounts) {
  ImplicitFactorization::Options options = small_options();
  options.unit = Unit::customer;
  const ImplicitFactorization workload(options);
  Model model = workload.initial_model(1);
  workload.apply(model, *workload.next_sum(model), std::vector<double>{3, 8, 2, 4, 1, 5, 10});
  const PrivateSum sum = *workload.next_sum(model);

  workload.apply(model, sum, std::vector<double>(sum.length, 0.0));

  EXPECT_NEAR(model.parameters[0], 0.375, 1e-12);
  EXPECT_NEAR(model.parameters[1], 0, 1e-12);
}

TEST(ImplicitFactorization, RefusesWhatItCannotDo) {
  ImplicitFactorization::Options record = small_options();
  record.unit = Unit::record;
  ImplicitFactorization::Options no_items = small_options();
  no_items.items = 0;
  ImplicitFactorization::Options no_penalty = small_options();
  no_penalty.l2 = 0;
  ImplicitFactorization::Options too_long = small_options();
  too_long.entries_per_sum = 8;

  EXPECT_THROW(ImplicitFactorization{record}, Failure);
  EXPECT_THROW(ImplicitFactorization{no_items}, Failure);
  EXPECT_THROW(ImplicitFactorization{no_penalty}, Failure);
  EXPECT_THROW(ImplicitFactorization{too_long}, Failure);
}

}  // namespace
}  // namespace hanse
