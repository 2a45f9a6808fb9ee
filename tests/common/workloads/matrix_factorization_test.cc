#include "common/workloads/matrix_factorization.h"

#include <cmath>

#include "common/base/failure.h"
#include "tests/reference/factorization_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::FactorModel;
using reference::Ratings;

constexpr std::uint32_t kItems = 6;
constexpr std::uint32_t kRank = 3;

MatrixFactorization::Options small_options() {
  MatrixFactorization::Options options;
  options.items = kItems;
  options.rank = kRank;
  options.rating_low = 1;
  options.rating_high = 5;
  options.l2 = 0.05;
  options.l2_bias = 0.02;
  options.init = 0.5;
  options.server = {.name = "sgd", .learning_rate = 0.3};
  return options;
}

Dataset small_ratings(std::uint32_t merchants) {
  return test::deal_people(test::rating_people(25, kItems), merchants, RowKind::customer,
                           test::rating_space(kItems));
}

Ratings ratings_of(const RowBlock& block) {
  Ratings all;
  for (std::size_t i = 0; i < block.features.rows(); ++i) {
    all.emplace_back();
    const SparseRow row = block.features.row(i);
    for (std::size_t e = 0; e < row.columns.size(); ++e) {
      all.back().push_back({.item = row.columns[e], .value = static_cast<double>(row.values[e])});
    }
  }
  return all;
}

FactorModel factor_model_of(const Model& model) {
  FactorModel plain{.mean = model.parameters[0], .bias = {}, .factor = {}};
  for (std::size_t item = 0; item < kItems; ++item) {
    const auto first = model.parameters.begin() + static_cast<std::ptrdiff_t>(1 + item * (kRank + 1));
    plain.bias.push_back(*first);
    plain.factor.emplace_back(first + 1, first + 1 + kRank);
  }
  return plain;
}

Model train(const MatrixFactorization& workload, const Dataset& data, int sums) {
  Model model = workload.initial_model(1);
  for (int i = 0; i < sums; ++i) {
    const PrivateSum sum = *workload.next_sum(model);
    workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::customer, data));
  }
  return model;
}

TEST(MatrixFactorization, StatisticsGiveTheMeanAndShrunkItemBiases) {
  const Dataset data = small_ratings(3);
  const MatrixFactorization workload(small_options());

  const Model model = train(workload, data, 1);

  double sum = 0;
  double count = 0;
  for (const float value : data.train.features.values) {
    sum += static_cast<double>(value);
    count += 1;
  }
  EXPECT_NEAR(model.parameters[0], sum / count, 1e-12);
  double first_sum = 0;
  double first_count = 0;
  for (const auto& customer : ratings_of(data.train)) {
    for (const reference::Rating& rating : customer) {
      first_sum += rating.item == 0 ? rating.value - sum / count : 0;
      first_count += rating.item == 0 ? 1 : 0;
    }
  }
  EXPECT_NEAR(model.parameters[1], first_sum / (first_count + 10), 1e-12);
}

TEST(MatrixFactorization, EqualsTheCentralisedReference) {
  const Dataset data = small_ratings(4);
  const MatrixFactorization workload(small_options());
  FactorModel expected = factor_model_of(train(workload, data, 1));

  const FactorModel actual = factor_model_of(train(workload, data, 1 + 25));

  for (int step = 0; step < 25; ++step) {
    reference::gradient_step(expected, ratings_of(data.train), {.factor = 0.05, .bias = 0.02}, 0.3);
  }
  for (std::size_t item = 0; item < kItems; ++item) {
    EXPECT_NEAR(actual.bias[item], expected.bias[item], 1e-9);
    for (std::size_t a = 0; a < kRank; ++a) {
      EXPECT_NEAR(actual.factor[item][a], expected.factor[item][a], 1e-9);
    }
  }
}

MatrixFactorization::Options least_squares_options() {
  MatrixFactorization::Options options = small_options();
  options.solver = MatrixFactorization::Solver::als;
  return options;
}

void expect_near(const FactorModel& actual, const FactorModel& expected, double tolerance) {
  for (std::size_t item = 0; item < kItems; ++item) {
    EXPECT_NEAR(actual.bias[item], expected.bias[item], tolerance);
    for (std::size_t a = 0; a < kRank; ++a) {
      EXPECT_NEAR(actual.factor[item][a], expected.factor[item][a], tolerance);
    }
  }
}

