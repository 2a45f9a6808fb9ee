#include "common/workloads/logistic_regression.h"

#include <cmath>

#include "common/base/failure.h"
#include "tests/reference/logistic_reference.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::LabelledRow;
using reference::Pool;

constexpr std::uint32_t kWidth = 7;

std::vector<double> exact_sum(const Workload& workload, const Model& model, const PrivateSum& sum, Unit unit,
                              const Dataset& data) {
  std::vector<double> total(sum.length, 0.0);
  const Contributor contribute = workload.contributor(model, sum);
  for (const MerchantRows& merchant : data.merchants) {
    for_each_unit(data, merchant, unit, sum.population, [&](const UnitRows& rows) {
      Contribution contribution;
      contribute(rows, contribution);
      for (std::size_t i = 0; i < contribution.row().columns.size(); ++i) {
        total[contribution.row().columns[i]] +=
            contribution.scale() * static_cast<double>(contribution.row().values[i]);
      }
      std::size_t at = 0;
      for (const Contribution::Block& block : contribution.blocks()) {
        for (std::size_t i = 0; i < block.count; ++i) {
          total[block.first + i] += contribution.values()[at++];
        }
      }
    });
  }
  return total;
}

Dataset small_data(std::uint32_t merchants) {
  return test::deal_people(test::record_people(20, false), merchants, RowKind::record, test::record_space());
}

Pool pool_of(const Dataset& data, std::size_t begin, std::size_t end) {
  Pool pool;
  for (std::size_t i = begin; i < end; ++i) {
    LabelledRow row{.x = std::vector<double>(kWidth, 0.0), .y = static_cast<double>(data.train.labels[i])};
    const SparseRow sparse = data.train.features.row(i);
    for (std::size_t e = 0; e < sparse.columns.size(); ++e) {
      row.x[sparse.columns[e]] = static_cast<double>(sparse.values[e]);
    }
    pool.push_back(row);
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
    const PrivateSum sum = *workload.next_sum(model);
    workload.apply(model, sum, exact_sum(workload, model, sum, unit, data));
  }
  return model;
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance) << i;
  }
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

  const std::vector<double> records = exact_sum(workload, model, sum, Unit::record, data);

  expect_near(exact_sum(workload, model, sum, Unit::customer, data), records, 1e-12);
  expect_near(exact_sum(workload, model, sum, Unit::merchant, data), records, 1e-12);
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

  const std::vector<double> total = exact_sum(workload, model, *workload.next_sum(model), Unit::record, data);

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

TEST(LogisticRegression, EqualWeightsGiveEveryMerchantOneVoice) {
  const Dataset data = small_data(3);
  LogisticRegression::Options options = options_for(data);
  options.solver = LogisticRegression::Solver::local;
  options.equal_weights = true;
  const LogisticRegression workload(options);
  const Model model = workload.initial_model(1);

  const std::vector<double> total =
      exact_sum(workload, model, *workload.next_sum(model), Unit::merchant, data);

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

  EXPECT_THROW(LogisticRegression{local_records}, Failure);
  EXPECT_THROW(LogisticRegression{nobody}, Failure);
}

}  // namespace
}  // namespace hanse
