#include "common/workloads/perceptron.h"

#include <cmath>

#include "common/base/failure.h"
#include "tests/reference/perceptron_reference.h"
#include "tests/reference/softmax_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::ClassifiedRow;

constexpr std::uint32_t kWidth = 7;

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

Perceptron::Options options_for(const Dataset& data) {
  Perceptron::Options options;
  options.classes = data.space.classes;
  options.width = kWidth;
  options.hidden = {5, 4};
  options.rounds.train_rows = static_cast<double>(data.train.features.rows());
  options.rounds.merchants = static_cast<std::uint32_t>(data.merchants.size());
  options.rounds.server.learning_rate = 0.5;
  return options;
}

const reference::PerceptronReference kReference{.sizes = {kWidth, 5, 4, 3}};

std::vector<double> total_of(const Perceptron& workload, const Model& model, Unit unit, const Dataset& data) {
  return test::plain_sum(workload, model, *workload.next_sum(model), unit, data);
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance) << i;
  }
}

TEST(Perceptron, AStepIsAgainstTheMeanGradientOfAllRowsForAnyNumberOfMerchants) {
  for (const std::uint32_t merchants : {1u, 3u, 41u}) {  // One of 41 has no rows.
    const Dataset data = class_data(merchants);
    const Perceptron workload(options_for(data));
    Model model = workload.initial_model(3);
    std::vector<double> expected = model.parameters;
    const std::vector<double> gradient = kReference.mean_gradient(pool_of(data.train), expected);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] -= 0.5 * gradient[i];
    }
    const double loss = kReference.mean_loss(pool_of(data.train), model.parameters);

    const Metrics metrics =
        workload.apply(model, *workload.next_sum(model), total_of(workload, model, Unit::merchant, data));

    expect_near(model.parameters, expected, 1e-7);
    EXPECT_NEAR(metrics.at("train_loss"), loss, 1e-9);
  }
}

TEST(Perceptron, RecordsAndCustomersAndMerchantsAddUpToTheSameGradient) {
  const Dataset data = class_data(3);
  Perceptron::Options options = options_for(data);
  options.rounds.unit = Unit::record;  // The lanes of loss and weight are left out.
  const Perceptron workload(options);
  const Model model = workload.initial_model(3);

  const std::vector<double> records = total_of(workload, model, Unit::record, data);

  expect_near(total_of(workload, model, Unit::customer, data), records, 1e-10);
  expect_near(total_of(workload, model, Unit::merchant, data), records, 1e-10);
  EXPECT_EQ(records.size(), model.parameters.size());
}

TEST(Perceptron, PenaltiesLeaveBiasesAlone) {
  const Dataset data = class_data(1);
  Perceptron::Options options = options_for(data);
  options.rounds.l2 = 0.1;
  const Perceptron workload(options);
  Model model = workload.initial_model(3);
  std::fill(model.parameters.begin(), model.parameters.end(), 1.0);
  std::vector<double> total(model.parameters.size() + 2, 0.0);
  total.back() = 1;

  workload.apply(model, *workload.next_sum(model), total);

  const auto at = [&](std::size_t i) { return model.parameters[i]; };
  EXPECT_DOUBLE_EQ(at(0), 0.95);
  EXPECT_DOUBLE_EQ(at(6 * 5), 1);             // The line of the intercept.
  EXPECT_DOUBLE_EQ(at(7 * 5 + 5 * 4), 1);     // Biases of the second layer.
  EXPECT_DOUBLE_EQ(at(7 * 5 + 6 * 4), 0.95);  // Logits' weights.
  EXPECT_DOUBLE_EQ(model.parameters.back(), 1);
}

