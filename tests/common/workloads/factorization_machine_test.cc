#include "common/workloads/factorization_machine.h"

#include <cmath>
#include <string>

#include "common/base/failure.h"
#include "tests/reference/factorization_machine_reference.h"
#include "tests/support/expect_near.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::FactorMachine;
using reference::LabelledRow;
using reference::Pool;
using test::expect_near;

constexpr std::uint32_t kWidth = 7;
constexpr std::size_t kColumns = kWidth - 1;

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

FactorizationMachine::Options options_for(const Dataset& data, std::uint32_t rank = 3) {
  FactorizationMachine::Options options;
  options.width = kWidth;
  options.rank = rank;
  options.train_rows = static_cast<double>(data.train.features.rows());
  options.merchants = static_cast<std::uint32_t>(data.merchants.size());
  options.init = 0.5;
  options.penalties = {.l2 = 0.01, .l2_factors = 0.02};
  options.server = {.name = "sgd", .learning_rate = 0.5};
  return options;
}

FactorMachine machine_of(const std::vector<double>& parameters, std::size_t rank) {
  FactorMachine machine{.bias = parameters[0], .w = {}, .v = {}};
  for (std::size_t j = 0; j < kColumns; ++j) {
    const auto block = parameters.begin() + static_cast<std::ptrdiff_t>(1 + j * (rank + 1));
    machine.w.push_back(*block);
    machine.v.emplace_back(block + 1, block + 1 + static_cast<std::ptrdiff_t>(rank));
  }
  return machine;
}

std::vector<double> parameters_of(const FactorMachine& machine) {
  std::vector<double> parameters = {machine.bias};
  for (std::size_t j = 0; j < machine.w.size(); ++j) {
    parameters.push_back(machine.w[j]);
    parameters.insert(parameters.end(), machine.v[j].begin(), machine.v[j].end());
  }
  return parameters;
}

Model train(const FactorizationMachine& workload, Unit unit, const Dataset& data, int rounds) {
  Model model = workload.initial_model(1);
  for (int round = 0; round < rounds; ++round) {
    const PrivateSum sum = *workload.next_sum(model);
    workload.apply(model, sum, test::plain_sum(workload, model, sum, unit, data));
  }
  return model;
}

TEST(FactorTable, ScoresARowByItsPairs) {
  FactorTable table(3, 2);
  table.set(0, std::vector<double>{0.5, 1, 2});
  table.set(1, std::vector<double>{-1, 3, -1});
  table.set(2, std::vector<double>{0.25, 0, 4});
  const std::vector<std::uint32_t> columns = {0, 2};
  const std::vector<float> values = {2, 3};
  std::vector<float> sums(table.padded_rank());

  const double score = table.score({columns, values}, sums);

  // Linear 0.5 * 2 + 0.25 * 3; the one pair (1 * 0 + 2 * 4) * 2 * 3.
  EXPECT_DOUBLE_EQ(score, 1.75 + 48);
  EXPECT_EQ(sums[0], 2);
  EXPECT_EQ(sums[1], 16);
  EXPECT_EQ(sums[2], 0);
}

TEST(FactorTable, ARowWithoutColumnsScoresZero) {
  FactorTable table(0, 4);
  std::vector<float> sums(table.padded_rank());

  EXPECT_EQ(table.score({}, sums), 0);
}

// Ranks of one, two, four and an odd number of registers, padded and full.
class FactorizationMachineOfRank : public testing::TestWithParam<std::uint32_t> {};

TEST_P(FactorizationMachineOfRank, EqualsGradientDescentOnThePooledRows) {
  const std::uint32_t rank = GetParam();
  const Dataset data = small_data(4);
  const FactorizationMachine workload(options_for(data, rank));
  const FactorMachine start = machine_of(workload.initial_model(1).parameters, rank);

  const Model model = train(workload, Unit::record, data, 30);

  const Pool pool = pool_of(data, 0, data.train.features.rows());
  const FactorMachine expected = reference::gradient_descent(pool, start, 0.5, 0.01, 0.02, 30);
  expect_near(model.parameters, parameters_of(expected), 1e-6);
}

