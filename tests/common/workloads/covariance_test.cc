#include "common/workloads/covariance.h"

#include <cmath>

#include "common/base/failure.h"
#include "common/workloads/catalogue.h"
#include "tests/reference/covariance_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::Person;

/// Numbers alone: what each row says, and the intercept.
FeatureSpace numbers_space(std::vector<std::string> names) {
  FeatureSpace space;
  space.numeric = static_cast<std::uint32_t>(names.size());
  space.width = space.numeric + 1;
  space.names = std::move(names);
  space.names.push_back("intercept");
  space.range_low.assign(space.numeric, std::nan(""));
  space.range_high = space.range_low;
  return space;
}

Dataset numbers_data(const std::vector<std::vector<float>>& rows, std::uint32_t merchants,
                     const FeatureSpace& space) {
  std::vector<Person> people;
  for (const std::vector<float>& row : rows) {
    Person::Row numbers{.columns = {}, .values = row, .label = 0};
    numbers.values.push_back(1);
    for (std::uint32_t c = 0; c < numbers.values.size(); ++c) {
      numbers.columns.push_back(c);
    }
    people.push_back({.train = {numbers}, .test = {}});
  }
  return test::deal_people(people, merchants, RowKind::record, space);
}

Covariance::Options options_for(const Dataset& data) {
  Covariance::Options options;
  options.space = data.space;
  options.train_rows = static_cast<double>(data.train.features.rows());
  return options;
}

Model fit(const Covariance& workload, Unit unit, const Dataset& data, double noise = 0) {
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  std::vector<double> total = test::plain_sum(workload, model, sum, unit, data);
  SeededGenerator generator{3};
  for (double& entry : total) {
    entry += noise * sum.clip_norm * generator.normal();
  }
  workload.apply(model, sum, total);
  return model;
}

std::vector<double> array_of(const Covariance& workload, const Model& model, const std::string& name) {
  for (const NamedArray& array : workload.arrays(model)) {
    if (array.name == name) {
      return array.values;
    }
  }
  ADD_FAILURE() << name;
  return {};
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance) << i;
  }
}

const InsightTable& table_of(const Insights& insights, const std::string& name) {
  const auto found = std::ranges::find(insights.tables, name, &InsightTable::name);
  EXPECT_NE(found, insights.tables.end()) << name;
  return *found;
}

// Ages 1, 2, 3 and spendings 2, 4, 9 (by hand): means 2 and 5, variances 2/3 and 26/3, covariance 7/3.
const std::vector<std::vector<float>> kThree = {{1, 2}, {2, 4}, {3, 9}};

TEST(Covariance, OfThreeRowsIsWhatTheHandFinds) {
  const Dataset data = numbers_data(kThree, 2, numbers_space({"age", "spent"}));
  const Covariance workload(options_for(data));

  const Model model = fit(workload, Unit::merchant, data);

  const double r = 7.0 / 3 / std::sqrt(2.0 / 3 * 26.0 / 3);
  expect_near(array_of(workload, model, "rows"), {3}, 1e-9);
  expect_near(array_of(workload, model, "profile_mean"), {2, 5}, 1e-9);
  expect_near(array_of(workload, model, "profile_deviation"), {std::sqrt(2.0 / 3), std::sqrt(26.0 / 3)},
              1e-9);
  expect_near(array_of(workload, model, "correlation"), {1, r, r, 1}, 1e-9);
  expect_near(array_of(workload, model, "variances"), {1 + r, 1 - r}, 1e-9);
  expect_near(array_of(workload, model, "shares"), {(1 + r) / 2, (1 - r) / 2}, 1e-9);
  const double half = std::sqrt(0.5);
  const std::vector<double> components = array_of(workload, model, "components");
  expect_near({components[0], components[1]}, {half, half}, 1e-9);
  EXPECT_NEAR(components[2] * components[3], -0.5, 1e-9);
}

TEST(Covariance, IsToldInUnitsOfTheFile) {
  const Dataset data = numbers_data(kThree, 1, numbers_space({"age", "spent"}));
  Covariance::Options options = options_for(data);
  options.mean = {100, 0};
  options.deviation = {10, 0.5};
  const Covariance workload(options);

  const Model model = fit(workload, Unit::merchant, data);

  expect_near(array_of(workload, model, "profile_mean"), {120, 2.5}, 1e-9);
  expect_near(array_of(workload, model, "profile_deviation"),
              {10 * std::sqrt(2.0 / 3), 0.5 * std::sqrt(26.0 / 3)}, 1e-9);
}

