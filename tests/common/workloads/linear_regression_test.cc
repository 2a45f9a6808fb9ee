#include "common/workloads/linear_regression.h"

#include <cmath>

#include "common/base/failure.h"
#include "common/numerics/symmetric.h"
#include "common/workloads/two_parts.h"
#include "tests/reference/linear_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::NumberedRow;
using test::Person;

constexpr std::uint32_t kWidth = 7;

/// Labels are prices, of both columns and the town: 40 + 3 spent - 2 visits + town, and something that no column tells.
std::vector<Person> priced_people(std::size_t count) {
  std::vector<Person> people = test::record_people(count, false);
  SeededGenerator generator{11};
  const auto price = [&](Person::Row& row) {
    row.label = static_cast<float>(40 + 3 * row.values[0] - 2 * row.values[1] +
                                   static_cast<float>(row.columns[2]) + 0.5 * generator.normal());
  };
  for (Person& person : people) {
    for (Person::Row& row : person.train) {
      price(row);
    }
    for (Person::Row& row : person.test) {
      price(row);
    }
  }
  return people;
}

Dataset priced_data(std::uint32_t merchants, std::size_t people = 40) {
  return test::deal_people(priced_people(people), merchants, RowKind::record, test::record_space());
}

std::vector<NumberedRow> pool_of(const RowBlock& block) {
  std::vector<NumberedRow> pool;
  for (std::size_t i = 0; i < block.features.rows(); ++i) {
    pool.push_back(
        {.x = test::dense_row(block.features.row(i), kWidth), .y = static_cast<double>(block.labels[i])});
  }
  return pool;
}

LinearRegression::Options options_for(const Dataset& data, double l2 = 0.01) {
  return {.width = kWidth,
          .train_rows = static_cast<double>(data.train.features.rows()),
          .label_low = 16,
          .label_high = 64,
          .l2 = l2};
}

Model fit(const LinearRegression& workload, Unit unit, const Dataset& data, Metrics* metrics = nullptr) {
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  const Metrics told = workload.apply(model, sum, test::plain_sum(workload, model, sum, unit, data));
  if (metrics != nullptr) {
    *metrics = told;
  }
  return model;
}

void expect_same(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << i;
  }
}

TEST(LinearRegression, EqualsTheClosedFormOfThePooledRowsForAnyNumberOfMerchants) {
  for (const std::uint32_t merchants : {1u, 3u, 41u}) {  // One of 41 has no rows.
    const Dataset data = priced_data(merchants);
    Metrics metrics;

    const Model model = fit(LinearRegression(options_for(data)), Unit::merchant, data, &metrics);

    const reference::Ridge expected = reference::ridge(pool_of(data.train), 0.01);
    expect_same(model.parameters, expected.weights, 1e-9);
    expect_same({model.server_state.begin(), model.server_state.begin() + kWidth}, expected.standard_errors,
                1e-9);
    EXPECT_NEAR(metrics.at("train_loss"), expected.mean_square, 1e-9);
  }
}

// A person has few rows, each with numbers of its own: they are independent, and fitted without a residual.
TEST(LinearRegression, WithoutDegreesOfFreedomTellsNoStandardErrors) {
  const Dataset few = priced_data(1, 1);
  const Dataset many = priced_data(1);
  ASSERT_LE(few.train.features.rows(), 3u);
  const LinearRegression workload(options_for(few, 0));
  const LinearRegression free(options_for(many, 0));

  const std::vector<NamedArray> without = workload.arrays(fit(workload, Unit::merchant, few));
  const std::vector<NamedArray> with = free.arrays(fit(free, Unit::merchant, many));

  ASSERT_EQ(without.size(), 2u);
  EXPECT_EQ(without[1].name, "intercept");
  ASSERT_EQ(with.size(), 4u);
  EXPECT_EQ(with[2].name, "standard_errors");
}

