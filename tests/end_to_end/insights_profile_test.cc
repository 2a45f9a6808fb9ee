// Customer profile, segments and market analysis on real data: by the programs that users start, against the plain references.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>

#include "common/config/configuration.h"
#include "common/data/csv.h"
#include "common/data/encoding.h"
#include "common/data/read_dataset.h"
#include "tests/end_to_end/insights_run.h"
#include "tests/reference/counts_reference.h"
#include "tests/reference/covariance_reference.h"
#include "tests/reference/kmeans_reference.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using CustomerProfile = InsightsRun;

/// The rows of a data set as the model knows them, without the intercept.
std::vector<std::vector<double>> encoded_rows(const Configuration& configuration,
                                              const PublishedModel& model) {
  Encoding encoding;
  encoding.mean = model.find("mean")->values;
  encoding.deviation = model.find("deviation")->values;
  for (const double column : model.find("column_of")->values) {
    encoding.column_of.push_back(static_cast<std::uint32_t>(column));
  }
  encoding.width = static_cast<std::uint32_t>(model.columns.size());
  encoding.names = model.columns;
  Dataset data = read_dataset(configuration, 1, 1);
  encode(data, encoding);
  std::vector<std::vector<double>> rows;
  for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
    rows.push_back(test::dense_row(data.train.features.row(i), encoding.width));
    rows.back().pop_back();
  }
  return rows;
}

TEST_F(CustomerProfile, IsThatOfThePooledVisits) {
  const std::vector<std::string> settings = {path_of("free/shoppers/shoppers.csv")};

  ASSERT_NO_FATAL_FAILURE(run("customer_profile/federation.ini", settings));

  const reference::Profile expected = reference::profile(encoded_rows(
      read_configuration(ini_of("customer_profile/federation.ini"), settings), read_model(folder_ / "run")));
  const std::vector<double> correlation = array("correlation");
  const std::vector<double> variances = array("variances");
  const std::size_t p = expected.mean.size();
  ASSERT_EQ(correlation.size(), p * p);
  for (std::size_t i = 0; i < p; ++i) {
    EXPECT_NEAR(variances[i], expected.components[i].variance, 1e-8);
    for (std::size_t j = 0; j < p; ++j) {
      EXPECT_NEAR(correlation[i * p + j], expected.correlation[i][j], 1e-8);
    }
  }
  EXPECT_EQ(array("rows"), std::vector<double>{12330});
  const InsightTable told = table_of(insights(), "correlations");
  ASSERT_FALSE(told.rows.empty());
  EXPECT_EQ(std::get<std::string>(told.rows[0][0]), "log1p(administrative)");
  EXPECT_EQ(audit(), 0);
}

TEST_F(CustomerProfile, WithEpsilonOneForEveryVisitHasCorrelationsWithinATenth) {
  const std::vector<std::string> settings = {path_of("free/shoppers/shoppers.csv")};

  ASSERT_NO_FATAL_FAILURE(run("customer_profile/federation.ini", settings, "exact"));
  ASSERT_NO_FATAL_FAILURE(run("customer_profile/federation_private.ini", settings));

  const std::vector<double> exact = array("correlation", "exact");
  const std::vector<double> noisy = array("correlation");
  constexpr std::size_t kNumbers = 12;
  const auto order = [](const std::vector<double>& matrix) {
    return static_cast<std::size_t>(std::sqrt(static_cast<double>(matrix.size())));
  };
  double worst = 0;
  double squares = 0;
  for (std::size_t i = 0; i < kNumbers; ++i) {
    for (std::size_t j = 0; j < kNumbers; ++j) {
      const double off = std::abs(exact[i * order(exact) + j] - noisy[i * order(noisy) + j]);
      worst = std::max(worst, off);
      squares += off * off;
    }
  }
  const double root_mean_square = std::sqrt(squares / kNumbers / kNumbers);
  std::printf("correlations are off by %.4f (root mean square), %.4f (worst)\n", root_mean_square, worst);
  EXPECT_LT(root_mean_square, 0.03);
  EXPECT_LT(worst, 0.1);
  EXPECT_LE(last_figure("epsilon"), 1.0);
  EXPECT_EQ(audit("1,1e-5"), 0);
}

TEST_F(CustomerProfile, HasTheSameBytesForEveryNumberOfWorkers) {
  expect_same_bytes("customer_profile/federation.ini", {path_of("free/shoppers/shoppers.csv")});
}

// -------------------------------------------------------------------------------------------- segments