TEST(Covariance, EqualsThePooledRowsForAnyNumberOfMerchants) {
  for (const std::uint32_t merchants : {1u, 3u, 41u}) {
    const Dataset data =
        test::deal_people(test::record_people(40, false), merchants, RowKind::record, test::record_space());
    const Covariance workload(options_for(data));
    std::vector<std::vector<double>> pool;
    for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
      pool.push_back(test::dense_row(data.train.features.row(i), 7));
      pool.back().pop_back();  // The intercept.
    }

    const Model model = fit(workload, Unit::merchant, data);

    const reference::Profile expected = reference::profile(pool);
    expect_near(array_of(workload, model, "profile_mean"), expected.mean, 1e-9);
    expect_near(array_of(workload, model, "profile_deviation"), expected.deviation, 1e-9);
    const std::vector<double> correlation = array_of(workload, model, "correlation");
    const std::vector<double> variances = array_of(workload, model, "variances");
    const std::vector<double> components = array_of(workload, model, "components");
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_NEAR(variances[i], expected.components[i].variance, 1e-9);
      double together = 0;
      for (std::size_t j = 0; j < 6; ++j) {
        EXPECT_NEAR(correlation[i * 6 + j], expected.correlation[i][j], 1e-9);
        together += components[i * 6 + j] * expected.components[i].direction[j];
      }
      EXPECT_NEAR(std::abs(together), 1, 1e-6);
    }
  }
}

TEST(Covariance, ARowsVectorIsAsLongAsTheSquareOfTheRowWithItsOne) {
  const Dataset data = numbers_data({{2, 3}}, 1, numbers_space({"a", "b"}));
  Covariance::Options options = options_for(data);
  options.unit = Unit::record;
  const Covariance workload(options);
  const Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);

  double square = 0;
  for (const double entry : test::plain_sum(workload, model, sum, Unit::record, data)) {
    square += entry * entry;
  }

  EXPECT_NEAR(std::sqrt(square), 4 + 9 + 1, 1e-9);
  EXPECT_EQ(sum.clip_norm, 3 * 3);  // Three times: one for each number, and the 1.
}

TEST(Covariance, RecordsCustomersAndMerchantsAddUpToTheSameFigures) {
  const Dataset data =
      test::deal_people(test::record_people(40, false), 3, RowKind::record, test::record_space());
  Covariance::Options options = options_for(data);
  options.unit = Unit::record;
  const Covariance workload(options);

  const std::vector<double> records = array_of(workload, fit(workload, Unit::record, data), "correlation");

  for (const Unit unit : {Unit::customer, Unit::merchant}) {
    expect_near(array_of(workload, fit(workload, unit, data), "correlation"), records, 1e-9);
  }
}

TEST(Covariance, AConstantColumnCorrelatesWithNothingAndIsNotShown) {
  const Dataset data =
      numbers_data({{1, 5, 1}, {2, 5, 2}, {3, 5, 4}}, 1, numbers_space({"age", "same", "spent"}));
  const Covariance workload(options_for(data));

  const Model model = fit(workload, Unit::merchant, data);

  const std::vector<double> correlation = array_of(workload, model, "correlation");
  EXPECT_EQ(correlation[1], 0);
  EXPECT_EQ(correlation[4], 0);
  EXPECT_NEAR(correlation[0], 1, 1e-12);
  EXPECT_EQ(table_of(workload.insights(model), "columns").rows.size(), 2u);
}

TEST(Covariance, WithNoiseStaysNearAndTellsNoCorrelationThatNoiseCouldHaveMade) {
  SeededGenerator generator{5};
  std::vector<std::vector<float>> rows;
  for (int i = 0; i < 20000; ++i) {
    const double a = generator.normal();
    const double b = 0.8 * a + 0.6 * generator.normal();
    rows.push_back({static_cast<float>(a), static_cast<float>(b), static_cast<float>(generator.normal()),
                    generator.below(2000) == 0 ? 1.0F : 0.0F});
  }
  const Dataset data = numbers_data(rows, 3, numbers_space({"a", "b", "alone", "rare"}));
  Covariance::Options options = options_for(data);
  options.unit = Unit::record;
  options.clip = 40;
  options.noise_multiplier = 4;
  const Covariance workload(options);

  const Model model = fit(workload, Unit::record, data, options.noise_multiplier);

  const std::vector<double> correlation = array_of(workload, model, "correlation");
  EXPECT_NEAR(correlation[1], 0.8, 0.05);
  const Insights insights = workload.insights(model);
  const InsightTable& told = table_of(insights, "correlations");
  ASSERT_EQ(told.rows.size(), 1u);
  EXPECT_EQ(std::get<std::string>(told.rows[0][0]), "a");
  EXPECT_EQ(std::get<std::string>(told.rows[0][1]), "b");
  const InsightTable& columns = table_of(insights, "columns");
  EXPECT_EQ(columns.rows.size(), 3u) << "what is rarer than the noise is not told from a constant";
}

