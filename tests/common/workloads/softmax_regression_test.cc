#include "common/workloads/softmax_regression.h"

#include <cmath>
#include <numeric>

#include "common/base/failure.h"
#include "common/numerics/row_table.h"
#include "common/numerics/softmax.h"
#include "tests/reference/softmax_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::ClassifiedRow;
using reference::ClassWeights;

constexpr std::uint32_t kWidth = 7;
constexpr std::size_t kClasses = 3;

Dataset class_data(std::uint32_t merchants) {
  return test::deal_people(test::class_people(40), merchants, RowKind::record, test::class_space());
}

std::vector<ClassifiedRow> pool_of(const RowBlock& block) {
  std::vector<ClassifiedRow> pool;
  for (std::size_t i = 0; i < block.features.rows(); ++i) {
    pool.push_back({.x = test::dense_row(block.features.row(i), kWidth),
                    .y = static_cast<std::size_t>(block.labels[i])});
  }
  return pool;
}

SoftmaxRegression::Options options_for(const Dataset& data) {
  SoftmaxRegression::Options options;
  options.classes = data.space.classes;
  options.columns = data.space.names;
  options.rounds.train_rows = static_cast<double>(data.train.features.rows());
  options.rounds.merchants = static_cast<std::uint32_t>(data.merchants.size());
  options.rounds.l2 = 0.02;
  options.rounds.server.learning_rate = 0.5;
  return options;
}

Model fit(const SoftmaxRegression& workload, Unit unit, const Dataset& data, int rounds,
          Metrics* metrics = nullptr) {
  Model model = workload.initial_model(1);
  for (int round = 0; round < rounds; ++round) {
    const PrivateSum sum = *workload.next_sum(model);
    const Metrics told = workload.apply(model, sum, test::plain_sum(workload, model, sum, unit, data));
    if (metrics != nullptr) {
      *metrics = told;
    }
  }
  return model;
}

void expect_same(const Model& model, const ClassWeights& expected, double tolerance) {
  ASSERT_EQ(model.parameters.size(), kWidth * kClasses);
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t k = 0; k < kClasses; ++k) {
      EXPECT_NEAR(model.parameters[j * kClasses + k], expected[j][k], tolerance) << j << ", " << k;
    }
  }
}

TEST(Softmax, OfLogitsIsTheirProbabilitiesWithoutOverflow) {
  std::vector<double> small = {0, std::log(3.0)};
  std::vector<double> large = {1000, 1000};

  EXPECT_NEAR(softmax(small), std::log(4.0), 1e-15);
  EXPECT_NEAR(softmax(large), 1000 + std::log(2.0), 1e-12);
  EXPECT_NEAR(small[0], 0.25, 1e-15);
  EXPECT_EQ(large[1], 0.5);
}

TEST(RowTable, MultipliesALineForEachColumnOfTheRow) {
  const std::vector<std::uint32_t> columns = {0, 2};
  const std::vector<float> values = {2, -1};
  const SparseRow row{columns, values};
  std::vector<double> table = {1, 2, 3, 4, 5, 6};
  std::vector<double> out(2);

  multiply_row(row, table, out);
  add_outer(row, 0.5, std::vector<double>{1, 10}, table);

  EXPECT_EQ(out, (std::vector<double>{2 - 5, 4 - 6}));
  EXPECT_EQ(table, (std::vector<double>{2, 12, 3, 4, 4.5, 1}));
}

TEST(SoftmaxRegression, EqualsGradientDescentOnThePooledRowsForAnyNumberOfMerchantsAndAnyUnit) {
  for (const std::uint32_t merchants : {1u, 3u, 41u}) {  // One of 41 has no rows.
    const Dataset data = class_data(merchants);
    const ClassWeights expected = reference::softmax_descent(pool_of(data.train), kClasses, 0.5, 0.02, 25);
    for (const Unit unit : {Unit::record, Unit::customer, Unit::merchant}) {
      const Model model = fit(SoftmaxRegression(options_for(data)), unit, data, 25);

      expect_same(model, expected, 1e-9);
    }
  }
}

TEST(SoftmaxRegression, TellsTheMeanLossOfTheModelBefore) {
  const Dataset data = class_data(3);
  Metrics metrics;

  fit(SoftmaxRegression(options_for(data)), Unit::record, data, 6, &metrics);

  const auto pool = pool_of(data.train);
  EXPECT_NEAR(metrics.at("train_loss"),
              reference::mean_loss(pool, reference::softmax_descent(pool, kClasses, 0.5, 0.02, 5)), 1e-9);
}

TEST(SoftmaxRegression, LocalEpochsOfOneMerchantAreMiniBatchDescentOnItsRows) {
  const Dataset data = class_data(1);
  SoftmaxRegression::Options options = options_for(data);
  options.rounds.local = true;
  options.rounds.server.learning_rate = 1;
  options.rounds.epochs = {.epochs = 3, .batch = 8, .learning_rate = 0.2, .shuffle = false};

  const Model model = fit(SoftmaxRegression(options), Unit::merchant, data, 1);

  expect_same(model, reference::softmax_descent(pool_of(data.train), kClasses, 0.2, 0.02, 3, 8), 1e-9);
}

