#include "common/workloads/logistic_regression.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/base/failure.h"
#include "tests/reference/logistic_reference.h"
#include "tests/support/expect_near.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::LabelledRow;
using reference::Pool;
using test::expect_near;

constexpr std::uint32_t kWidth = 7;

Dataset small_data(std::uint32_t merchants) {
  return test::deal_people(test::record_people(20, false), merchants, RowKind::record, test::record_space());
}

Pool pool_of(const Dataset& data, std::size_t begin, std::size_t end) {
  Pool pool;
  for (std::size_t i = begin; i < end; ++i) {
    pool.push_back({.x = test::dense_row(data.train.features.row(i), kWidth),
                    .y = static_cast<double>(data.train.labels[i])});
  }
  return pool;
}

LogisticRegression::Options options_for(const Dataset& data) {
  LogisticRegression::Options options;
  options.width = kWidth;
  options.train_rows = static_cast<double>(data.train.features.rows());
  options.merchants = static_cast<std::uint32_t>(data.merchants.size());
  options.l2 = 0.01;
  options.server = {.name = "sgd", .learning_rate = 0.5};
  return options;
}

Model train(const LogisticRegression& workload, Unit unit, const Dataset& data, int rounds) {
  Model model = workload.initial_model(1);
  for (int round = 0; round < rounds; ++round) {
    const std::optional<PrivateSum> sum = workload.next_sum(model);
    if (!sum) {
      break;
    }
    workload.apply(model, *sum,
                   test::plain_sum(workload, model, *sum, summed_unit(workload, *sum, unit), data));
  }
  return model;
}

TEST(LogisticRegression, EqualsGradientDescentOnThePooledRows) {
  const Dataset data = small_data(4);
  const LogisticRegression workload(options_for(data));

  const Model model = train(workload, Unit::record, data, 30);

  const Pool pool = pool_of(data, 0, data.train.features.rows());
  expect_near(model.parameters, reference::gradient_descent(pool, kWidth, 0.5, 0.01, 30), 1e-10);
}

TEST(LogisticRegression, CustomersAndMerchantsAddUpToTheSameGradientAsRecords) {
  const Dataset data = small_data(4);
  const LogisticRegression workload(options_for(data));
  const Model model = train(workload, Unit::record, data, 3);
  const PrivateSum sum = *workload.next_sum(model);

  const std::vector<double> records = test::plain_sum(workload, model, sum, Unit::record, data);

  expect_near(test::plain_sum(workload, model, sum, Unit::customer, data), records, 1e-12);
  expect_near(test::plain_sum(workload, model, sum, Unit::merchant, data), records, 1e-12);
}

TEST(LogisticRegression, TheGradientIsThatOfTheLossByCentralDifferences) {
  const Dataset data = small_data(2);
  const LogisticRegression workload(options_for(data));
  Model model = workload.initial_model(1);
  for (std::size_t i = 0; i < kWidth; ++i) {
    model.parameters[i] = 0.3 * std::sin(static_cast<double>(i));
  }
  const Pool pool = pool_of(data, 0, data.train.features.rows());
  const double rows = static_cast<double>(pool.size());
  const double h = 1e-5;

  const std::vector<double> total =
      test::plain_sum(workload, model, *workload.next_sum(model), Unit::record, data);

  for (std::size_t i = 0; i < kWidth; ++i) {
    std::vector<double> above = model.parameters;
    std::vector<double> below = model.parameters;
    above[i] += h;
    below[i] -= h;
    const double slope = (mean_loss(pool, above) - mean_loss(pool, below)) / (2 * h);
    EXPECT_NEAR(total[i] / rows, slope, 1e-8) << i;
  }
  EXPECT_NEAR(total[kWidth] / total[kWidth + 1], mean_loss(pool, model.parameters), 1e-12);
  EXPECT_EQ(total[kWidth + 1], rows);
}