TEST(Perceptron, ALocalEpochOfOneBatchIsOneStepOfTheMeanGradient) {
  const Dataset data = class_data(1);
  Perceptron::Options options = options_for(data);
  options.rounds.local = true;
  options.rounds.server.learning_rate = 1;
  options.rounds.epochs = {.epochs = 1, .batch = 100000, .learning_rate = 0.3};
  const Perceptron workload(options);
  Model model = workload.initial_model(3);
  std::vector<double> expected = model.parameters;
  const std::vector<double> gradient = kReference.mean_gradient(pool_of(data.train), expected);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] -= 0.3 * gradient[i];
  }

  workload.apply(model, *workload.next_sum(model), total_of(workload, model, Unit::merchant, data));

  expect_near(model.parameters, expected, 1e-7);
}

TEST(Perceptron, LearnsWhatNoStraightCutTells) {
  // Exclusive or: two columns and the intercept.
  Dataset data;
  data.space.classes = {"same", "different"};
  for (int i = 0; i < 40; ++i) {
    const float a = static_cast<float>(i % 2), b = static_cast<float>(i / 2 % 2);
    test::append(data.train, {.columns = {0, 1, 2}, .values = {a, b, 1}, .label = a == b ? 0.0f : 1.0f}, 0,
                 true);
  }
  data.merchants = {{.id = 0, .name = "m", .train_begin = 0, .train_end = 40}};
  Perceptron::Options options;
  options.classes = data.space.classes;
  options.width = 3;
  options.hidden = {8};
  options.rounds.train_rows = 40;
  options.rounds.server = {.name = "adam", .learning_rate = 0.05};
  const Perceptron workload(options);
  Model model = workload.initial_model(1);

  for (int round = 0; round < 300; ++round) {
    workload.apply(model, *workload.next_sum(model), total_of(workload, model, Unit::merchant, data));
  }

  std::vector<double> p(2);
  const ClassScorer score = workload.class_scorer(model);
  for (std::size_t i = 0; i < 4; ++i) {
    score(data.train.features.row(i), p);
    EXPECT_GT(p[static_cast<std::size_t>(data.train.labels[i])], 0.9) << i;
  }
}

TEST(Perceptron, DropoutIsTheSameForTheSameSeedAndRound) {
  const Dataset data = class_data(2);
  Perceptron::Options options = options_for(data);
  options.rounds.local = true;
  options.rounds.epochs = {.epochs = 2, .batch = 8, .learning_rate = 0.1};
  options.dropout = 0.5;
  Perceptron::Options without = options;
  without.dropout = 0;
  const Perceptron workload(options);
  const Model model = workload.initial_model(3);

  const std::vector<double> first = total_of(workload, model, Unit::merchant, data);

  EXPECT_EQ(total_of(Perceptron(options), model, Unit::merchant, data), first);
  EXPECT_NE(total_of(Perceptron(without), model, Unit::merchant, data), first);
}

TEST(Perceptron, APrivateRecordTouchesTheLinesOfItsColumnsAndTheLayersAbove) {
  const Dataset data = class_data(1);
  Perceptron::Options options = options_for(data);
  options.rounds.unit = Unit::record;
  const Perceptron workload(options);
  const Model model = workload.initial_model(1);

  Contribution contribution;
  workload.contributor(model, *workload.next_sum(model))(
      {.train = Rows(data.train, 0, 1), .test = {}, .merchant = 0}, contribution);

  const std::size_t columns = data.train.features.row(0).columns.size();
  EXPECT_EQ(contribution.values().size(), columns * 5 + 6 * 4 + 5 * 3);
}

TEST(Perceptron, RefusesWhatItCannotDo) {
  const Dataset data = class_data(1);
  const auto refusal = [&](auto change) -> std::string {
    Perceptron::Options options = options_for(data);
    change(options);
    try {
      Perceptron{options};
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return failure.what();
    }
    return "";
  };

  EXPECT_NE(refusal([](auto& o) { o.dropout = 0.5; }).find("workload.solver=local"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) {
              o.rounds.local = true;
              o.dropout = 1;
            }).find("workload.dropout"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.hidden = {65536, 65536}; }).find("workload.hidden"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.rounds.train_rows = 0; }).find("no training rows"), std::string::npos);
}

}  // namespace
}  // namespace hanse
