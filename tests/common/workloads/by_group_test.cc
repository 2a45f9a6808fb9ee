#include "common/workloads/by_group.h"

#include <algorithm>
#include <cmath>

#include "common/base/failure.h"
#include "common/config/configuration.h"
#include "common/workloads/catalogue.h"
#include "common/workloads/figure_tables.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::Person;

std::unique_ptr<Workload> workload_by(const std::string& group, Unit unit = Unit::none,
                                      std::uint32_t merchants = 3, std::uint32_t min_contributors = 1) {
  Configuration configuration;
  configuration.privacy.unit = unit;
  configuration.privacy.min_contributors = min_contributors;
  if (!group.empty()) {
    configuration.workload.other["group"] = group;
  }
  WorkloadFacts facts =
      facts_of(test::record_space(), RowKind::record, identity_encoding(test::record_space()), merchants);
  facts.train_rows = 60;
  return make_workload(configuration, facts);
}

Model some_model(const Workload& workload) {
  Model model = workload.initial_model(1);
  model.parameters = {1.5, -0.25, 0.5, -0.5, 0.25, 0, 0.125};
  return model;
}

/// Figures of everybody, and of the groups under their names.
Metrics figures_of(const Workload& workload, const Dataset& data, Unit privacy = Unit::none,
                   double noise = 0) {
  Model model = some_model(workload);
  const PrivateSum sum = *workload.evaluation_sum(model);
  const std::vector<double> total =
      test::plain_sum(workload, model, sum, summed_unit(workload, sum, privacy), data);
  Metrics figures = workload.apply(model, sum, total);
  for (const InsightTable& table : workload.evaluation_insights(sum, total, noise).tables) {
    for (const auto& row : table.rows) {
      for (std::size_t c = 1; c < row.size(); ++c) {
        figures[detail_name(table.columns[c], table.columns[0], std::get<std::string>(row[0]))] =
            std::get<double>(row[c]);
      }
    }
  }
  return figures;
}

/// Only people whose test rows have this column.
std::vector<Person> people_in(std::uint32_t town) {
  std::vector<Person> people;
  for (const Person& person : test::record_people(60, false)) {
    if (person.test.at(0).columns.at(2) == town) {
      people.push_back(person);
    }
  }
  return people;
}

Dataset data_of(const std::vector<Person>& people, std::uint32_t merchants = 3) {
  return test::deal_people(people, merchants, RowKind::record, test::record_space());
}

void expect_same(const Metrics& actual, const Metrics& expected) {
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(actual.contains(name)) << name;
    EXPECT_NEAR(actual.at(name), value, 1e-12) << name;
  }
}

TEST(ByGroup, TellsOfEachGroupWhatIsToldOfItsRowsAlone) {
  const Dataset data = data_of(test::record_people(60, false));

  for (const Unit unit : {Unit::none, Unit::record, Unit::customer, Unit::merchant}) {
    const Metrics told = figures_of(*workload_by("town", unit), data, unit);

    for (const std::uint32_t town : {2u, 3u, 4u}) {
      const Metrics expected = figures_of(*workload_by("", unit), data_of(people_in(town)), unit);
      for (const auto& [name, value] : expected) {
        if (!is_detail(name)) {
          EXPECT_NEAR(told.at(detail_name(name, "town", "#" + std::to_string(town - 2))), value, 1e-12)
              << name;
        }
      }
    }
    expect_same(told, figures_of(*workload_by("", unit), data, unit));
  }
}

TEST(ByGroup, GroupsByANumberBetweenCuts) {
  std::vector<Person> people = test::record_people(60, false);
  std::vector<Person> above;
  for (const Person& person : people) {
    if (person.test[0].values[0] >= 0.25F) {
      above.push_back(person);
    }
  }

  const Metrics told = figures_of(*workload_by("spent[-0.5,0.25]"), data_of(people));

  EXPECT_NEAR(told.at("test_accuracy[spent=0.25 and more]"),
              figures_of(*workload_by(""), data_of(above)).at("test_accuracy"), 1e-12);
  EXPECT_TRUE(told.contains("test_accuracy[spent=below -0.5]"));
  EXPECT_TRUE(told.contains("test_accuracy[spent=-0.5-0.25]"));
}

TEST(ByGroup, GroupsByTheSizeOfTheMerchant) {
  std::vector<Person> people = test::record_people(60, false);

  const Metrics told = figures_of(*workload_by("merchant-size"), data_of(people));  // Some forty rows each.

  EXPECT_EQ(told.at("test_auc"), told.at("test_auc[training rows of the merchant=10-99]"));
  EXPECT_FALSE(told.contains("test_auc[training rows of the merchant=1-9]"));
}