TEST(LinearRegression, HasOneRound) {
  const Dataset data = priced_data(2);
  const LinearRegression workload(options_for(data));

  const Model model = fit(workload, Unit::merchant, data);

  EXPECT_EQ(model.step, 1u);
  EXPECT_FALSE(workload.next_sum(model).has_value());
}

// Every row has one town, so the towns' columns add up to the intercept: of all that fit equally well, the shortest.
TEST(LinearRegression, OfColumnsThatDependOnEachOtherGivesTheShortestSolution) {
  const Dataset data = priced_data(3);

  const Model model = fit(LinearRegression(options_for(data, 0)), Unit::merchant, data);

  std::vector<NumberedRow> pool = pool_of(data.train);
  for (NumberedRow& row : pool) {
    row.x.erase(row.x.begin() + 2);  // One town less, and the closed form exists.
  }
  const reference::Ridge without = reference::ridge(pool, 0);
  for (std::size_t town = 2; town < 6; ++town) {
    const double effect = town == 2 ? 0 : without.weights[town - 1];
    EXPECT_NEAR(model.parameters[6] + model.parameters[town], without.weights[5] + effect, 1e-6) << town;
  }
  EXPECT_NEAR(model.parameters[0], without.weights[0], 1e-6);
}

TEST(LinearRegression, ARowsVectorIsAsLongAsTheSquareOfTheRow) {
  const Dataset data = priced_data(2);
  LinearRegression::Options options = options_for(data);
  options.unit = Unit::record;
  options.label_declared = true;
  const LinearRegression workload(options);
  const Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  const Contributor contribute = workload.contributor(model, sum);

  for_each_unit(data, data.merchants[0], Unit::record, Population::train, [&](const UnitRows& unit) {
    Contribution contribution;
    contribute(unit, contribution);

    double square = 0;
    for (const double value : contribution.values()) {
      square += value * value;
    }
    const double u = (static_cast<double>(unit.train.label(0)) - 40) / 24;
    double expected = u * u;
    for (const float value : unit.train.row(0).values) {
      expected += static_cast<double>(value) * static_cast<double>(value);
    }
    EXPECT_NEAR(std::sqrt(square), expected, 1e-9);
  });
}

TEST(LinearRegression, RecordsCustomersAndMerchantsAddUpToTheSameMatrix) {
  const Dataset data = priced_data(3);
  LinearRegression::Options options = options_for(data);
  options.unit = Unit::record;
  options.label_declared = true;
  const LinearRegression workload(options);
  const Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);

  const std::vector<double> records = test::plain_sum(workload, model, sum, Unit::record, data);

  expect_same(test::plain_sum(workload, model, sum, Unit::customer, data), records, 1e-12);
  expect_same(test::plain_sum(workload, model, sum, Unit::merchant, data), records, 1e-12);
}

TEST(LinearRegression, WithNoiseStaysNearTheFitAndEachDirectionThatNoiseHidesShrinks) {
  const Dataset data = priced_data(3, 2000);
  LinearRegression::Options options = options_for(data, 1e-4);
  options.unit = Unit::record;
  options.label_declared = true;
  options.clip = 32;  // Nothing is clipped.
  const LinearRegression workload(options);
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  std::vector<double> total = test::plain_sum(workload, model, sum, Unit::record, data);
  SeededGenerator noise{3};
  for (double& entry : total) {
    entry += 0.5 * sum.clip_norm * noise.normal();
  }

  workload.apply(model, sum, total);

  EXPECT_NEAR(model.parameters[0], 3, 0.5);
  EXPECT_NEAR(model.parameters[1], -2, 0.5);
  for (const double parameter : model.parameters) {
    EXPECT_TRUE(std::isfinite(parameter));
  }
}