TEST_P(FactorizationMachineOfRank, LocalStepsEqualAnAverageOfPlainAdagrad) {
  const std::uint32_t rank = GetParam();
  const Dataset data = small_data(3);
  FactorizationMachine::Options options = options_for(data, rank);
  options.solver = FactorizationMachine::Solver::local;
  options.penalties.epochs = 2;
  options.penalties.learning_rate = 0.2;
  options.seed = 11;
  options.server.learning_rate = 1;
  const FactorizationMachine workload(options);
  const reference::AdagradOptions adagrad{.epochs = 2, .rate = 0.2, .l2 = 0.01, .l2_factors = 0.02};
  std::vector<double> expected = workload.initial_model(1).parameters;
  for (std::uint64_t round = 0; round < 4; ++round) {
    const FactorMachine global = machine_of(expected, rank);
    std::vector<double> average(expected.size(), 0.0);
    for (const MerchantRows& merchant : data.merchants) {
      const Pool pool = pool_of(data, merchant.train_begin, merchant.train_end);
      const auto local = parameters_of(
          reference::local_adagrad(pool, global, SeededGenerator{11, round, merchant.id}, adagrad));
      for (std::size_t i = 0; i < average.size(); ++i) {
        average[i] += static_cast<double>(pool.size()) * local[i] / options.train_rows;
      }
    }
    expected = average;
  }

  const Model model = train(workload, Unit::merchant, data, 4);

  expect_near(model.parameters, expected, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Ranks, FactorizationMachineOfRank, testing::Values(1, 3, 8, 16, 20, 32),
                         testing::PrintToStringParamName());

TEST(FactorizationMachine, CustomersAndMerchantsAddUpToTheSameGradientAsRecords) {
  const Dataset data = small_data(4);
  const FactorizationMachine workload(options_for(data));
  const Model model = train(workload, Unit::record, data, 3);
  const PrivateSum sum = *workload.next_sum(model);

  const std::vector<double> records = test::plain_sum(workload, model, sum, Unit::record, data);

  expect_near(test::plain_sum(workload, model, sum, Unit::customer, data), records, 1e-12);
  expect_near(test::plain_sum(workload, model, sum, Unit::merchant, data), records, 1e-12);
}

TEST(FactorizationMachine, TheGradientIsThatOfTheLossByCentralDifferences) {
  const Dataset data = small_data(2);
  const FactorizationMachine workload(options_for(data));
  Model model = workload.initial_model(1);
  for (std::size_t i = 0; i < model.parameters.size(); ++i) {
    model.parameters[i] = 0.3 * std::sin(static_cast<double>(i));
  }
  const Pool pool = pool_of(data, 0, data.train.features.rows());
  const double rows = static_cast<double>(pool.size());
  const auto mean_loss = [&](const std::vector<double>& parameters) {
    double sum = 0;
    for (const LabelledRow& row : pool) {
      sum += ScoreTarget{}.loss_of(score(machine_of(parameters, 3), row), static_cast<float>(row.y));
    }
    return sum / rows;
  };

  const std::vector<double> total =
      test::plain_sum(workload, model, *workload.next_sum(model), Unit::record, data);

  for (std::size_t i = 0; i < model.parameters.size(); ++i) {
    std::vector<double> above = model.parameters;
    std::vector<double> below = model.parameters;
    above[i] += 1e-5;
    below[i] -= 1e-5;
    EXPECT_NEAR(total[i] / rows, (mean_loss(above) - mean_loss(below)) / 2e-5, 1e-6) << i;
  }
  EXPECT_NEAR(total[model.parameters.size()] / rows, mean_loss(model.parameters), 1e-6);
  EXPECT_EQ(total[model.parameters.size() + 1], rows);
}

TEST(FactorizationMachine, OfNumbersTheGradientIsThatOfTheSquaredError) {
  const Dataset data = small_data(2);
  FactorizationMachine::Options options = options_for(data);
  options.regression = true;
  options.label_low = -3;
  options.label_high = 5;
  const FactorizationMachine workload(options);
  Model model = workload.initial_model(1);
  const Pool pool = pool_of(data, 0, data.train.features.rows());
  const auto squares = [&](const std::vector<double>& parameters) {
    double sum = 0;
    for (const LabelledRow& row : pool) {
      const double error = score(machine_of(parameters, 3), row) - (row.y - 1) / 4;
      sum += error * error / 2;
    }
    return sum;
  };

  const std::vector<double> total =
      test::plain_sum(workload, model, *workload.next_sum(model), Unit::record, data);

  for (std::size_t i = 0; i < model.parameters.size(); ++i) {
    std::vector<double> above = model.parameters;
    std::vector<double> below = model.parameters;
    above[i] += 1e-5;
    below[i] -= 1e-5;
    EXPECT_NEAR(total[i], (squares(above) - squares(below)) / 2e-5, 1e-5) << i;
  }
}

TEST(FactorizationMachine, PublishesNumbersInUnitsOfTheLabel) {
  const Dataset data = small_data(3);
  FactorizationMachine::Options options = options_for(data);
  options.regression = true;
  options.label_low = -2;
  options.label_high = 4;
  options.server = {.name = "adam", .learning_rate = 0.05};
  const FactorizationMachine workload(options);
  Model model = train(workload, Unit::record, data, 40);
  const PrivateSum sum = *workload.next_sum(model);

  const Metrics metrics =
      workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::record, data));

  model = train(workload, Unit::record, data, 40);
  const std::vector<NamedArray> arrays = workload.arrays(model);
  FactorMachine machine{.bias = arrays[2].values[0], .w = arrays[0].values, .v = {}};
  for (std::size_t j = 0; j < kColumns; ++j) {
    const auto factors = arrays[1].values.begin() + static_cast<std::ptrdiff_t>(3 * j);
    machine.v.emplace_back(factors, factors + 3);
  }
  double squares = 0;
  const Pool pool = pool_of(data, 0, data.train.features.rows());
  for (const LabelledRow& row : pool) {
    const double error = score(machine, row) - row.y;
    squares += error * error / static_cast<double>(pool.size());
  }
  EXPECT_NEAR(metrics.at("train_loss"), squares, 1e-5);
  EXPECT_LT(squares, 0.2);  // The labels' own variance is about 1/4.
}