TEST(ByGroup, TellsNothingOfAGroupOfTooFewMerchants) {
  std::vector<Person> people = people_in(2);
  const std::vector<Person> others = people_in(3);
  people.resize(6);
  people.push_back(others[0]);  // At the first of three merchants.

  const Metrics told = figures_of(*workload_by("town", Unit::none, 3, 2), data_of(people));
  const Metrics one = figures_of(*workload_by("town", Unit::none, 1, 2), data_of(people, 1));

  EXPECT_TRUE(told.contains("test_accuracy[town=#0]"));
  EXPECT_FALSE(told.contains("test_accuracy[town=#1]"));
  EXPECT_TRUE(one.contains("test_accuracy[town=#1]")) << "a single merchant has nobody to hide among";
}

TEST(ByGroup, TellsNothingOfAGroupThatNoiseAloneCouldHaveMade) {
  const Dataset data = data_of(test::record_people(60, false));
  const auto workload = workload_by("town", Unit::record);

  const Metrics quiet = figures_of(*workload, data, Unit::record, 0.1),
                loud = figures_of(*workload, data, Unit::record, 2);

  EXPECT_TRUE(quiet.contains("test_auc[town=#0]"));
  EXPECT_FALSE(loud.contains("test_auc[town=#0]"));
  EXPECT_TRUE(loud.contains("test_auc"));
}

// Its sums without privacy are in two parts, which must fit for a whole merchant.
TEST(ByGroup, KeepsWholeMerchantsOfNumbersWithinTheNormOfTheirSum) {
  std::vector<Person> people = test::record_people(400, false);
  for (Person& person : people) {
    for (Person::Row& row : person.test) {
      row.label = 3 + row.values[0];
    }
  }
  FeatureSpace space = test::record_space();
  space.label = LabelKind::number;
  space.label_low = 0;
  space.label_high = 10;
  const Dataset data = test::deal_people(people, 2, RowKind::record, space);
  Configuration configuration;
  configuration.workload.name = "linear";
  configuration.privacy.unit = Unit::none;
  configuration.privacy.min_contributors = 2;
  configuration.workload.other["group"] = "town";
  WorkloadFacts facts = facts_of(space, RowKind::record, identity_encoding(space), 2);
  facts.train_rows = 400;
  const auto workload = make_workload(configuration, facts);
  Model model = workload->initial_model(1);
  model.parameters.back() = 3;  // Off by the first column.
  const PrivateSum sum = *workload->evaluation_sum(model);
  const Contributor contribute = workload->contributor(model, sum);

  for (const MerchantRows& merchant : data.merchants) {
    for_each_unit(data, merchant, Unit::merchant, Population::test, [&](const UnitRows& rows) {
      Contribution contribution;
      contribute(rows, contribution);
      double square = 0;
      for_each_entry(contribution, [&](std::size_t, double value) { square += value * value; });
      EXPECT_LT(std::sqrt(square), sum.clip_norm);
    });
  }

  double squares = 0, rows = 0;
  for (const Person& person : people) {
    if (person.test[0].columns[2] == 3) {
      squares +=
          static_cast<double>(person.test[0].values[0]) * static_cast<double>(person.test[0].values[0]);
      rows += 1;
    }
  }
  const std::vector<double> total = test::plain_sum(*workload, model, sum, Unit::merchant, data);
  const InsightTable table = workload->evaluation_insights(sum, total, 0).tables.at(0);
  const auto column =
      static_cast<std::size_t>(std::ranges::find(table.columns, "test_rmse") - table.columns.begin());
  EXPECT_EQ(std::get<std::string>(table.rows.at(1).at(0)), "#1");
  EXPECT_NEAR(std::get<double>(table.rows.at(1).at(column)), std::sqrt(squares / rows), 1e-6);
}

TEST(ByGroup, AddsNothingToTheNormOfAUnitWithPrivacy) {
  const auto plain = workload_by("", Unit::customer), grouped = workload_by("town", Unit::customer);

  const PrivateSum sum = *grouped->evaluation_sum(some_model(*grouped));

  EXPECT_EQ(sum.clip_norm, plain->evaluation_sum(some_model(*plain))->clip_norm);
  EXPECT_EQ(sum.length, 5 * plain->evaluation_sum(some_model(*plain))->length);
}

TEST(ByGroup, RefusesWhatItCannotGroupBy) {
  const auto refusal_of = [](const std::string& group, Unit unit = Unit::none) -> std::string {
    try {
      workload_by(group, unit);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return failure.what();
    }
    return "";
  };

  EXPECT_EQ(refusal_of("planet").find("workload.group: there is no column of words 'planet'"), 0u);
  EXPECT_EQ(refusal_of("town[1,2]").find("workload.group: there is no number 'town'"), 0u);
  for (const char* group : {"spent[]", "spent[2,1]", "spent[1", "spent[1,,2]", "spent[x]", "spent[1]2"}) {
    EXPECT_EQ(refusal_of(group).find("workload.group: expected COLUMN[CUT,CUT,...]"), 0u) << group;
  }
  EXPECT_EQ(refusal_of("merchant-size", Unit::record)
                .find("workload.group=merchant-size: with privacy.unit=record"),
            0u);
}

}  // namespace
}  // namespace hanse