TEST(LinearRegression, TheErrorsOfTestRowsAreTheirRootMeanSquareMeanAndR2) {
  const Dataset data = priced_data(3);
  const LinearRegression workload(options_for(data));
  Model model = fit(workload, Unit::merchant, data);
  const PrivateSum sum = *workload.evaluation_sum(model);

  const Metrics metrics =
      workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));

  double squares = 0;
  double distances = 0;
  double labels = 0;
  double label_squares = 0;
  const std::vector<NumberedRow> pool = pool_of(data.test);
  for (const NumberedRow& row : pool) {
    double error = row.y;
    for (std::size_t i = 0; i < kWidth; ++i) {
      error -= model.parameters[i] * row.x[i];
    }
    squares += error * error;
    distances += std::abs(error);
    labels += row.y;
    label_squares += row.y * row.y;
  }
  const double n = static_cast<double>(pool.size());
  EXPECT_NEAR(metrics.at("test_rmse"), std::sqrt(squares / n), 1e-9);
  EXPECT_NEAR(metrics.at("test_mae"), distances / n, 1e-9);
  EXPECT_NEAR(metrics.at("test_r2"), 1 - squares / (label_squares - labels * labels / n), 1e-9);
}

TEST(LinearRegression, RefusesValuesThatNoSumHolds) {
  std::vector<Person> people = priced_people(3);
  people[0].train[0].values[0] = 1e9F;
  const Dataset data = test::deal_people(people, 1, RowKind::record, test::record_space());
  const LinearRegression workload(options_for(data));

  try {
    fit(workload, Unit::merchant, data);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    EXPECT_NE(std::string(failure.what()).find("data.standardise"), std::string::npos);
  }
}

TEST(RegressionErrors, OneRecordStaysWithinItsNormWhateverIsPredicted) {
  const RegressionErrors errors(
      {.low = 0, .high = 10, .declared = true, .rows = {Unit::record}, .models = {"", "_own", "_alone"}});

  for (const double label : {0.0, 3.0, 10.0}) {
    for (const double prediction : {-1e9, 0.0, 5.0, 1e9}) {
      std::vector<double> lanes(errors.entries(), 0.0);
      const std::vector<double> predictions{prediction, 10 - prediction, 5};
      errors.add(predictions, label, lanes);

      double square = 0;
      for (const double lane : lanes) {
        square += lane * lane;
      }
      EXPECT_LE(std::sqrt(square), errors.sum().clip_norm * (1 + 1e-12));
    }
  }
}

TEST(TwoParts, AreJoinedToTheDigitThatAGridCutsOff) {
  const std::vector<double> values = {1.0 / 3, -12345.678, 1e-9, 0};
  const double bound = 1 << 20;
  std::vector<double> parts = values;

  split_in_two(parts, bound);
  for (double& part : parts) {  // A grid of 28 bits.
    part = std::trunc(part / std::ldexp(bound, -28)) * std::ldexp(bound, -28);
  }

  ASSERT_EQ(parts.size(), 8u);
  EXPECT_NE(parts[0], values[0]);
  expect_same(joined(parts), values, 1e-9);
}

TEST(Symmetric, EigenvectorsGiveTheMatrixBackAndTheInverseItsInverse) {
  const std::vector<double> a = {4, 1, 0, 1, 3, -1, 0, -1, 2};
  const std::vector<double> singular = {1, 1, 1, 1};

  const SymmetricEigen eigen = symmetric_eigen(a, 3);

  expect_same(from_eigen(eigen, [](double value) { return value; }), a, 1e-14);
  EXPECT_LT(eigen.values[0], eigen.values[1]);
  expect_same(inverse(a, 3),
              {5.0 / 18, -2.0 / 18, -1.0 / 18, -2.0 / 18, 8.0 / 18, 4.0 / 18, -1.0 / 18, 4.0 / 18, 11.0 / 18},
              1e-13);
  expect_same(inverse(singular, 2), {0.25, 0.25, 0.25, 0.25}, 1e-13);
}

}  // namespace
}  // namespace hanse