TEST(LogisticRegression, LocalStepsEqualFederatedAveraging) {
  const Dataset data = small_data(3);
  LogisticRegression::Options options = options_for(data);
  options.solver = LogisticRegression::Solver::local;
  options.local_epochs = 2;
  options.batch = 4;
  options.learning_rate = 0.2;
  options.seed = 11;
  options.server.learning_rate = 1;
  const LogisticRegression workload(options);
  std::vector<Pool> pools;
  for (const MerchantRows& merchant : data.merchants) {
    pools.push_back(pool_of(data, merchant.train_begin, merchant.train_end));
  }

  const Model model = train(workload, Unit::merchant, data, 5);

  const reference::AveragingOptions averaging{
      .rounds = 5, .epochs = 2, .batch = 4, .rate = 0.2, .l2 = 0.01, .seed = 11};
  expect_near(model.parameters, reference::federated_averaging(pools, kWidth, averaging), 1e-10);
}

void expect_equal_to_averaging(LogisticRegression::Options options, reference::AveragingOptions averaging) {
  const Dataset data = small_data(3);
  options.width = kWidth;
  options.train_rows = static_cast<double>(data.train.features.rows());
  options.merchants = 3;
  options.l2 = averaging.l2 = 0.01;
  options.solver = LogisticRegression::Solver::local;
  options.local_epochs = averaging.epochs = 2;
  options.batch = 4;
  options.learning_rate = averaging.rate = 0.2;
  options.seed = averaging.seed = 11;
  averaging.rounds = 6;
  std::vector<Pool> pools;
  for (const MerchantRows& merchant : data.merchants) {
    pools.push_back(pool_of(data, merchant.train_begin, merchant.train_end));
    for (LabelledRow& row : pools.back()) {
      row.weight = row.y > 0 ? options.positive_weight : 1;
    }
  }

  const Model model = train(LogisticRegression(options), Unit::none, data, averaging.rounds);

  const std::vector<double> expected = reference::federated_averaging(pools, kWidth, averaging);
  expect_near({model.parameters.begin(), model.parameters.begin() + kWidth}, expected, 1e-10);
}

TEST(LogisticRegression, LocalStepsWithAProximalTermEqualFedProx) {
  LogisticRegression::Options options;
  options.proximal_mu = 0.7;

  expect_equal_to_averaging(options, {.mu = 0.7});
}

TEST(LogisticRegression, ControlVariatesComputedAgainEqualScaffoldThatRemembersThem) {
  LogisticRegression::Options options;
  options.scaffold = true;

  expect_equal_to_averaging(options, {.scaffold = true});
}

TEST(LogisticRegression, ClassWeightsCorrectionsAndProximalTermGoTogether) {
  LogisticRegression::Options options;
  options.scaffold = true;
  options.proximal_mu = 0.3;
  options.positive_weight = 2.5;

  expect_equal_to_averaging(options, {.mu = 0.3, .scaffold = true});
}

TEST(LogisticRegression, ScaffoldComesToTheCommonOptimumWhereAveragingDoesNot) {
  const Dataset data = small_data(3);
  LogisticRegression::Options options = options_for(data);
  options.solver = LogisticRegression::Solver::local;
  options.batch = 1000;  // The whole merchant: no noise of batches.
  options.local_epochs = 10;
  options.learning_rate = 0.3;
  options.server.learning_rate = 1;
  options.l2 = 0.1;
  const Pool pool = pool_of(data, 0, data.train.features.rows());
  const std::vector<double> optimum = reference::gradient_descent(pool, kWidth, 0.5, 0.1, 20000);
  const auto distance = [&](const Model& model) {
    double largest = 0;
    for (std::size_t i = 0; i < kWidth; ++i) {
      largest = std::max(largest, std::abs(model.parameters[i] - optimum[i]));
    }
    return largest;
  };

  const double averaged = distance(train(LogisticRegression(options), Unit::none, data, 300));
  options.scaffold = true;
  const double corrected = distance(train(LogisticRegression(options), Unit::none, data, 300));

  EXPECT_GT(averaged, 1e-3);
  EXPECT_LT(corrected, 1e-8);
}