using CustomerSegments = InsightsRun;

/// Households at stores by recency, log(1 + purchases) and log(1 + money), standardised; of those that train.
reference::Points standardised_customers(const Configuration& configuration) {
  const Dataset data = read_dataset(configuration, 1, 1);
  reference::Points points;
  for (const MerchantRows& merchant : data.merchants) {
    for_each_unit(data, merchant, Unit::customer, Population::train, [&](const UnitRows& unit) {
      double last = 0;
      double money = 0;
      for (std::size_t i = 0; i < unit.train.size(); ++i) {
        last = std::max(last, static_cast<double>(unit.train.row(i).values[0]));
        money += static_cast<double>(unit.train.row(i).values[1]);
      }
      points.push_back({53 - last, std::log1p(static_cast<double>(unit.train.size())), std::log1p(money)});
    });
  }
  return points;
}

/// Takes points, and centres by the same, to mean 0 and deviation 1 of the points.
void standardise(reference::Points& points, reference::Points& centres) {
  for (std::size_t c = 0; c < points[0].size(); ++c) {
    double sum = 0;
    double squares = 0;
    for (const std::vector<double>& point : points) {
      sum += point[c];
      squares += point[c] * point[c];
    }
    const double mean = sum / static_cast<double>(points.size());
    const double deviation = std::sqrt(squares / static_cast<double>(points.size()) - mean * mean);
    for (reference::Points* all : {&points, &centres}) {
      for (std::vector<double>& point : *all) {
        point[c] = (point[c] - mean) / deviation;
      }
    }
  }
}

/// The inertia of the run's centres over that of a central k-means++ with restarts, which sees all points.
double inertia_over_central(reference::Points points, const std::vector<double>& released) {
  const std::size_t columns = points[0].size();
  reference::Points centres;
  for (std::size_t at = 0; at < released.size(); at += columns) {
    centres.emplace_back(released.begin() + static_cast<std::ptrdiff_t>(at),
                         released.begin() + static_cast<std::ptrdiff_t>(at + columns));
  }
  standardise(points, centres);
  const double central = reference::inertia(points, reference::kmeans(points, centres.size(), 10));
  const double ratio = reference::inertia(points, centres) / central;
  std::printf("%zu points, %zu centres: inertia over that of the central k-means++: %.5f\n", points.size(),
              centres.size(), ratio);
  return ratio;
}

std::vector<double> with_logarithms(std::vector<double> centres) {
  for (std::size_t i = 0; i < centres.size(); ++i) {
    centres[i] = i % 3 == 0 ? centres[i] : std::log1p(centres[i]);
  }
  return centres;
}

TEST_F(CustomerSegments, OfHouseholdsAreAsGoodAsACentralKMeansPlusPlusWithRestarts) {
  const std::vector<std::string> settings = {path_of("free/completejourney/transactions.csv")};

  ASSERT_NO_FATAL_FAILURE(run("segments/federation.ini", settings));

  const Configuration configuration = read_configuration(ini_of("segments/federation.ini"), settings);
  EXPECT_LE(inertia_over_central(standardised_customers(configuration), with_logarithms(array("centres"))),
            1.01);
  std::printf("test_explained %.4f\n", last_figure("test_explained"));
  EXPECT_GT(last_figure("test_explained"), 0.8);
  EXPECT_EQ(table_of(insights(), "segments").rows.size(), 5u);
  EXPECT_EQ(audit(), 0);
}

TEST_F(CustomerSegments, OfVisitsAreAsGoodAsACentralKMeansPlusPlusWithRestarts) {
  const std::vector<std::string> settings = {path_of("free/shoppers/shoppers.csv"),
                                             "workload.name=segments",
                                             "workload.segments=6",
                                             "data.categorical=",
                                             "federation.rounds=100",
                                             "privacy.min_contributors=1"};

  ASSERT_NO_FATAL_FAILURE(run("customer_profile/federation.ini", settings));

  const Configuration configuration = read_configuration(ini_of("customer_profile/federation.ini"), settings);
  const Dataset data = read_dataset(configuration, 1, 1);
  reference::Points points;
  for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
    points.push_back(test::dense_row(data.train.features.row(i), data.space.width));
    points.back().pop_back();
  }
  EXPECT_LE(inertia_over_central(points, array("centres")), 1.01);
  EXPECT_EQ(audit(), 0);
}

