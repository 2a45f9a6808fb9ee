#include "common/workloads/linear_insights.h"

#include <cmath>

#include "common/base/failure.h"
#include "common/workloads/linear_regression.h"
#include "tests/reference/linear_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::Person;

constexpr double kMean = 0.4;
constexpr double kDeviation = 0.25;

/// log(price), standardised; two brands; brand times log(price); the intercept.
FeatureSpace priced_space() {
  FeatureSpace space;
  space.numeric = 1;
  space.width = 6;
  space.names = {"log(price)", "brand=a", "brand=b", "brand=a*log(price)", "brand=b*log(price)", "intercept"};
  space.range_low = {-9};
  space.range_high = {9};
  space.sparse_ranges = {{.begin = 1, .end = 3, .name = "brand"}};
  space.crosses = {{.begin = 3, .end = 5, .words_begin = 1, .number = 0}};
  space.label = LabelKind::number;
  return space;
}

struct Sale {
  std::uint32_t brand;
  double log_price;
  double log_units;
};

std::vector<Sale> sales() {
  SeededGenerator generator{5};
  std::vector<Sale> sales;
  for (int i = 0; i < 60; ++i) {
    const std::uint32_t brand = i % 3 == 0 ? 1 : 0;
    const double log_price = kMean + kDeviation * generator.normal();
    const double units = brand == 0 ? 5 - 2 * log_price : 4 - 0.5 * log_price;
    sales.push_back({brand, log_price, units + 0.1 * generator.normal()});
  }
  return sales;
}

Dataset sales_data() {
  std::vector<Person> people;
  for (const Sale& sale : sales()) {
    const auto x = static_cast<float>((sale.log_price - kMean) / kDeviation);
    people.push_back({.train = {{.columns = {0, 1 + sale.brand, 3 + sale.brand, 5},
                                 .values = {x, 1, x, 1},
                                 .label = static_cast<float>(sale.log_units)}},
                      .test = {}});
  }
  return test::deal_people(people, 3, RowKind::record, priced_space());
}

LinearRegression::Options priced_options() {
  return {.width = 6,
          .train_rows = 60,
          .label_low = 0,
          .label_high = 8,
          .space = priced_space(),
          .mean = {kMean},
          .deviation = {kDeviation}};
}

Model fit(const LinearRegression& workload) {
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, sales_data()));
  return model;
}

double number(const InsightTable& table, std::size_t row, std::size_t column) {
  return std::get<double>(table.rows.at(row).at(column));
}

/// One regression of each brand by itself, with all four coefficients and one variance.
reference::Ridge by_brand() {
  std::vector<reference::NumberedRow> pool;
  for (const Sale& sale : sales()) {
    std::vector<double> x(4, 0.0);
    x[sale.brand] = sale.log_price;
    x[2 + sale.brand] = 1;
    pool.push_back({.x = std::move(x), .y = sale.log_units});
  }
  return reference::ridge(pool, 0);
}

TEST(PriceInsights, AreTheSlopesAndStandardErrorsOfARegressionOfEachBrand) {
  LinearRegression::Options options = priced_options();
  options.prices = PriceQuestion{.prices = {"log(price)"}, .unit_cost = 3.0};
  const LinearRegression workload(options);

  const Insights insights = workload.insights(fit(workload));

  ASSERT_EQ(insights.tables.size(), 2u);
  const InsightTable& table = insights.tables[0];
  const reference::Ridge expected = by_brand();
  ASSERT_EQ(table.rows.size(), 2u);
  for (std::size_t brand = 0; brand < 2; ++brand) {
    const double error = expected.standard_errors[brand];
    EXPECT_NEAR(number(table, brand, 1), expected.weights[brand], 1e-5);
    EXPECT_NEAR(number(table, brand, 2), error, 1e-6);
    EXPECT_NEAR(number(table, brand, 3), expected.weights[brand] - 1.959964 * error, 1e-5);
    EXPECT_NEAR(number(table, brand, 4), expected.weights[brand] + 1.959964 * error, 1e-5);
  }
  const double elasticity = number(table, 0, 1);
  EXPECT_NEAR(number(table, 0, 5), 3 * elasticity / (1 + elasticity), 1e-12);
  EXPECT_LT(number(table, 0, 6), number(table, 0, 5));
  EXPECT_GT(number(table, 0, 7), number(table, 0, 5));
  EXPECT_TRUE(std::isinf(number(table, 1, 5))) << "demand that is not elastic has no best price";
}