/// Rows in their order: what each step does can be said by hand.
TEST(LogisticRegression, WithoutShufflingTheFirstStepIsThatOfTheFirstRows) {
  const Dataset data = small_data(1);
  LogisticRegression::Options options = options_for(data);
  options.solver = LogisticRegression::Solver::local;
  options.shuffle = false;
  options.batch = static_cast<std::uint32_t>(data.train.features.rows() - 1);
  options.l2 = 0;
  options.server.learning_rate = 1;
  const Pool all = pool_of(data, 0, data.train.features.rows());
  std::vector<double> expected(kWidth, 0.0);
  for (const Pool& batch : {Pool(all.begin(), all.end() - 1), Pool(all.end() - 1, all.end())}) {
    const std::vector<double> gradient = reference::mean_gradient(batch, expected);
    for (std::size_t j = 0; j < kWidth; ++j) {
      expected[j] -= options.learning_rate * gradient[j];
    }
  }

  const Model model = train(LogisticRegression(options), Unit::none, data, 1);

  expect_near(model.parameters, expected, 1e-12);
}

LogisticRegression::Options newton_options(const Dataset& data) {
  LogisticRegression::Options options = options_for(data);
  options.solver = LogisticRegression::Solver::newton;
  options.server = {};
  return options;
}

std::vector<double> weights_of(const Model& model) {
  return {model.parameters.begin(), model.parameters.begin() + kWidth};
}

TEST(LogisticRegression, NewtonComesToTheOptimumOfThePooledRowsInTenRoundsAndStops) {
  for (const double positive_weight : {1.0, 3.0}) {
    const Dataset data = small_data(4);
    LogisticRegression::Options options = newton_options(data);
    options.positive_weight = positive_weight;
    const LogisticRegression workload(options);

    const Model model = train(workload, Unit::none, data, 100);

    Pool pool = pool_of(data, 0, data.train.features.rows());
    for (LabelledRow& row : pool) {
      row.weight = row.y > 0 ? positive_weight : 1;
    }
    expect_near(weights_of(model), reference::gradient_descent(pool, kWidth, 0.5, 0.01, 40000), 1e-6);
    EXPECT_LE(model.step, 10u);
    EXPECT_LE(workload.arrays(model)[2].values[0], 1e-8);
    EXPECT_EQ(workload.next_sum(model), std::nullopt);
  }
}

/// Visits with a coupon or without, bought or not: 12 and 4 with, 6 and 9 without.
Dataset coupons() {
  FeatureSpace space;
  space.width = 2;
  space.names = {"coupon=yes", "intercept"};
  space.sparse_ranges = {{.begin = 0, .end = 1, .name = "coupon"}};
  std::vector<test::Person> people;
  const auto add = [&](int count, bool coupon, float label) {
    for (int i = 0; i < count; ++i) {
      test::Person::Row row{.columns = {1}, .values = {1}, .label = label};
      if (coupon) {
        row = {.columns = {0, 1}, .values = {1, 1}, .label = label};
      }
      people.push_back({.train = {row}, .test = {}});
    }
  };
  add(12, true, 1);
  add(4, true, 0);
  add(6, false, 1);
  add(9, false, 0);
  return test::deal_people(people, 3, RowKind::record, space);
}