// Runs gave 1.001 to 1.003, and 1.006 with epsilon 1.
TEST_F(CustomerSegments, WithEpsilonThreeForEveryHouseholdAtAStoreAreNearlyAsGood) {
  const std::vector<std::string> settings = {path_of("free/completejourney/transactions.csv")};

  ASSERT_NO_FATAL_FAILURE(run("segments/federation_private.ini", settings));

  const Configuration configuration = read_configuration(ini_of("segments/federation_private.ini"), settings);
  EXPECT_EQ(configuration.privacy.unit, Unit::customer_at_merchant);
  EXPECT_LE(inertia_over_central(standardised_customers(configuration), with_logarithms(array("centres"))),
            1.1);
  EXPECT_LE(last_figure("epsilon"), 3.0);
  EXPECT_EQ(audit("3,1e-5"), 0);
}

TEST_F(CustomerSegments, HaveTheSameBytesForEveryNumberOfWorkers) {
  expect_same_bytes("segments/federation.ini",
                    {path_of("free/completejourney/transactions.csv"), "data.partition=iid:20",
                     "federation.rounds=4", "federation.evaluate_every=4"});
}

// -------------------------------------------------------------------------------------------- market analysis

using MarketAnalysis = InsightsRun;

/// Of the example's data: counts by category, without those that a single store sold.
std::map<std::string, reference::WordCount> category_counts(const std::filesystem::path& file) {
  const std::string text = bytes_of_file(file);
  CsvReader reader(text, file.string());
  std::vector<reference::Sale> sales;
  while (reader.next()) {
    sales.push_back({.merchant = std::string(reader.cell(0)),
                     .word = std::string(reader.cell(2)),
                     .time = std::stod(std::string(reader.cell(5)))});
  }
  return reference::count_words(sales, 52, 13, 2);
}

TEST_F(MarketAnalysis, CountsWhatAllStoresTogetherSold) {
  const std::vector<std::string> settings = {path_of("free/completejourney/discount.csv")};

  ASSERT_NO_FATAL_FAILURE(run("market_analysis/federation.ini", settings));

  const auto expected = category_counts(data_ / "free/completejourney/discount.csv");
  const InsightTable told = table_of(insights(), "product_category");
  ASSERT_EQ(told.rows.size(), 20u);
  double least = std::numeric_limits<double>::infinity();
  std::set<std::string> names;
  for (const std::vector<InsightCell>& row : told.rows) {
    const std::string name = std::get<std::string>(row[0]);
    ASSERT_TRUE(expected.contains(name)) << name;
    const reference::WordCount& count = expected.at(name);
    EXPECT_EQ(std::get<double>(row[1]), count.all) << name;
    EXPECT_EQ(std::get<double>(row[3]), count.last) << name;
    EXPECT_EQ(std::get<double>(row[4]), count.before) << name;
    EXPECT_NEAR(std::get<double>(row[5]), 100 * (count.last / count.before - 1), 1e-9) << name;
    least = std::min(least, count.all);
    names.insert(name);
  }
  for (const auto& [name, count] : expected) {
    EXPECT_TRUE(count.all <= least || names.contains(name)) << name << " is more frequent";
  }
  EXPECT_EQ(audit(), 0);
}

TEST_F(MarketAnalysis, WithEpsilonOneForEveryPurchaseFindsTheSameCategories) {
  const std::vector<std::string> settings = {path_of("free/completejourney/discount.csv")};

  ASSERT_NO_FATAL_FAILURE(run("market_analysis/federation_private.ini", settings));

  const auto expected = category_counts(data_ / "free/completejourney/discount.csv");
  const InsightTable told = table_of(insights(), "product_category");
  ASSERT_EQ(told.rows.size(), 20u);
  double worst = 0;
  for (const std::vector<InsightCell>& row : told.rows) {
    const reference::WordCount& count = expected.at(std::get<std::string>(row[0]));
    worst = std::max(worst, std::abs(std::get<double>(row[1]) / count.all - 1));
  }
  std::printf("the counts of the 20 most frequent categories are off by %.1f %% at most\n", 100 * worst);
  EXPECT_LT(worst, 0.1);
  EXPECT_LE(last_figure("epsilon"), 1.0);
  EXPECT_EQ(audit("1,1e-5"), 0);
}

TEST_F(MarketAnalysis, HasTheSameBytesForEveryNumberOfWorkers) {
  expect_same_bytes("market_analysis/federation.ini",
                    {path_of("free/completejourney/discount.csv"), "data.partition=iid:20"});
}

}  // namespace
}  // namespace hanse
