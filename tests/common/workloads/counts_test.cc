#include "common/workloads/counts.h"

#include <algorithm>
#include <cmath>

#include "common/base/failure.h"
#include "common/workloads/catalogue.h"
#include "tests/reference/counts_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::Person;

/// A week from 0 to 8, and one of three kinds.
FeatureSpace sales_space() {
  FeatureSpace space;
  space.numeric = 1;
  space.width = 5;
  space.names = {"week", "kind=tea", "kind=milk", "kind=bread", "intercept"};
  space.range_low = {0};
  space.range_high = {8};
  space.sparse_ranges = {{.begin = 1, .end = 4, .name = "kind"}};
  return space;
}

struct Sold {
  double week;
  std::uint32_t kind;  ///< 0 tea, 1 milk, 2 bread.
};

Dataset sales_data(const std::vector<Sold>& sales, std::uint32_t merchants) {
  std::vector<Person> people;
  for (const Sold& sold : sales) {
    people.push_back({.train = {{.columns = {0, 1 + sold.kind, 4},
                                 .values = {static_cast<float>(sold.week), 1, 1},
                                 .label = 0}},
                      .test = {}});
  }
  return test::deal_people(people, merchants, RowKind::record, sales_space());
}

Counts::Options options_for(const Dataset& data, bool periods = false) {
  Counts::Options options;
  options.space = data.space;
  options.train_rows = static_cast<double>(data.train.features.rows());
  options.cells = 4;
  if (periods) {
    options.period = Counts::Period{.column = 0, .length = 2, .end = 8};
  }
  return options;
}