TEST(LogisticRegression, NewtonTellsOddsRatiosWithWoolfsStandardErrors) {
  const Dataset data = coupons();
  LogisticRegression::Options options = newton_options(data);
  options.width = 2;
  options.l2 = 0;
  options.space = data.space;
  const LogisticRegression workload(options);

  const Model model = train(workload, Unit::none, data, 50);

  const Insights insights = workload.insights(model);
  ASSERT_EQ(insights.tables.size(), 2u);
  const std::vector<InsightCell>& coupon = insights.tables[1].rows[0];
  EXPECT_NEAR(std::get<double>(coupon[2]), std::sqrt(1 / 12.0 + 1 / 4.0 + 1 / 6.0 + 1 / 9.0), 1e-6);
  EXPECT_NEAR(std::get<double>(coupon[3]), 12.0 * 9 / (4 * 6), 1e-6);
  EXPECT_EQ(std::get<std::string>(insights.tables[0].rows[0][0]), "coupon=yes");
  EXPECT_NEAR(std::get<double>(insights.tables[1].rows[1][2]), std::sqrt(1 / 6.0 + 1 / 9.0), 1e-6);
  EXPECT_EQ(workload.arrays(model).back().name, "standard_errors");
}

TEST(LogisticRegression, CoefficientsWithoutTheHessianHaveNoStandardErrors) {
  const Dataset data = coupons();
  LogisticRegression::Options gradient = options_for(data);
  gradient.width = 2;
  gradient.space = data.space;
  LogisticRegression::Options weighted = gradient;
  weighted.solver = LogisticRegression::Solver::newton;
  weighted.server = {};
  weighted.positive_weight = 2;

  for (const LogisticRegression::Options& options : {gradient, weighted}) {
    const LogisticRegression workload(options);
    const Insights insights = workload.insights(train(workload, Unit::none, data, 50));

    EXPECT_EQ(insights.sentences.size(), 1u);
    EXPECT_TRUE(std::isnan(std::get<double>(insights.tables.at(1).rows[0][2])));
  }
}

TEST(LogisticRegression, NewtonWithoutPenaltyBearsColumnsThatDependOnEachOther) {
  const Dataset data = small_data(4);  // The towns add up to the intercept.
  LogisticRegression::Options options = newton_options(data);
  options.l2 = 0;
  const LogisticRegression workload(options);

  const Model model = train(workload, Unit::none, data, 60);

  EXPECT_EQ(workload.next_sum(model), std::nullopt);
  for (const double weight : model.parameters) {
    EXPECT_LT(std::abs(weight), 100);
  }
}

TEST(LogisticRegression, BothSolversShrinkToTheSameSparseModel) {
  const Dataset data = small_data(4);
  LogisticRegression::Options gradient = options_for(data);
  gradient.l1 = 0.03;
  LogisticRegression::Options momentum = gradient;
  momentum.server = {.name = "momentum", .learning_rate = 0.1, .momentum = 0.8};
  LogisticRegression::Options newton = newton_options(data);
  newton.l1 = 0.03;
  const Pool pool = pool_of(data, 0, data.train.features.rows());
  const std::vector<double> expected = reference::gradient_descent(pool, kWidth, 0.5, 0.01, 20000, 0.03);

  const auto zeros = std::count(expected.begin(), expected.end(), 0.0);
  EXPECT_GE(zeros, 1);
  EXPECT_LT(zeros, kWidth - 1);
  expect_near(train(LogisticRegression(gradient), Unit::record, data, 20000).parameters, expected, 1e-8);
  expect_near(train(LogisticRegression(momentum), Unit::record, data, 20000).parameters, expected, 1e-8);
  const Model model = train(LogisticRegression(newton), Unit::none, data, 100);
  expect_near(weights_of(model), expected, 1e-6);
  EXPECT_LE(model.step, 15u);
  for (std::size_t i = 0; i < kWidth; ++i) {
    EXPECT_EQ(model.parameters[i] == 0, expected[i] == 0) << i;
  }
}

