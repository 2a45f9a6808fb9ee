// What the examples tell people, on real data: figures against plain references, the same bytes however many workers, audited.

#include <cmath>
#include <cstdio>

#include "common/config/configuration.h"
#include "common/data/encoding.h"
#include "common/data/read_dataset.h"
#include "coordinator/output/network_query.h"
#include "tests/end_to_end/insights_run.h"
#include "tests/reference/markov_reference.h"
#include "tests/reference/network_reference.h"

namespace hanse {
namespace {

using InsightsOfExamples = InsightsRun;

/// The training sequences of the only word column: one a customer at a merchant.
std::vector<std::vector<std::size_t>> sequences_of(const Dataset& data) {
  std::vector<std::vector<std::size_t>> sequences;
  for (const MerchantRows& merchant : data.merchants) {
    for (std::size_t i = merchant.train_begin; i < merchant.train_end; ++i) {
      if (i == merchant.train_begin || data.train.customers[i] != data.train.customers[i - 1]) {
        sequences.emplace_back();
      }
      sequences.back().push_back(data.train.features.row(i).columns[0]);
    }
  }
  return sequences;
}

TEST_F(InsightsOfExamples, BrandSwitchingIsTheChainOfThePooledPurchases) {
  const std::string path = path_of("free/margarine/choices.csv");
  const Configuration configuration = read_configuration(ini_of("behaviour/federation.ini"), {path});

  // With switches that only one merchant has seen, as the pooled purchases have them.
  ASSERT_NO_FATAL_FAILURE(run("behaviour/federation.ini", {path, "privacy.min_contributors=1"}));

  const reference::Matrix expected =
      reference::markov_chain(sequences_of(read_dataset(configuration, 1, 1)), 10, 0.1, false);
  const std::vector<double> shares = reference::stationary(expected);
  const PublishedModel model = read_model(folder_ / "run");
  for (std::size_t i = 0; i < 10; ++i) {
    for (std::size_t j = 0; j < 10; ++j) {
      EXPECT_NEAR(model.find("transitions")->values[i * 10 + j], expected[i][j], 1e-12);
    }
    EXPECT_NEAR(model.find("stationary")->values[i], shares[i], 1e-9);
  }
  std::printf("next brand foreseen %.3f, by the commonest %.3f\n", last_figure("test_accuracy"),
              last_figure("test_accuracy_base"));
  EXPECT_GT(last_figure("test_accuracy"), last_figure("test_accuracy_base") + 0.1);
  EXPECT_EQ(table_of(insights(), "states").columns.back(), "steps to 4");
  EXPECT_EQ(audit(), 0);
}

TEST_F(InsightsOfExamples, BrandSwitchingHasTheSameBytesForAnyNumberOfWorkers) {
  expect_same_bytes("behaviour/federation.ini", {path_of("free/margarine/choices.csv")});
}

TEST_F(InsightsOfExamples, BrandSwitchingWithPrivacyStaysNearTheTruth) {
  const std::string path = path_of("free/margarine/choices.csv");
  const Configuration configuration = read_configuration(ini_of("behaviour/federation_private.ini"), {path});

  ASSERT_NO_FATAL_FAILURE(run("behaviour/federation_private.ini", {path}));

  const reference::Matrix exact =
      reference::markov_chain(sequences_of(read_dataset(configuration, 1, 1)), 6, 0.1, false);
  const std::vector<double> shares = reference::stationary(exact);
  const PublishedModel model = read_model(folder_ / "run");
  double distance = 0;  // Total variation of the next brand, in the mean of all purchases.
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < 6; ++j) {
      distance += shares[i] * std::abs(model.find("transitions")->values[i * 6 + j] - exact[i][j]) / 2;
    }
  }
  std::printf("epsilon 3: mean total variation of the next brand %.3f\n", distance);
  EXPECT_LT(distance, 0.16);  // Between 0.06 and 0.09 as a rule.
  EXPECT_EQ(audit(), 0);
}

/// Values of month, visitor_type, weekend and revenue in the training rows; 99 where a word is missing.
std::vector<std::vector<std::size_t>> rows_of(const Dataset& data) {
  std::vector<std::vector<std::size_t>> rows;
  for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
    rows.emplace_back(4, 99);
    for (const std::uint32_t column : data.train.features.row(i).columns) {
      for (std::size_t v = 0; v < 3; ++v) {
        const ColumnRange& range = data.space.sparse_ranges[v];
        if (column >= range.begin && column < range.end) {
          rows.back()[v] = column - range.begin;
        }
      }
    }
    rows.back()[3] = data.train.labels[i] > 0.5F ? 1 : 0;
  }
  return rows;
}

/// The network of a run, and the mean over training rows of the total variation between P(revenue | the others) in it and as
/// counted.
double distance_of_purchases(const BeliefNetwork& network,
                             const std::vector<std::vector<std::size_t>>& rows) {
  double distance = 0;
  for (const std::vector<std::size_t>& row : rows) {
    distance += std::abs(network.factor(3, row) - reference::conditional(rows, 99, {0, 1}, 3, row, 2, 0.1)) /
                static_cast<double>(rows.size());
  }
  return distance;
}

