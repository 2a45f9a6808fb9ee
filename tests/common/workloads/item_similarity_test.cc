#include "common/workloads/item_similarity.h"

#include <algorithm>
#include <cmath>

#include "common/base/failure.h"
#include "common/workloads/catalogue.h"
#include "tests/reference/item_similarity_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::Baskets;

constexpr std::uint32_t kItems = 6;

ItemSimilarity::Options small_options() {
  ItemSimilarity::Options options;
  options.items = kItems;
  options.names = {"bread", "butter", "beer", "chips", "milk", "tea"};
  options.l2 = 2;
  options.train_rows = 25;
  options.min_support = 3;
  return options;
}

Dataset small_data(std::uint32_t merchants) {
  return test::deal_people(test::rating_people(25, kItems), merchants, RowKind::customer,
                           test::rating_space(kItems));
}

/// Customers with these items, dealt to merchants in turn.
Dataset data_of(const std::vector<std::vector<std::uint32_t>>& baskets, std::uint32_t merchants) {
  std::vector<test::Person> people;
  for (const auto& basket : baskets) {
    people.push_back(
        {.train = {{.columns = basket, .values = std::vector<float>(basket.size(), 1.0f), .label = 0}},
         .test = {}});
  }
  return test::deal_people(people, merchants, RowKind::customer, test::rating_space(kItems));
}

Model train(const ItemSimilarity& workload, const Dataset& data, std::size_t sums) {
  Model model = workload.initial_model(1);
  for (std::size_t i = 0; i < sums; ++i) {
    const PrivateSum sum = *workload.next_sum(model);
    workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));
  }
  return model;
}

Model trained(const ItemSimilarity& workload, const Dataset& data) {
  return train(workload, data, 1 + workload.pair_sums());
}

const std::vector<double>& array_of(const std::vector<NamedArray>& arrays, const std::string& name) {
  return std::ranges::find(arrays, name, &NamedArray::name)->values;
}

/// W_ij of the published lists; NaN where i is not among the neighbours of j.
double weight_of(const ItemSimilarity& workload, const Model& model, std::size_t i, std::size_t j) {
  const auto arrays = workload.arrays(model);
  const auto& kept = array_of(arrays, "kept_items");
  const auto& sources = array_of(arrays, "neighbours");
  const auto& weights = array_of(arrays, "neighbour_weights");
  const std::size_t count = sources.size() / kept.size();
  for (std::size_t at = 0; at < sources.size(); ++at) {
    if (kept[at / count] == static_cast<double>(j) &&
        kept[static_cast<std::size_t>(sources[at])] == static_cast<double>(i)) {
      return weights[at];
    }
  }
  return std::nan("");
}

Baskets baskets_of(const RowBlock& block) {
  Baskets baskets;
  for (std::size_t i = 0; i < block.features.rows(); ++i) {
    const SparseRow row = block.features.row(i);
    baskets.emplace_back(row.columns.begin(), row.columns.end());
  }
  return baskets;
}

TEST(ItemSimilarity, CountsPairsOfItemsByHand) {
  const Dataset data = data_of({{0, 1}, {0, 1, 4}, {2, 3}, {0}}, 2);
  const ItemSimilarity workload(small_options());

  const Model model = trained(workload, data);

  const auto together = [&](std::size_t i, std::size_t j) {
    return model.server_state[triangle_size(i) + j];
  };
  EXPECT_EQ(together(0, 0), 3);
  EXPECT_EQ(together(1, 0), 2);
  EXPECT_EQ(together(4, 1), 1);
  EXPECT_EQ(together(3, 2), 1);
  EXPECT_EQ(together(2, 0), 0);
  EXPECT_EQ(array_of(workload.arrays(model), "item_counts"), (std::vector<double>{3, 2, 1, 1, 1, 0}));
  EXPECT_EQ(array_of(workload.arrays(model), "customers"), std::vector<double>{4});
}

TEST(ItemSimilarity, TheAutoencoderIsARidgeRegressionOfEachItemOnTheOthers) {
  const Dataset data = small_data(3);
  const ItemSimilarity workload(small_options());

  const Model model = trained(workload, data);

  const Baskets baskets = baskets_of(data.train);
  const auto arrays = workload.arrays(model);
  for (std::size_t j = 0; j < kItems; ++j) {
    const std::vector<double> column = reference::autoencoder_column(baskets, kItems, j, 2);
    EXPECT_NEAR(array_of(arrays, "offsets")[j], column[kItems], 1e-9) << j;
    for (std::size_t i = 0; i < kItems; ++i) {
      if (i != j) {
        EXPECT_NEAR(weight_of(workload, model, i, j), column[i], 1e-9) << i << ", " << j;
      }
    }
  }
}