TEST(LogisticRegression, NewtonUnderPrivacyIsTheSameStepWithARidgeAgainstTheNoise) {
  const Dataset data = small_data(4);
  LogisticRegression::Options options = newton_options(data);
  options.unit = Unit::record;
  options.clip = 8;  // Nothing is clipped.
  const LogisticRegression exact(options);
  options.noise_multiplier = 3;
  const LogisticRegression cautious(options);
  options.unit = Unit::none;
  options.clip = options.noise_multiplier = 0;

  const Model without = train(LogisticRegression(options), Unit::none, data, 1);
  const Model with = train(exact, Unit::record, data, 1);
  const Model damped = train(cautious, Unit::record, data, 1);

  expect_near(weights_of(with), weights_of(without), 1e-6);
  for (std::size_t i = 0; i < kWidth; ++i) {
    EXPECT_LE(std::abs(damped.parameters[i]), std::abs(with.parameters[i])) << i;
  }
  EXPECT_NE(exact.next_sum(train(exact, Unit::record, data, 50)), std::nullopt) << "a noisy norm is no end";
}

TEST(LogisticRegression, EqualWeightsGiveEveryMerchantOneVoice) {
  const Dataset data = small_data(3);
  LogisticRegression::Options options = options_for(data);
  options.solver = LogisticRegression::Solver::local;
  options.equal_weights = true;
  const LogisticRegression workload(options);
  const Model model = workload.initial_model(1);

  const std::vector<double> total =
      test::plain_sum(workload, model, *workload.next_sum(model), Unit::merchant, data);

  EXPECT_EQ(total[kWidth + 1], 3);
}

TEST(LogisticRegression, DividesByTheReleasedCountAndTheExpectedShareUnderPrivacy) {
  const Dataset data = small_data(2);
  LogisticRegression::Options options = options_for(data);
  options.unit = Unit::record;
  options.train_rows = 10;
  options.expected_share = 0.5;
  options.l2 = 0;
  options.server = {.name = "sgd", .learning_rate = 1};
  const LogisticRegression workload(options);
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  ASSERT_EQ(sum.length, kWidth);
  EXPECT_EQ(sum.clip_norm, 1);

  workload.apply(model, sum, std::vector<double>(kWidth, 5.0));

  EXPECT_EQ(model.parameters, std::vector<double>(kWidth, -1.0));
}

TEST(LogisticRegression, ARoundInWhichNobodyTookPartMovesNothing) {
  const Dataset data = small_data(2);
  const LogisticRegression workload(options_for(data));
  Model model = train(workload, Unit::record, data, 2);
  const std::vector<double> before = model.parameters;
  const PrivateSum sum = *workload.next_sum(model);

  const Metrics metrics = workload.apply(model, sum, std::vector<double>(sum.length, 0.0));

  EXPECT_EQ(model.parameters, before);
  EXPECT_TRUE(metrics.empty());
}

TEST(LogisticRegression, RefusesWhatContradictsItself) {
  const Dataset data = small_data(2);
  LogisticRegression::Options local_records = options_for(data);
  local_records.solver = LogisticRegression::Solver::local;
  local_records.unit = Unit::record;
  LogisticRegression::Options nobody = options_for(data);
  nobody.train_rows = 0;

  LogisticRegression::Options wide = newton_options(data);
  wide.width = LogisticRegression::kNewtonWidthMax + 1;
  LogisticRegression::Options sparse_average = options_for(data);
  sparse_average.solver = LogisticRegression::Solver::local;
  sparse_average.l1 = 0.1;
  LogisticRegression::Options sparse_adam = options_for(data);
  sparse_adam.server.name = "adam";
  sparse_adam.l1 = 0.1;
  LogisticRegression::Options newton_adam = newton_options(data);
  newton_adam.server.name = "adam";
  LogisticRegression::Options corrected_gradient = options_for(data);
  corrected_gradient.scaffold = true;
  LogisticRegression::Options weightless = options_for(data);
  weightless.positive_weight = 0;
  LogisticRegression::Options sparse_noise = newton_options(data);
  sparse_noise.unit = Unit::record;
  sparse_noise.l1 = 0.1;

  for (const LogisticRegression::Options& refused :
       {local_records, nobody, wide, sparse_average, sparse_adam, newton_adam, corrected_gradient, weightless,
        sparse_noise}) {
    EXPECT_THROW(LogisticRegression{refused}, Failure);
  }
}

}  // namespace
}  // namespace hanse
