// Customer profile, segments and market analysis on real data: by the programs that users start, against the plain references.

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/config/configuration.h"
#include "common/data/encoding.h"
#include "common/data/read_dataset.h"
#include "tests/end_to_end/insights_run.h"
#include "tests/reference/covariance_reference.h"
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

}  // namespace
}  // namespace hanse