TEST(ItemSimilarity, CosinesEqualTheReference) {
  const Dataset data = small_data(2);
  ItemSimilarity::Options options = small_options();
  options.kind = ItemSimilarity::Kind::cosine;
  const ItemSimilarity workload(options);

  const Model model = trained(workload, data);

  const reference::Matrix counts = reference::together(baskets_of(data.train), kItems);
  for (std::size_t j = 0; j < kItems; ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      EXPECT_NEAR(weight_of(workload, model, i, j), reference::cosine(counts, i, j, 2), 1e-12);
      EXPECT_EQ(weight_of(workload, model, i, j), weight_of(workload, model, j, i));
    }
  }
}

TEST(ItemSimilarity, AHugeRidgeLeavesPopularity) {
  const Dataset data = small_data(2);
  ItemSimilarity::Options options = small_options();
  options.l2 = 1e9;
  const ItemSimilarity workload(options);
  Model model = trained(workload, data);

  const Metrics metrics =
      workload.apply(model, *workload.evaluation_sum(model),
                     test::plain_sum(workload, model, *workload.evaluation_sum(model), Unit::customer, data));

  EXPECT_EQ(metrics.at("test_ndcg_10"), metrics.at("test_ndcg_10_popularity"));
}

TEST(ItemSimilarity, PartsOfTheTriangleMakeTheSameModel) {
  const Dataset data = small_data(3);
  ItemSimilarity::Options parted = small_options();
  parted.entries_per_sum = 4;
  parted.min_contributors = 2;
  ItemSimilarity::Options whole = parted;
  whole.entries_per_sum = 1000;
  const ItemSimilarity in_parts(parted), at_once(whole);

  EXPECT_EQ(in_parts.pair_sums(), 11u);
  EXPECT_EQ(at_once.pair_sums(), 1u);
  EXPECT_EQ(trained(in_parts, data).parameters, trained(at_once, data).parameters);
}

TEST(ItemSimilarity, APairOfOneMerchantsCustomersIsInNoModel) {
  // Bread and butter are together at both merchants, beer and chips at the first alone.
  const Dataset data = data_of({{0, 1}, {0, 1}, {2, 3}, {2}, {2, 3}, {3}}, 2);
  ItemSimilarity::Options options = small_options();
  options.kind = ItemSimilarity::Kind::cosine;
  options.min_support = 1;
  options.min_contributors = 2;
  const ItemSimilarity workload(options);

  const Model model = trained(workload, data);

  EXPECT_GT(weight_of(workload, model, 0, 1), 0);
  EXPECT_EQ(weight_of(workload, model, 2, 3), 0);
  EXPECT_EQ(model.server_state[triangle_size(3) + 2], 0);
  const InsightTable table = workload.insights(model).tables.at(0);
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(std::get<std::string>(table.rows[0][0]), "butter");
  EXPECT_EQ(std::get<std::string>(table.rows[0][1]), "bread");
  EXPECT_EQ(std::get<double>(table.rows[0][2]), 2);
  EXPECT_EQ(std::get<double>(table.rows[0][4]), 2 * 6 / (2.0 * 2.0));
}

TEST(ItemSimilarity, OnlyTheMostFrequentItemsAreCompared) {
  const Dataset data = data_of({{0, 1, 5}, {0, 5}, {0, 2, 5}, {0}}, 1);
  ItemSimilarity::Options options = small_options();
  options.items_kept = 2;
  const ItemSimilarity workload(options);

  const Model model = trained(workload, data);

  EXPECT_EQ(array_of(workload.arrays(model), "kept_items"), (std::vector<double>{0, 5}));
  EXPECT_EQ(model.server_state, (std::vector<double>{4, 3, 3}));
}

TEST(ItemSimilarity, APrivateCustomerHasSoManyPairsAndKeepsItsBound) {
  const Dataset data = small_data(1);
  ItemSimilarity::Options options = small_options();
  options.unit = Unit::customer;
  options.items_per_customer = 2;
  const ItemSimilarity workload(options);
  const Model model = train(workload, data, 1);
  const PrivateSum sum = *workload.next_sum(model);
  const Contributor contribute = workload.contributor(model, sum);
  double longest = 0;

  for (std::size_t row = 0; row < data.train.features.rows(); ++row) {
    Contribution contribution;
    contribute(UnitRows{.train = Rows(data.train, row, row + 1), .test = {}, .merchant = 0}, contribution);
    longest = std::max(longest, std::sqrt(static_cast<double>(contribution.values().size())));
  }

  EXPECT_DOUBLE_EQ(longest, sum.clip_norm);
  EXPECT_DOUBLE_EQ(sum.clip_norm, std::sqrt(3.0));
}