Model fit(const Counts& workload, Unit unit, const Dataset& data, double noise = 0) {
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

std::vector<double> array_of(const Counts& workload, const Model& model, const std::string& name) {
  for (const NamedArray& array : workload.arrays(model)) {
    if (array.name == name) {
      return array.values;
    }
  }
  ADD_FAILURE() << name;
  return {};
}

const InsightTable* table_of(const Insights& insights, const std::string& name) {
  const auto found = std::ranges::find(insights.tables, name, &InsightTable::name);
  return found == insights.tables.end() ? nullptr : &*found;
}

/// Tea is sold three times in the last two weeks and twice in the two before; milk once each; bread long ago.
const std::vector<Sold> kSales = {{8, 0},   {7, 0},   {6.5, 0}, {6, 0}, {5, 0},
                                  {7.5, 1}, {4.5, 1}, {1, 2},   {3, 2}};

TEST(Counts, OfWordsAndCellsAreWhatTheHandCounts) {
  const Dataset data = sales_data(kSales, 2);
  const Counts workload(options_for(data));

  const Model model = fit(workload, Unit::merchant, data);

  EXPECT_EQ(array_of(workload, model, "rows"), std::vector<double>{9});
  EXPECT_EQ(array_of(workload, model, "words"), (std::vector<double>{5, 2, 2}));
  EXPECT_EQ(array_of(workload, model, "cells"), (std::vector<double>{1, 1, 2, 5}));
}

TEST(Counts, OfPeriodsTellWhatGrew) {
  const Dataset data = sales_data(kSales, 1);
  const Counts workload(options_for(data, true));

  const Model model = fit(workload, Unit::merchant, data);

  EXPECT_EQ(array_of(workload, model, "rows"), (std::vector<double>{4, 3, 2}));
  EXPECT_EQ(array_of(workload, model, "words"), (std::vector<double>{3, 1, 0, 2, 1, 0, 0, 0, 2}));
  const Insights insights = workload.insights(model);
  const InsightTable* growth = table_of(insights, "growth");
  ASSERT_NE(growth, nullptr);
  ASSERT_EQ(growth->rows.size(), 2u);
  EXPECT_EQ(std::get<std::string>(growth->rows[0][0]), "kind=tea");
  EXPECT_DOUBLE_EQ(std::get<double>(growth->rows[0][3]), 50);
  EXPECT_DOUBLE_EQ(std::get<double>(growth->rows[1][3]), 0);
}

TEST(Counts, ARowBehindTheLastPeriodIsInNeither) {
  const Dataset data = sales_data({{8, 0}, {4, 0}, {3, 1}}, 1);
  Counts::Options options = options_for(data, true);
  options.period->end = 4;
  const Counts workload(options);

  const Model model = fit(workload, Unit::merchant, data);

  EXPECT_EQ(array_of(workload, model, "rows"), (std::vector<double>{2, 0, 1}));
}

TEST(Counts, EqualThePooledRowsForAnyNumberOfMerchants) {
  SeededGenerator generator{8};
  std::vector<Sold> sold;
  for (int i = 0; i < 500; ++i) {
    const auto kind = static_cast<std::uint32_t>(generator.below(6) == 0 ? 2 : generator.below(2));
    sold.push_back({static_cast<double>(generator.below(9)), kind});
  }
  for (const std::uint32_t merchants : {1u, 3u, 250u}) {
    const Dataset data = sales_data(sold, merchants);
    Counts::Options options = options_for(data, true);
    options.merchants_needed = merchants == 1 ? 1 : 3;
    const Counts workload(options);
    std::vector<reference::Sale> sales;
    for (std::size_t i = 0; i < sold.size(); ++i) {
      sales.push_back({.merchant = std::to_string(i % merchants),
                       .word = std::to_string(sold[i].kind),
                       .time = sold[i].week});
    }

    const std::vector<double> words = array_of(workload, fit(workload, Unit::merchant, data), "words");

    auto expected = reference::count_words(sales, 8, 2, static_cast<std::size_t>(options.merchants_needed));
    for (std::size_t kind = 0; kind < 3; ++kind) {
      const reference::WordCount& count = expected[std::to_string(kind)];
      EXPECT_EQ(words[kind], count.last);
      EXPECT_EQ(words[3 + kind], count.before);
      EXPECT_EQ(words[kind] + words[3 + kind] + words[6 + kind], count.all);
    }
  }
}

TEST(Counts, OfTooFewMerchantsAreNotPublished) {
  const Dataset data = sales_data({{8, 0}, {8, 0}, {8, 1}, {8, 0}}, 2);  // Milk at the first alone.
  Counts::Options options = options_for(data);
  options.merchants_needed = 2;
  const Counts workload(options);

  const Model model = fit(workload, Unit::merchant, data);

  EXPECT_EQ(array_of(workload, model, "words"), (std::vector<double>{3, 0, 0}));
  EXPECT_EQ(table_of(workload.insights(model), "kind")->rows.size(), 1u);
}

TEST(Counts, QuantilesAreWithinACell) {
  std::vector<Sold> sold;
  for (int i = 0; i < 1000; ++i) {
    sold.push_back({8.0 * i / 1000, 0});
  }
  const Dataset data = sales_data(sold, 3);
  Counts::Options options = options_for(data);
  options.cells = 16;
  const Counts workload(options);

  const Model model = fit(workload, Unit::merchant, data);

  for (const double share : {0.05, 0.5, 0.95}) {
    EXPECT_NEAR(workload.quantile(model, 0, share), 8 * share, 0.02) << "spread evenly";
  }
  EXPECT_TRUE(std::isnan(workload.quantile(workload.initial_model(1), 0, 0.5))) << "nobody took part";
}

TEST(Counts, ARowsVectorHasANormThatItsColumnsTell) {
  const Dataset data = sales_data({{3, 1}}, 1);
  Counts::Options options = options_for(data, true);
  options.unit = Unit::record;
  const Counts workload(options);
  const Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);

  double square = 0;
  for (const double entry : test::plain_sum(workload, model, sum, Unit::record, data)) {
    square += entry * entry;
  }

  EXPECT_NEAR(std::sqrt(square), sum.clip_norm, 1e-12);
  EXPECT_NEAR(sum.clip_norm, std::sqrt(3.0), 1e-12);
}