TEST(MatrixFactorization, LeastSquaresEqualTheCentralisedReference) {
  const Dataset data = small_ratings(4);
  const MatrixFactorization workload(least_squares_options());
  FactorModel expected = factor_model_of(train(workload, data, 1));

  const FactorModel actual = factor_model_of(train(workload, data, 1 + 5));

  for (int step = 0; step < 5; ++step) {
    reference::least_squares_step(expected, ratings_of(data.train), {.factor = 0.05, .bias = 0.02});
  }
  expect_near(actual, expected, 1e-9);
}

TEST(MatrixFactorization, LeastSquaresOfAMerchantAreThoseOfItsCustomers) {
  const Dataset data = small_ratings(2);
  const MatrixFactorization workload(least_squares_options());
  const Model model = train(workload, data, 2);
  const PrivateSum sum = *workload.next_sum(model);

  const std::vector<double> by_customer = test::plain_sum(workload, model, sum, Unit::customer, data);
  const std::vector<double> by_merchant = test::plain_sum(workload, model, sum, Unit::merchant, data);

  EXPECT_EQ(sum.without_privacy, Unit::merchant);
  EXPECT_EQ(sum.length, kItems * (4 * 5 / 2 + 4) + 2);
  for (std::size_t i = 0; i < sum.length; ++i) {
    EXPECT_NEAR(by_customer[i], by_merchant[i], 1e-12) << i;
  }
}

// The objective of all is one, so that parts in turn end where sums of everything do.
TEST(MatrixFactorization, PartsOfItemsAndOfTheirVectorsEndAtTheSameModel) {
  const Dataset data = small_ratings(3);
  MatrixFactorization::Options options = least_squares_options();
  options.block = 3;                // Of four entries.
  options.entries_per_sum = 3 * 9;  // Three items of six at a time.
  const MatrixFactorization in_parts(options);
  const MatrixFactorization at_once(least_squares_options());

  const FactorModel actual = factor_model_of(train(in_parts, data, 1 + 4 * 400));
  const FactorModel expected = factor_model_of(train(at_once, data, 1 + 400));

  const Ratings ratings = ratings_of(data.train);
  const reference::Penalties penalties{.factor = 0.05, .bias = 0.02};
  EXPECT_EQ(in_parts.next_sum(in_parts.initial_model(1))->purpose, Purpose::statistics);
  EXPECT_NEAR(projected_objective(actual, ratings, penalties),
              projected_objective(expected, ratings, penalties), 1e-6);
}

/// One pass of stochastic gradient descent over all customers of the data's only merchant, each from its ridge solution.
FactorModel reference_pass(const FactorModel& before, const Ratings& customers, double rate,
                           reference::Penalties penalties, const std::vector<std::size_t>& order) {
  FactorModel model = before;
  for (const std::size_t u : order) {
    std::vector<double> side = customer_side(before, customers[u], penalties);
    for (const reference::Rating& rating : customers[u]) {
      const double error = rating.value - predict(model, side, rating.item);
      side[0] += rate * (error - penalties.bias * side[0]);
      model.bias[rating.item] += rate * (error - penalties.bias * model.bias[rating.item]);
      for (std::size_t a = 1; a < side.size(); ++a) {
        double& q = model.factor[rating.item][a - 1];
        const double p = side[a];
        side[a] += rate * (error * q - penalties.factor * p);
        q += rate * (error * p - penalties.factor * q);
      }
    }
  }
  return model;
}

MatrixFactorization::Options local_options() {
  MatrixFactorization::Options options = small_options();
  options.solver = MatrixFactorization::Solver::local;
  options.server = {.name = "sgd", .learning_rate = 1};
  return options;
}

// With one customer there is one order.
TEST(MatrixFactorization, LocalEpochsOfOneCustomerAreStochasticGradientDescent) {
  const Dataset data = test::deal_people({test::rating_people(25, kItems)[0]}, 1, RowKind::customer,
                                         test::rating_space(kItems));
  const MatrixFactorization workload(local_options());
  const auto by_merchant = [&](int sums) {
    Model model = workload.initial_model(1);
    for (int i = 0; i < sums; ++i) {
      const PrivateSum sum = *workload.next_sum(model);
      workload.apply(model, sum,
                     test::plain_sum(workload, model, sum, summed_unit(workload, sum, Unit::none), data));
    }
    return factor_model_of(model);
  };
  const FactorModel before = by_merchant(1);

  const FactorModel actual = by_merchant(2);

  expect_near(actual,
              reference_pass(before, ratings_of(data.train), 0.02, {.factor = 0.05, .bias = 0.02}, {0}),
              1e-5);
}