TEST_F(InsightsOfExamples, WhatIfIsTheNetworkOfThePooledSessions) {
  const std::string path = path_of("free/shoppers/shoppers.csv");
  const Configuration configuration = read_configuration(ini_of("what_if/federation.ini"), {path});
  const auto rows = rows_of(read_dataset(configuration, 1, 1));

  ASSERT_NO_FATAL_FAILURE(run("what_if/federation.ini", {path, "privacy.min_contributors=1"}));

  const BeliefNetwork network = network_of(read_model(folder_ / "run"), "run");
  ASSERT_EQ(network.variables.size(), 4u);
  EXPECT_EQ(network.variables[3].name, "revenue");
  reference::for_each_world(network, [&](const std::vector<std::size_t>& values) {
    for (std::size_t v = 0; v < 4; ++v) {
      EXPECT_NEAR(
          network.factor(v, values),
          reference::conditional(rows, 99, network.variables[v].parents, v, values, network.size_of(v), 0.1),
          1e-12);
    }
  });
  std::printf("purchase foreseen with log-loss %.4f\n", last_figure("test_loss"));
  EXPECT_LT(last_figure("test_loss"), 0.42);  // 0.433 by the rate of purchases alone.
  const Outcome answer =
      run_in(folder_.path(), {"hanse", "query", "run", "visitor_type | revenue=1, month=Nov", "--json"});
  const double expected = reference::posterior(network, 1, {8, std::nullopt, std::nullopt, 1})[0];
  EXPECT_EQ(answer.code, 0) << answer.errors;
  EXPECT_NE(answer.output.find("\"New_Visitor\":" + std::to_string(expected).substr(0, 6)), std::string::npos)
      << answer.output;
  EXPECT_EQ(audit(), 0);
}

TEST_F(InsightsOfExamples, WhatIfRefusesQuestionsAboutNothing) {
  ASSERT_NO_FATAL_FAILURE(run("what_if/federation.ini", {path_of("free/shoppers/shoppers.csv")}, "run", "1"));

  const Outcome answer = run_in(folder_.path(), {"hanse", "query", "run", "revenue | month=Smarch"});

  EXPECT_EQ(answer.code, 2);
  EXPECT_NE(answer.errors.find("'Smarch' is no value of month"), std::string::npos) << answer.errors;
}

TEST_F(InsightsOfExamples, WhatIfHasTheSameBytesForAnyNumberOfWorkers) {
  expect_same_bytes("what_if/federation.ini", {path_of("free/shoppers/shoppers.csv")});
}

TEST_F(InsightsOfExamples, WhatIfWithPrivacyStaysNearTheTruth) {
  const std::string path = path_of("free/shoppers/shoppers.csv");
  const Configuration configuration = read_configuration(ini_of("what_if/federation_private.ini"), {path});

  ASSERT_NO_FATAL_FAILURE(run("what_if/federation_private.ini", {path}));

  const BeliefNetwork network = network_of(read_model(folder_ / "run"), "run");
  const double distance = distance_of_purchases(network, rows_of(read_dataset(configuration, 1, 1)));
  std::printf("epsilon 1: a session's chance of a purchase is off by %.4f in the mean\n", distance);
  EXPECT_LT(distance, 0.04);  // About 0.015.
  EXPECT_EQ(audit(), 0);
}

/// Rows of each category and week, row-major by category: of 9 categories and 53 weeks.
std::vector<double> weekly_counts(const Dataset& data) {
  std::vector<double> counts(9 * 53, 0.0);
  const ColumnRange& weeks = data.space.sparse_ranges[0];
  const ColumnRange& categories = data.space.sparse_ranges[1];
  for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
    const SparseRow row = data.train.features.row(i);
    if (row.columns.size() == 3) {  // Week, category, intercept: some lines have no category.
      counts[(row.columns[1] - categories.begin) * 53 + row.columns[0] - weeks.begin] += 1;
    }
  }
  return counts;
}

TEST_F(InsightsOfExamples, DemandIsForeseenBetterThanByTheWeekBefore) {
  const std::string path = path_of("free/completejourney/discount.csv");
  const Configuration configuration = read_configuration(ini_of("demand/federation.ini"), {path});

  ASSERT_NO_FATAL_FAILURE(run("demand/federation.ini", {path, "privacy.min_contributors=1"}));

  const std::vector<double> expected = weekly_counts(read_dataset(configuration, 1, 1));
  const std::vector<double> totals = array("totals");
  ASSERT_EQ(totals.size(), expected.size());
  for (std::size_t cell = 0; cell < totals.size(); ++cell) {
    EXPECT_NEAR(totals[cell], expected[cell], 1e-6);
  }
  std::printf("error one week ahead %.2f, of the week before %.2f\n", last_figure("test_rmse"),
              last_figure("test_rmse_naive"));
  EXPECT_LT(last_figure("test_rmse"), 0.8 * last_figure("test_rmse_naive"));
  EXPECT_EQ(table_of(insights(), "demand").rows.size(), 10u);
  EXPECT_EQ(audit(), 0);
}

TEST_F(InsightsOfExamples, DemandHasTheSameBytesForAnyNumberOfWorkers) {
  expect_same_bytes("demand/federation.ini",
                    {path_of("free/completejourney/discount.csv"), "data.partition=iid:8"});
}

TEST_F(InsightsOfExamples, DemandWithPrivacyIsForeseenBetterThanByTheWeekBefore) {
  const std::string path = path_of("free/completejourney/discount.csv");

  ASSERT_NO_FATAL_FAILURE(run("demand/federation_private.ini", {path}));

  std::printf("epsilon 3: error one week ahead %.2f, of the week before %.2f\n", last_figure("test_rmse"),
              last_figure("test_rmse_naive"));
  EXPECT_LT(last_figure("test_rmse"), last_figure("test_rmse_naive"));
  EXPECT_EQ(audit(), 0);
}

}  // namespace
}  // namespace hanse