TEST(Counts, RecordsCustomersAndMerchantsAddUpToTheSame) {
  const Dataset data = sales_data(kSales, 3);
  Counts::Options options = options_for(data, true);
  options.unit = Unit::record;
  const Counts workload(options);

  const Model records = fit(workload, Unit::record, data);

  EXPECT_EQ(fit(workload, Unit::customer, data).parameters, records.parameters);
  EXPECT_EQ(fit(workload, Unit::merchant, data).parameters, records.parameters);
}

TEST(Counts, WithNoiseTellNothingThatNoiseCouldHaveMade) {
  std::vector<Sold> sold(3000, Sold{7, 0});
  sold.insert(sold.end(), 1500, Sold{5, 0});
  sold.insert(sold.end(), 3, Sold{7, 1});
  const Dataset data = sales_data(sold, 3);
  Counts::Options options = options_for(data, true);
  options.unit = Unit::record;
  options.noise_multiplier = 5;
  const Counts workload(options);

  const Model model = fit(workload, Unit::record, data, options.noise_multiplier);

  const Insights insights = workload.insights(model);
  const InsightTable* kinds = table_of(insights, "kind");
  ASSERT_NE(kinds, nullptr);
  ASSERT_EQ(kinds->rows.size(), 1u);
  EXPECT_EQ(std::get<std::string>(kinds->rows[0][0]), "tea");
  EXPECT_NEAR(std::get<double>(kinds->rows[0][5]), 100, 10);
  EXPECT_EQ(table_of(insights, "growth")->rows.size(), 1u);
}

TEST(Counts, OfNoiseAloneSayThatThereIsNothingToSay) {
  const Dataset data = sales_data({{3, 1}}, 1);
  Counts::Options options = options_for(data);
  options.unit = Unit::record;
  options.noise_multiplier = 50;
  const Counts workload(options);

  const Insights insights = workload.insights(fit(workload, Unit::record, data, options.noise_multiplier));

  EXPECT_EQ(insights.sentences[0], "No count stands above the noise.");
  EXPECT_TRUE(insights.tables.empty());
}

TEST(Counts, RefuseWhatTheyCannotCount) {
  Configuration plain;
  plain.workload.name = "counts";
  plain.privacy.unit = Unit::none;
  plain.data.standardise = false;
  const auto refusal = [&](const std::function<void(Configuration&, FeatureSpace&)>& change) {
    Configuration configuration = plain;
    FeatureSpace space = sales_space();
    change(configuration, space);
    try {
      make_workload(configuration, facts_of(space, RowKind::record, identity_encoding(space), 3));
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return std::string(failure.what());
    }
    return std::string();
  };

  EXPECT_EQ(refusal([](auto&, auto&) {}), "");
  EXPECT_NE(refusal([](auto& c, auto&) { c.data.standardise = true; }).find("data.standardise"),
            std::string::npos);
  EXPECT_NE(refusal([](auto&, auto& s) { s.range_low[0] = std::nan(""); }).find("week[LOW..HIGH]"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& c, auto&) { c.data.format = "libsvm"; }).find("data.format"), std::string::npos);
  EXPECT_NE(refusal([](auto& c, auto&) { c.workload.other["cells"] = "0"; }).find("workload.cells"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& c, auto&) { c.workload.other["period_column"] = "day"; }).find("not a column"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& c, auto&) {
              c.workload.other["period_column"] = "week";
            }).find("workload.period is missing"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& c, auto&) { c.privacy.turns = 2; }).find("privacy.turns"), std::string::npos);
  EXPECT_NE(refusal([](auto& c, auto&) { c.aggregation.ring = "32"; }).find("aggregation.ring"),
            std::string::npos);
}

}  // namespace
}  // namespace hanse