TEST(Covariance, OfNoiseAloneHasNoCorrelationBeyondOneAndNoNegativeVariance) {
  const Dataset data = numbers_data(kThree, 1, numbers_space({"age", "spent"}));
  Covariance::Options options = options_for(data);
  options.unit = Unit::record;
  options.noise_multiplier = 10;
  const Covariance workload(options);

  const Model model = fit(workload, Unit::record, data, options.noise_multiplier);

  for (const double entry : array_of(workload, model, "correlation")) {
    EXPECT_LE(std::abs(entry), 1);
  }
  for (const double variance : array_of(workload, model, "variances")) {
    EXPECT_GE(variance, 0);
  }
  EXPECT_FALSE(workload.insights(model).sentences.empty());
}

TEST(Covariance, InsightsNameTheStrongestLinkAndWhatComponentsAreMadeOf) {
  const Dataset data = numbers_data({{1, 2, 7}, {2, 4, 1}, {3, 9, 6}, {4, 9, 3}}, 1,
                                    numbers_space({"age", "spent", "visits"}));
  const Covariance workload(options_for(data));

  const Insights insights = workload.insights(fit(workload, Unit::merchant, data));

  EXPECT_NE(insights.sentences[0].find("The strongest link is between age and spent"), std::string::npos);
  const std::vector<InsightCell>& first = table_of(insights, "components").rows[0];
  const std::string made_of = std::get<std::string>(first[4]);
  EXPECT_NE(made_of.find("age +0.9"), std::string::npos) << made_of;
  EXPECT_NE(made_of.find("spent +0.9"), std::string::npos) << made_of;
}

TEST(Covariance, WordsOfOneColumnAreNotToldToExcludeEachOther) {
  const Dataset data =
      test::deal_people(test::record_people(40, false), 3, RowKind::record, test::record_space());
  const Covariance workload(options_for(data));

  const Insights insights = workload.insights(fit(workload, Unit::merchant, data));

  for (const std::vector<InsightCell>& row : table_of(insights, "correlations").rows) {
    EXPECT_FALSE(std::get<std::string>(row[0]).starts_with("town") &&
                 std::get<std::string>(row[1]).starts_with("town"));
  }
}

TEST(Covariance, RefusesWhatItCannotTell) {
  const auto refusal = [](Covariance::Options options) {
    try {
      const Covariance workload(std::move(options));
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return std::string(failure.what());
    }
    return std::string();
  };
  Covariance::Options none;
  none.space.width = 1;
  Covariance::Options wide;
  wide.space.width = 5000;
  Covariance::Options crossed;
  crossed.space = test::record_space();
  crossed.space.crosses.push_back({});

  EXPECT_NE(refusal(none).find("needs a column"), std::string::npos);
  EXPECT_NE(refusal(wide).find("5000 columns are too many"), std::string::npos);
  EXPECT_NE(refusal(crossed).find("WORDS*NUMBER"), std::string::npos);
}

TEST(Covariance, RefusesRatingsSeveralRoundsAndASmallRing) {
  const auto refusal = [](const Configuration& configuration, RowKind kind) {
    WorkloadFacts facts = facts_of(test::record_space(), kind, identity_encoding(test::record_space()), 3);
    try {
      make_workload(configuration, facts);
    } catch (const Failure& failure) {
      return std::string(failure.what());
    }
    return std::string();
  };
  Configuration plain;
  plain.workload.name = "covariance";
  plain.privacy.unit = Unit::none;
  Configuration turns = plain;
  turns.privacy.turns = 2;
  Configuration ring = plain;
  ring.aggregation.ring = "32";
  Configuration own = plain;
  own.workload.other["own"] = "all";

  EXPECT_NE(refusal(plain, RowKind::customer).find("needs records"), std::string::npos);
  EXPECT_NE(refusal(turns, RowKind::record).find("privacy.turns"), std::string::npos);
  EXPECT_NE(refusal(ring, RowKind::record).find("aggregation.ring"), std::string::npos);
  EXPECT_NE(refusal(own, RowKind::record).find("workload.own"), std::string::npos);
  EXPECT_EQ(refusal(plain, RowKind::record), "");
}

}  // namespace
}  // namespace hanse
