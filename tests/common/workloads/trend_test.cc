#include "common/workloads/trend.h"

#include <algorithm>
#include <cmath>

#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/data/encoding.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::Person;

constexpr std::uint32_t kWeeks = 24;

Dataset data_of(std::uint32_t merchants, bool labelled = true) {
  FeatureSpace space = test::week_space();
  space.label = labelled ? LabelKind::number : LabelKind::none;
  return test::deal_people(test::week_people(), merchants, RowKind::record, space);
}

Trend::Options options_of(Unit unit = Unit::none, bool labelled = true) {
  Trend::Options options;
  for (std::int64_t week = 1; week <= kWeeks; ++week) {
    options.weeks.push_back(week);
  }
  options.first_category_column = kWeeks;
  options.categories = {"cheese", "soup"};
  options.labelled = labelled;
  options.scale = labelled ? 20 : 1;
  options.holdout = 4;
  options.horizon = 3;
  options.lead_time = 2;
  options.unit = unit;
  options.train_rows = 3000;
  return options;
}

Model fit(const Trend& workload, Unit unit, const Dataset& data, Metrics* metrics = nullptr) {
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  const Metrics told = workload.apply(model, sum, test::plain_sum(workload, model, sum, unit, data));
  if (metrics != nullptr) {
    *metrics = told;
  }
  return model;
}

std::vector<double> plain_totals(const Dataset& data, bool labelled) {
  std::vector<double> totals(2 * kWeeks, 0.0);
  for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
    const SparseRow row = data.train.features.row(i);
    totals[(row.columns[1] - kWeeks) * kWeeks + row.columns[0]] +=
        labelled ? static_cast<double>(data.train.labels[i]) : 1.0;
  }
  return totals;
}

TEST(Trend, TotalsAreThoseOfThePooledRowsForAnyNumberOfMerchants) {
  for (const bool labelled : {true, false}) {
    for (const std::uint32_t merchants : {1u, 4u, 41u}) {
      const Dataset data = data_of(merchants, labelled);
      const Trend workload(options_of(Unit::none, labelled));

      const std::vector<NamedArray> arrays = workload.arrays(fit(workload, Unit::merchant, data));

      const std::vector<double> expected = plain_totals(data, labelled);
      ASSERT_EQ(arrays[0].shape, (std::vector<std::size_t>{2, kWeeks}));
      for (std::size_t cell = 0; cell < expected.size(); ++cell) {
        EXPECT_NEAR(arrays[0].values[cell], expected[cell], 1e-6 * (1 + expected[cell]));
      }
      EXPECT_EQ(arrays[1].shape, (std::vector<std::size_t>{3, 3}));
    }
  }
}

TEST(Trend, TellsNoTotalOfTooFewMerchants) {
  Trend::Options options = options_of();
  options.min_contributors = 2;
  const Trend workload(options);
  const Dataset spread = data_of(4), one = data_of(1);
  const std::vector<double> expected = plain_totals(spread, true);

  const std::vector<double> totals = workload.arrays(fit(workload, Unit::merchant, spread))[0].values;
  const std::vector<double> hidden = workload.arrays(fit(workload, Unit::merchant, one))[0].values;

  for (std::size_t cell = 0; cell < expected.size(); ++cell) {
    EXPECT_TRUE(totals[cell] == 0 || std::abs(totals[cell] - expected[cell]) < 1e-6 * expected[cell]) << cell;
    EXPECT_EQ(hidden[cell], 0);
  }
  EXPECT_GT(*std::ranges::max_element(totals), 0);
}

TEST(Trend, JudgesByWeeksThatItHasNotSeen) {
  const Dataset data = data_of(3);
  Metrics metrics;
  const Trend workload(options_of());

  fit(workload, Unit::merchant, data, &metrics);

  const std::vector<double> totals = plain_totals(data, true);
  double square = 0;
  double naive = 0;
  for (std::size_t category = 0; category < 2; ++category) {
    const std::span<const double> series = std::span(totals).subspan(category * kWeeks, kWeeks);
    const SmoothingModel model = chosen(series.first(kWeeks - 4), 4, 0);
    square += mean_square_ahead(model, series, kWeeks - 4) / 2;
    for (std::size_t t = kWeeks - 4; t < kWeeks; ++t) {
      naive += (series[t] - series[t - 1]) * (series[t] - series[t - 1]) / 8;
    }
  }
  EXPECT_NEAR(metrics.at("test_rmse"), std::sqrt(square), 1e-6);
  EXPECT_NEAR(metrics.at("test_rmse_naive"), std::sqrt(naive), 1e-6);
  EXPECT_LT(square, naive);
}

TEST(Trend, WeeksBeforeTheFirstAreNotUsed) {
  const Dataset data = data_of(1);
  Trend::Options options = options_of();
  options.first_week = 5;
  const Trend late(options);
  const Model model = fit(late, Unit::merchant, data);
  Model changed = model;
  changed.parameters[0] += 100;

  EXPECT_EQ(late.arrays(changed)[1].values, late.arrays(model)[1].values);
  changed.parameters[kWeeks - 1] += 100;
  EXPECT_NE(late.arrays(changed)[1].values, late.arrays(model)[1].values);
}