TEST(FactorizationMachine, AContributionHasTheColumnsOfItsRowsAlone) {
  const Dataset data = small_data(2);
  const FactorizationMachine workload(options_for(data));
  const Model model = workload.initial_model(1);
  const Contributor contribute = workload.contributor(model, *workload.next_sum(model));
  Contribution contribution;

  contribute({.train = Rows(data.train, 0, 1), .test = {}}, contribution);

  // Intercept; two numbers side by side; one of four towns; loss and weight.
  ASSERT_EQ(contribution.blocks().size(), data.train.features.row(0).columns[2] == 2 ? 3u : 4u);
  EXPECT_EQ(contribution.blocks()[0].count, 1u);
  EXPECT_EQ(contribution.values().size(), 1 + 3 * 4 + 2u);
}

TEST(FactorizationMachine, LearnsWhatIsInPairsAlone) {
  // The label is whether two words agree: no weight of single words can tell.
  std::vector<test::Person> people(40);
  for (std::size_t i = 0; i < people.size(); ++i) {
    const auto first = static_cast<std::uint32_t>(i % 2), second = static_cast<std::uint32_t>(2 + i / 2 % 2);
    const test::Person::Row row{
        .columns = {first, second, 4}, .values = {1, 1, 1}, .label = first + 2 == second ? 1.0f : 0.0f};
    people[i] = {.train = {row}, .test = {row}};
  }
  FeatureSpace space;
  space.width = 5;
  const Dataset data = test::deal_people(people, 3, RowKind::record, space);
  for (const auto solver : {FactorizationMachine::Solver::gradient, FactorizationMachine::Solver::local}) {
    const bool local = solver == FactorizationMachine::Solver::local;
    FactorizationMachine::Options options = options_for(data);
    options.width = 5;
    options.solver = solver;
    options.penalties = {.epochs = 2, .learning_rate = 0.3};
    options.server = {.name = local ? "sgd" : "adam", .learning_rate = local ? 1 : 0.1};
    const FactorizationMachine workload(options);

    Model model = train(workload, local ? Unit::merchant : Unit::record, data, 60);

    const PrivateSum evaluation = *workload.evaluation_sum(model);
    const Metrics metrics =
        workload.apply(model, evaluation, test::plain_sum(workload, model, evaluation, Unit::record, data));
    EXPECT_EQ(metrics.at("test_auc"), 1);
    EXPECT_EQ(metrics.at("test_accuracy"), 1);
  }
}

TEST(FactorizationMachine, AMerchantLeavesNoTraceInTheNextOnesSteps) {
  const Dataset data = small_data(3);
  FactorizationMachine::Options options = options_for(data);
  options.solver = FactorizationMachine::Solver::local;
  const FactorizationMachine workload(options);
  const Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  const auto contribution_of = [&](const Contributor& contribute, std::size_t m) {
    const MerchantRows& merchant = data.merchants[m];
    Contribution contribution;
    contribute({.train = Rows(data.train, merchant.train_begin, merchant.train_end),
                .test = {},
                .merchant = merchant.id},
               contribution);
    return std::vector<double>(contribution.values().begin(), contribution.values().end());
  };
  const Contributor used = workload.contributor(model, sum);
  contribution_of(used, 0);
  contribution_of(used, 1);

  EXPECT_EQ(contribution_of(used, 2), contribution_of(workload.contributor(model, sum), 2));
}

TEST(FactorizationMachine, DividesByTheReleasedCountAndTheExpectedShareUnderPrivacy) {
  const Dataset data = small_data(2);
  FactorizationMachine::Options options = options_for(data);
  options.unit = Unit::record;
  options.train_rows = 10;
  options.expected_share = 0.5;
  options.init = 0;
  options.server = {.name = "sgd", .learning_rate = 1};
  const FactorizationMachine workload(options);
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  ASSERT_EQ(sum.length, 1 + kColumns * 4);
  EXPECT_EQ(sum.clip_norm, 1);

  workload.apply(model, sum, std::vector<double>(sum.length, 5.0));

  EXPECT_EQ(model.parameters, std::vector<double>(sum.length, -1.0));
}

TEST(FactorizationMachine, RefusesWhatContradictsItself) {
  const Dataset data = small_data(2);
  FactorizationMachine::Options local_records = options_for(data);
  local_records.solver = FactorizationMachine::Solver::local;
  local_records.unit = Unit::record;
  FactorizationMachine::Options nobody = options_for(data);
  nobody.train_rows = 0;

  EXPECT_THROW(FactorizationMachine{local_records}, Failure);
  EXPECT_THROW(FactorizationMachine{nobody}, Failure);
}

}  // namespace
}  // namespace hanse