TEST(MatrixFactorization, LocalEpochsOfSeveralMerchantsBringTheErrorDown) {
  const Dataset data = small_ratings(4);
  MatrixFactorization::Options options = local_options();
  options.local_epochs = 3;
  options.learning_rate = 0.05;
  const MatrixFactorization workload(options);
  Model model = workload.initial_model(1);
  std::vector<double> losses;
  for (int i = 0; i < 30; ++i) {
    const PrivateSum sum = *workload.next_sum(model);
    const Metrics metrics = workload.apply(
        model, sum, test::plain_sum(workload, model, sum, summed_unit(workload, sum, Unit::none), data));
    if (metrics.contains("train_loss")) {
      losses.push_back(metrics.at("train_loss"));
    }
  }

  EXPECT_LT(losses.back(), 0.8 * losses.front());
}

TEST(MatrixFactorization, RefusesLocalEpochsWhereACustomerIsTheUnit) {
  MatrixFactorization::Options options = local_options();
  options.unit = Unit::customer;

  EXPECT_THROW(MatrixFactorization{options}, Failure);
}

TEST(MatrixFactorization, RefusesEquationsOfAnItemThatNoSumHolds) {
  MatrixFactorization::Options options = least_squares_options();
  options.entries_per_sum = 13;
  MatrixFactorization::Options in_blocks = options;
  in_blocks.block = 3;

  EXPECT_THROW(MatrixFactorization{options}, Failure);
  EXPECT_NO_THROW(MatrixFactorization{in_blocks});
}

TEST(MatrixFactorization, TheGradientIsThatOfTheProjectedObjectiveByCentralDifferences) {
  const Dataset data = small_ratings(2);
  const MatrixFactorization workload(small_options());
  const Model model = train(workload, data, 4);
  const Ratings ratings = ratings_of(data.train);
  const reference::Penalties penalties{.factor = 0.05, .bias = 0.02};
  const double h = 1e-5;

  const std::vector<double> total =
      test::plain_sum(workload, model, *workload.next_sum(model), Unit::customer, data);

  for (std::size_t i = 0; i < kItems * (kRank + 1); ++i) {
    Model above = model;
    Model below = model;
    above.parameters[1 + i] += h;
    below.parameters[1 + i] -= h;
    const double slope = (projected_objective(factor_model_of(above), ratings, penalties) -
                          projected_objective(factor_model_of(below), ratings, penalties)) /
                         (2 * h);
    EXPECT_NEAR(-total[i], slope, 1e-6) << i;
  }
}

TEST(MatrixFactorization, TestErrorIsThatOfFactorsSolvedFromTrainingRatings) {
  const Dataset data = small_ratings(3);
  const MatrixFactorization workload(small_options());
  Model model = train(workload, data, 6);
  const FactorModel plain = factor_model_of(model);
  double squares = 0;
  double count = 0;
  for (const MerchantRows& merchant : data.merchants) {
    for_each_unit(data, merchant, Unit::customer, Population::test, [&](const UnitRows& unit) {
      std::vector<double> side(kRank + 1, 0.0);
      if (!unit.train.empty()) {
        RowBlock one;
        const SparseRow row = unit.train.row(0);
        one.features.columns.assign(row.columns.begin(), row.columns.end());
        one.features.values.assign(row.values.begin(), row.values.end());
        one.features.row_begin.push_back(row.columns.size());
        side = reference::customer_side(plain, ratings_of(one)[0], {.factor = 0.05, .bias = 0.02});
      }
      const SparseRow asked = unit.test.row(0);
      for (std::size_t e = 0; e < asked.columns.size(); ++e) {
        const double prediction = std::clamp(predict(plain, side, asked.columns[e]), 1.0, 5.0);
        squares += std::pow(static_cast<double>(asked.values[e]) - prediction, 2);
        count += 1;
      }
    });
  }
  const PrivateSum sum = *workload.evaluation_sum(model);

  const Metrics by_customer =
      workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::customer, data));
  const Metrics by_merchant =
      workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));

  EXPECT_NEAR(by_customer.at("test_rmse"), std::sqrt(squares / count), 1e-9);
  EXPECT_NEAR(by_merchant.at("test_rmse"), std::sqrt(squares / count), 1e-9);
}