TEST(Trend, ARowIsOneAtMost) {
  const Dataset data = data_of(1);
  const Trend workload(options_of(Unit::record));
  const Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);

  EXPECT_EQ(sum.clip_norm, 1);
  for_each_unit(data, data.merchants[0], Unit::record, Population::train, [&](const UnitRows& unit) {
    Contribution contribution;
    workload.contributor(model, sum)(unit, contribution);

    ASSERT_EQ(contribution.values().size(), 1u);
    EXPECT_NEAR(contribution.values()[0], static_cast<double>(unit.train.label(0)) / 20, 1e-9);
    EXPECT_LE(std::abs(contribution.values()[0]), 1);
  });
}

TEST(Trend, TellsStockForTheLeadTime) {
  const Dataset data = data_of(2);
  const Trend workload(options_of());

  const Insights insights = workload.insights(fit(workload, Unit::merchant, data));

  ASSERT_EQ(insights.tables.size(), 2u);
  const InsightTable& demand = insights.tables[0];
  ASSERT_EQ(demand.rows.size(), 3u);
  EXPECT_EQ(std::get<std::string>(demand.rows[2][0]), "all");
  for (const auto& row : demand.rows) {
    const double next = std::get<double>(row[2]);
    EXPECT_LT(std::get<double>(row[3]), next);
    EXPECT_GT(std::get<double>(row[4]), next);
    EXPECT_GT(std::get<double>(row[7]), 0);
    EXPECT_GT(std::get<double>(row[8]), 1.5 * next);
  }
  EXPECT_EQ(insights.tables[1].rows.size(), 9u);
  EXPECT_EQ(std::get<double>(insights.tables[1].rows[0][1]), kWeeks + 1);
}

TEST(Trend, WithPrivacyShowsNoCategoryThatNoiseHides) {
  Trend::Options options = options_of(Unit::record);
  options.noise = 1000;
  const Trend workload(options);

  const Insights insights = workload.insights(fit(workload, Unit::record, data_of(2)));

  EXPECT_TRUE(insights.tables[0].rows.empty());
  EXPECT_NE(insights.sentences[1].find("3 categories are not shown"), std::string::npos);
}

class TrendRefuses : public testing::Test {
 protected:
  TrendRefuses() {
    configuration_.workload.name = "trend";
    configuration_.data.label = "sales[0..20]";
    const FeatureSpace space = test::week_space();
    facts_ = facts_of(space, RowKind::record, identity_encoding(space), 2);
    facts_.label = LabelKind::number;
    facts_.label_low = 0;
    facts_.label_high = 20;
    configuration_.workload.other = {{"holdout", "4"}};
  }
  std::string said() {
    try {
      make_trend(configuration_, facts_);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return failure.what();
    }
    return "";
  }
  Configuration configuration_;
  WorkloadFacts facts_;
};

TEST_F(TrendRefuses, NothingOfAGoodConfiguration) {
  EXPECT_EQ(said(), "");
}

TEST_F(TrendRefuses, WeeksThatAreNoNumbersAndGaps) {
  facts_.space.names[0] = "week=first";
  EXPECT_NE(said().find("whole number"), std::string::npos);
  facts_.space.names[0] = "week=-3";
  EXPECT_NE(said().find("between weeks -3 and 2"), std::string::npos);
}

TEST_F(TrendRefuses, TooFewWeeks) {
  configuration_.workload.other["holdout"] = "11";
  EXPECT_NE(said().find("24 weeks are too few"), std::string::npos);
  configuration_.workload.other = {{"holdout", "4"}, {"first_week", "20"}};
  EXPECT_NE(said().find("5 weeks are too few"), std::string::npos);
  configuration_.workload.other = {{"holdout", "0"}};
  EXPECT_NE(said().find("at least 1"), std::string::npos);
}

TEST_F(TrendRefuses, OtherColumnsAndLabels) {
  facts_.space.numeric = 1;
  EXPECT_NE(said().find("needs the week"), std::string::npos);
  facts_.space.numeric = 0;
  facts_.label = LabelKind::binary;
  EXPECT_NE(said().find("does not tell 0 from 1"), std::string::npos);
}

TEST_F(TrendRefuses, TestRowsAClipOfRecordsAndMoreThanOneRound) {
  configuration_.data.test = "hash:0.2";
  EXPECT_NE(said().find("workload.holdout"), std::string::npos);
  configuration_.data.test = "none";
  configuration_.privacy.unit = Unit::record;
  configuration_.privacy.clip = 3;
  EXPECT_NE(said().find("privacy.clip"), std::string::npos);
  configuration_.privacy.clip = 0;
  configuration_.privacy.turns = 3;
  EXPECT_NE(said().find("one round"), std::string::npos);
}

TEST_F(TrendRefuses, AServiceLevelThatIsNoProbability) {
  configuration_.workload.other["service_level"] = "95";

  EXPECT_NE(said().find("workload.service_level"), std::string::npos);
}

}  // namespace
}  // namespace hanse