TEST(PriceInsights, HaveNoErrorsWhereNoneAreKnown) {
  const FeatureSpace space = priced_space();
  const std::vector<double> weights = {-0.5, 0, 0, 0.25, 0, 3}, mean = {kMean}, deviation = {kDeviation};
  const LinearModel model{.space = space,
                          .mean = mean,
                          .deviation = deviation,
                          .weights = weights,
                          .errors = {},
                          .cross_covariances = {}};

  const Insights insights = price_insights(model, {.prices = {"log(price)"}, .unit_cost = std::nullopt});

  EXPECT_DOUBLE_EQ(number(insights.tables[0], 0, 1), -1);
  EXPECT_DOUBLE_EQ(number(insights.tables[0], 1, 1), -2);
  EXPECT_DOUBLE_EQ(number(insights.tables[0], 1, 5), 2) << "of the cost";
  for (const std::size_t column : {2u, 3u, 4u, 6u, 7u}) {
    EXPECT_TRUE(std::isnan(number(insights.tables[0], 1, column))) << column;
  }
}

TEST(PriceInsights, TellEveryPriceOfEveryProductWhereAllAreAsked) {
  FeatureSpace space;
  space.numeric = 2;
  space.width = 9;
  space.names = {"log(p1)",         "log(p2)",         "brand=a",         "brand=b",  "brand=a*log(p1)",
                 "brand=b*log(p1)", "brand=a*log(p2)", "brand=b*log(p2)", "intercept"};
  space.sparse_ranges = {{.begin = 2, .end = 4, .name = "brand"}};
  space.crosses = {{.begin = 4, .end = 6, .words_begin = 2, .number = 0},
                   {.begin = 6, .end = 8, .words_begin = 2, .number = 1}};
  const std::vector<double> weights = {0.5, 0.25, 0, 0, -3, 1, 2, -4, 1}, mean = {0, 0}, deviation = {1, 2};
  const LinearModel model{.space = space,
                          .mean = mean,
                          .deviation = deviation,
                          .weights = weights,
                          .errors = {},
                          .cross_covariances = {}};

  const Insights insights =
      price_insights(model, {.prices = {"log(p1)", "log(p2)"}, .unit_cost = std::nullopt});

  ASSERT_EQ(insights.tables.size(), 2u);
  EXPECT_DOUBLE_EQ(number(insights.tables[0], 0, 1), 0.5 - 3);
  EXPECT_DOUBLE_EQ(number(insights.tables[0], 1, 1), (0.25 - 4) / 2);
  EXPECT_DOUBLE_EQ(number(insights.tables[1], 0, 2), (0.25 + 2) / 2);
  EXPECT_DOUBLE_EQ(number(insights.tables[1], 1, 1), 0.5 + 1);
}

TEST(PriceInsights, RefuseWhatIsNoPriceOfEveryProduct) {
  const FeatureSpace space = priced_space();
  const auto refusal_of = [&](const std::vector<std::string>& prices) -> std::string {
    try {
      check_prices(space, {.prices = prices, .unit_cost = std::nullopt});
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return failure.what();
    }
    return "";
  };

  EXPECT_EQ(refusal_of({"deal"}).find("workload.prices: 'deal' is crossed with no column of words"), 0u);
  EXPECT_EQ(refusal_of({"log(price)", "log(price)", "log(price)"}).find("workload.prices: expected"), 0u);
}

TEST(CoefficientTable, IsInUnitsOfTheFile) {
  const FeatureSpace space = priced_space();
  const std::vector<double> weights = {1, 2, 3, 0, 0.5, 7}, errors = {0.5, 1, 1, 1, 1, 1}, mean = {kMean},
                            deviation = {kDeviation};
  const LinearModel model{.space = space,
                          .mean = mean,
                          .deviation = deviation,
                          .weights = weights,
                          .errors = errors,
                          .cross_covariances = {}};

  const InsightTable plain = coefficient_table(model, false);
  const InsightTable odds = coefficient_table(model, true);

  EXPECT_DOUBLE_EQ(number(plain, 0, 1), 4);
  EXPECT_DOUBLE_EQ(number(plain, 0, 2), 2);
  EXPECT_DOUBLE_EQ(number(plain, 1, 1), 2);
  EXPECT_DOUBLE_EQ(number(plain, 2, 1), 3 - 0.5 * 0.4 / 0.25) << "at a logarithm of 0, where slopes begin";
  EXPECT_DOUBLE_EQ(number(plain, 5, 1), 7 - 0.4 * 4);
  EXPECT_TRUE(std::isnan(number(plain, 5, 2)));
  EXPECT_DOUBLE_EQ(number(odds, 1, 3), std::exp(2));
  EXPECT_TRUE(std::isnan(number(odds, 1, 4))) << "its error is that of its effect at the mean";
  EXPECT_NEAR(number(odds, 0, 4), std::exp(4 - 1.959964 * 2), 1e-4);
}

}  // namespace
}  // namespace hanse