TEST(ItemSimilarity, NoiseAloneMakesNoInsight) {
  ItemSimilarity::Options options = small_options();
  options.unit = Unit::customer;
  options.noise_multiplier = 2;
  const ItemSimilarity workload(options);
  Model model = workload.initial_model(1);
  workload.apply(model, *workload.next_sum(model), std::vector<double>{9, 9, 9, 9, 9, 9, 20});
  SeededGenerator generator{3};
  const PrivateSum sum = *workload.next_sum(model);
  std::vector<double> noise(sum.length);
  for (double& cell : noise) {
    cell = 2 * sum.clip_norm * generator.normal();
  }

  workload.apply(model, sum, noise);

  EXPECT_TRUE(workload.insights(model).tables.at(0).rows.empty());
}

TEST(ItemSimilarity, ARunThatEndsEarlySaysThatOnlyPopularityIsLeft) {
  const Dataset data = small_data(2);
  ItemSimilarity::Options options = small_options();
  options.entries_per_sum = 4;
  const ItemSimilarity workload(options);

  const Insights insights = workload.insights(train(workload, data, 2));

  EXPECT_TRUE(insights.tables.empty());
  EXPECT_NE(insights.sentences.at(0).find("popularity"), std::string::npos);
}

TEST(ItemSimilarity, RefusesWhatItCannotDo) {
  ItemSimilarity::Options record = small_options();
  record.unit = Unit::record;
  ItemSimilarity::Options no_items = small_options();
  no_items.items = 0;
  ItemSimilarity::Options none_kept = small_options();
  none_kept.items_kept = 0;
  ItemSimilarity::Options too_many = small_options();
  too_many.items_kept = 1u << 20;

  EXPECT_THROW(ItemSimilarity{record}, Failure);
  EXPECT_THROW(ItemSimilarity{no_items}, Failure);
  EXPECT_THROW(ItemSimilarity{none_kept}, Failure);
  EXPECT_THROW(ItemSimilarity{too_many}, Failure);
}

std::string refusal_of(const std::function<void(Configuration&, WorkloadFacts&)>& change) {
  Configuration configuration;
  configuration.workload.name = "item-similarity";
  configuration.privacy.unit = Unit::none;
  WorkloadFacts facts;
  facts.kind = RowKind::customer;
  facts.width = kItems;
  facts.train_rows = 25;
  change(configuration, facts);
  try {
    make_workload(configuration, facts);
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

TEST(ItemSimilarity, RefusesConfigurationsInASentence) {
  EXPECT_EQ(refusal_of([](Configuration&, WorkloadFacts&) {}), "");
  EXPECT_NE(refusal_of([](Configuration&, WorkloadFacts& facts) {
              facts.kind = RowKind::record;
            }).find("data.format=ratings"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Configuration& c, WorkloadFacts&) { c.privacy.turns = 2; }).find("privacy.turns"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Configuration& c, WorkloadFacts&) {
              c.aggregation.ring = "32";
            }).find("aggregation.ring=32"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Configuration& c, WorkloadFacts&) {
              c.workload.other["entries_per_sum"] = "4";
              c.federation.rounds = 3;
            }).find("federation.rounds: the pairs of items take 6 sums"),
            std::string::npos);
}

TEST(NeighbourScores, AddWhatACustomersItemsSayAndTellWhich) {
  const NeighbourLists lists{.count = 1, .sources = {1, 0}, .weights = {0.5, -0.25}};
  const std::uint32_t ids[] = {2, 4};
  NeighbourScores scores(lists, ids, {0.1f, 0, 0, 0, 0.3f});
  const std::uint32_t of_four[] = {4, 9};

  const std::span<const float> found = scores.of(of_four);

  EXPECT_EQ(found.size(), 5u);
  EXPECT_FLOAT_EQ(found[0], 0.1f);
  EXPECT_FLOAT_EQ(found[2], 0.5f);
  ASSERT_EQ(scores.reasons(of_four, 2).size(), 1u);
  EXPECT_EQ(scores.reasons(of_four, 2)[0].column, 4u);
  EXPECT_TRUE(scores.reasons(ids, 4).empty());  // It speaks against.
}

}  // namespace
}  // namespace hanse