TEST(SoftmaxRegression, TheAverageOfLocalModelsWeighsMerchantsByTheirRows) {
  const Dataset data = class_data(3);
  SoftmaxRegression::Options options = options_for(data);
  options.rounds.local = true;
  options.rounds.server.learning_rate = 1;
  options.rounds.epochs = {.epochs = 1, .batch = 16, .learning_rate = 0.2, .shuffle = false};
  std::vector<double> expected(kWidth * kClasses, 0.0);
  const auto pool = pool_of(data.train);

  for (const MerchantRows& merchant : data.merchants) {
    const std::vector<ClassifiedRow> own(pool.begin() + static_cast<std::ptrdiff_t>(merchant.train_begin),
                                         pool.begin() + static_cast<std::ptrdiff_t>(merchant.train_end));
    const ClassWeights local = reference::softmax_descent(own, kClasses, 0.2, 0.02, 1, 16);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] += local[i / kClasses][i % kClasses] * static_cast<double>(own.size()) /
                     static_cast<double>(pool.size());
    }
  }

  const Model model = fit(SoftmaxRegression(options), Unit::merchant, data, 1);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(model.parameters[i], expected[i], 1e-9) << i;
  }
}

TEST(SoftmaxRegression, AProximalTermHoldsLocalEpochsBack) {
  const Dataset data = class_data(2);
  SoftmaxRegression::Options options = options_for(data);
  options.rounds.local = true;
  options.rounds.server.learning_rate = 1;
  options.rounds.epochs = {.epochs = 4, .batch = 8, .learning_rate = 0.2};
  SoftmaxRegression::Options held = options;
  held.rounds.epochs.proximal_mu = 3;

  const auto norm = [&](const SoftmaxRegression::Options& o) {
    const Model model = fit(SoftmaxRegression(o), Unit::merchant, data, 1);
    return std::sqrt(
        std::inner_product(model.parameters.begin(), model.parameters.end(), model.parameters.begin(), 0.0));
  };
  EXPECT_LT(norm(held), 0.7 * norm(options));
}

TEST(SoftmaxRegression, ARecordTouchesTheBlocksOfItsColumnsAlone) {
  const Dataset data = class_data(1);
  SoftmaxRegression::Options options = options_for(data);
  options.rounds.unit = Unit::record;
  const SoftmaxRegression workload(options);
  const Model model = workload.initial_model(1);

  Contribution contribution;
  workload.contributor(model, *workload.next_sum(model))(
      {.train = Rows(data.train, 0, 1), .test = {}, .merchant = 0}, contribution);

  EXPECT_EQ(contribution.blocks().size(), data.train.features.row(0).columns.size());
  EXPECT_EQ(contribution.values().size(), kClasses * data.train.features.row(0).columns.size());
  EXPECT_EQ(workload.next_sum(model)->length, kWidth * kClasses);
  EXPECT_EQ(workload.next_sum(model)->clip_norm, 1);
}

TEST(SoftmaxRegression, TellsTestRowsApart) {
  const Dataset data = class_data(3);
  const SoftmaxRegression workload(options_for(data));
  Model model = fit(workload, Unit::record, data, 200);
  const PrivateSum sum = *workload.evaluation_sum(model);

  const std::vector<double> total = test::plain_sum(workload, model, sum, Unit::record, data);
  const Metrics metrics = workload.apply(model, sum, total);

  EXPECT_GT(metrics.at("test_accuracy"), 0.6);
  EXPECT_GT(metrics.at("test_mcc"), 0.3);
  EXPECT_FALSE(workload.evaluation_insights(sum, total, 0).tables.empty());
  std::vector<double> p(kClasses);
  workload.class_scorer(model)(data.test.features.row(0), p);
  EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-12);
}

TEST(SoftmaxRegression, InsightsNameWhatSpeaksForAClassAndNoHashedWords) {
  const Dataset data = class_data(3);
  const SoftmaxRegression workload(options_for(data));

  const Insights insights = workload.insights(fit(workload, Unit::record, data, 100));

  ASSERT_EQ(insights.tables.size(), 1u);
  bool spender = false;
  for (const auto& row : insights.tables[0].rows) {
    EXPECT_EQ(std::get<std::string>(row[1]).find('#'), std::string::npos);
    spender =
        spender || (std::get<std::string>(row[0]) == "spender" && std::get<std::string>(row[1]) == "spent");
  }
  EXPECT_TRUE(spender);
}

TEST(SoftmaxRegression, RefusesWhatItCannotDo) {
  const Dataset data = class_data(1);
  const auto refusal = [&](auto change) -> std::string {
    SoftmaxRegression::Options options = options_for(data);
    change(options);
    try {
      SoftmaxRegression{options};
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return failure.what();
    }
    return "";
  };

  EXPECT_NE(refusal([](auto& o) { o.rounds.train_rows = 0; }).find("no training rows"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) {
              o.rounds.local = true;
              o.rounds.unit = Unit::record;
            }).find("workload.solver=gradient"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.rounds.epochs.batch = 0; }).find("workload.batch"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.rounds.epochs.proximal_mu = 1; }).find("workload.solver=local"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& o) {
              o.columns.resize(1u << 20);
              o.classes.resize(100);
            }).find("fewer buckets"),
            std::string::npos);
}

}  // namespace
}  // namespace hanse