TEST(MatrixFactorization, ACustomerWithoutRatingsIsPredictedTheItemsMean) {
  const Dataset data = small_ratings(1);
  const MatrixFactorization workload(small_options());
  const Model model = train(workload, data, 3);

  const std::vector<double> nobody = workload.solve_customer(model, SparseRow{});

  EXPECT_EQ(nobody, std::vector<double>(kRank + 1, 0.0));
  EXPECT_NEAR(workload.predict(model, nobody, 2), model.parameters[0] + model.parameters[1 + 2 * (kRank + 1)],
              1e-12);
}

TEST(MatrixFactorization, ContributionsAreSparse) {
  const Dataset data = small_ratings(1);
  const MatrixFactorization workload(small_options());
  const Model model = train(workload, data, 2);
  const PrivateSum sum = *workload.next_sum(model);
  const SparseRow ratings = data.train.features.row(0);
  Contribution contribution;

  workload.contributor(model, sum)(UnitRows{.train = Rows(data.train, 0, 1), .test = {}, .merchant = 0},
                                   contribution);

  EXPECT_EQ(contribution.values().size(), ratings.columns.size() * (kRank + 1) + 2);
}

TEST(MatrixFactorization, RefusesRecordsAsUnitAndPrivacyWithoutARatingRange) {
  MatrixFactorization::Options record = small_options();
  record.unit = Unit::record;
  MatrixFactorization::Options no_range = small_options();
  no_range.unit = Unit::customer;
  no_range.rating_low = std::nan("");
  MatrixFactorization::Options no_penalty = small_options();
  no_penalty.l2 = 0;

  EXPECT_THROW(MatrixFactorization{record}, Failure);
  EXPECT_THROW(MatrixFactorization{no_range}, Failure);
  EXPECT_THROW(MatrixFactorization{no_penalty}, Failure);
}

/// Ratings of kItems items, of which `shared` have a row; the others stand behind, as encoding puts them.
Dataset ratings_with_unknown_items(std::uint32_t shared, double rating_of_unknown) {
  Dataset data = small_ratings(3);
  for (RowBlock* block : {&data.train, &data.test}) {
    for (std::size_t i = 0; i < block->features.columns.size(); ++i) {
      if (block->features.columns[i] >= shared) {
        block->features.values[i] = static_cast<float>(rating_of_unknown);
      }
    }
  }
  return data;
}

TEST(MatrixFactorization, ItemsWithoutARowAreInNoSumOfItems) {
  MatrixFactorization::Options options = small_options();
  options.items = kItems - 1;
  const MatrixFactorization workload(options);
  const Dataset data = ratings_with_unknown_items(kItems - 1, 5);
  Model model = workload.initial_model(1);

  for (int step = 0; step < 4; ++step) {
    const PrivateSum sum = *workload.next_sum(model);
    const std::vector<double> total =
        test::plain_sum(workload, model, sum, Unit::customer, data);  // Throws when beyond.
    EXPECT_EQ(total.size(), step == 0 ? 2u * (kItems - 1) : (kItems - 1u) * (kRank + 1) + 2);
    workload.apply(model, sum, total);
  }

  EXPECT_EQ(model.parameters.size(), 1 + (kItems - 1u) * (kRank + 1));
  EXPECT_EQ(workload.arrays(model)[2].shape, (std::vector<std::size_t>{kItems - 1, kRank}));
}

TEST(MatrixFactorization, ItemsWithoutARowArePredictedByTheMeanAndTheCustomersBias) {
  MatrixFactorization::Options options = small_options();
  options.items = kItems - 1;
  const MatrixFactorization workload(options);
  const Model model = train(workload, ratings_with_unknown_items(kItems - 1, 2), 4);
  const std::vector<std::uint32_t> columns = {0, 3, 77};
  const std::vector<float> values = {5, 4, 1};

  const std::vector<double> customer = workload.solve_customer(model, {.columns = columns, .values = values});

  EXPECT_NEAR(workload.predict(model, customer, 99), model.parameters[0] + customer[0], 1e-12);
  EXPECT_NE(workload.predict(model, customer, 0), model.parameters[0] + customer[0]);
}

TEST(MatrixFactorization, ItemsWithoutARowCountInTheTestError) {
  MatrixFactorization::Options options = small_options();
  options.items = kItems - 1;
  const MatrixFactorization workload(options);
  const Dataset data = ratings_with_unknown_items(kItems - 1, 3);
  const Model model = train(workload, data, 4);

  const PrivateSum sum = *workload.evaluation_sum(model);
  const std::vector<double> total = test::plain_sum(workload, model, sum, Unit::customer, data);

  EXPECT_EQ(total[1], static_cast<double>(data.test.features.values.size()));
}

}  // namespace
}  // namespace hanse
