#include "common/data/units.h"

#include <string>

namespace hanse {
namespace {

// Merchant 0: customers 0 (train rows 0, 1; test row 0), 1 (train row 2), 2 (test rows 1, 2). Merchant 1: no
// train row.
Dataset market() {
  Dataset data;
  const auto add = [](RowBlock& block, std::uint32_t customer) {
    block.customers.push_back(customer);
    block.labels.push_back(1);
    block.features.row_begin.push_back(0);
  };
  for (const std::uint32_t customer : {0U, 0U, 1U}) {
    add(data.train, customer);
  }
  for (const std::uint32_t customer : {0U, 2U, 2U, 0U}) {
    add(data.test, customer);
  }
  data.merchants = {{.id = 4, .name = "a", .train_begin = 0, .train_end = 3, .test_begin = 0, .test_end = 3},
                    {.id = 9, .name = "b", .train_begin = 3, .train_end = 3, .test_begin = 3, .test_end = 4}};
  return data;
}

// The units as "train/test" ranges of row indices.
std::string visits(std::size_t merchant, Unit unit, Population population) {
  const Dataset data = market();
  std::string text;
  const auto rows = [](const Rows& all) {
    std::string part;
    for (std::size_t i = 0; i < all.size(); ++i) {
      part += std::to_string(all.index(i));
    }
    return part;
  };
  for_each_unit(data, data.merchants[merchant], unit, population, [&](const UnitRows& unit_rows) {
    EXPECT_EQ(unit_rows.merchant, data.merchants[merchant].id);
    text += rows(unit_rows.train) + "/" + rows(unit_rows.test) + " ";
  });
  return text;
}

TEST(Units, OfRecordsAreSingleRowsOfOnePopulation) {
  EXPECT_EQ(visits(0, Unit::record, Population::train), "0/ 1/ 2/ ");
  EXPECT_EQ(visits(0, Unit::record, Population::test), "/0 /1 /2 ");
}

TEST(Units, OfCustomersMergeTrainAndTestRows) {
  EXPECT_EQ(visits(0, Unit::customer, Population::train), "01/0 2/ ");
  EXPECT_EQ(visits(0, Unit::customer, Population::test), "01/0 /12 ");
}

TEST(Units, OfAMerchantAreAllItsRows) {
  EXPECT_EQ(visits(0, Unit::merchant, Population::train), "012/012 ");
  EXPECT_EQ(visits(1, Unit::merchant, Population::test), "/3 ");
}

TEST(Units, WithoutRowsInThePopulationAreNotVisited) {
  EXPECT_EQ(visits(1, Unit::merchant, Population::train), "");
  EXPECT_EQ(visits(1, Unit::customer, Population::train), "");
  EXPECT_EQ(visits(1, Unit::record, Population::train), "");
}

TEST(Units, AreCounted) {
  const Dataset data = market();

  EXPECT_EQ(count_units(data, data.merchants[0], Unit::record, Population::train), 3u);
  EXPECT_EQ(count_units(data, data.merchants[0], Unit::customer, Population::train), 2u);
  EXPECT_EQ(count_units(data, data.merchants[0], Unit::merchant, Population::test), 1u);
  EXPECT_EQ(count_units(data, data.merchants[1], Unit::merchant, Population::train), 0u);
}

/// One merchant's training rows of one feature, each its own customer with a name or without.
Dataset records(const std::vector<float>& values, bool with_names = false) {
  Dataset data;
  data.merchants = {{.name = "a", .train_end = values.size()}};
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    data.train.customers.push_back(i);
    data.train.labels.push_back(values[i] > 3 ? 1.0F : 0.0F);
    data.train.features.columns.push_back(2);
    data.train.features.values.push_back(values[i]);
    data.train.features.row_begin.push_back(i + 1);
    if (with_names) {
      data.merchants[0].customer_keys.push_back(static_cast<std::uint64_t>(values[i]));
    }
  }
  return data;
}

std::vector<std::uint64_t> keys_of(const Dataset& data, Unit unit) {
  std::vector<std::uint64_t> keys;
  for_each_unit(data, data.merchants[0], unit, Population::train, [&](const UnitRows& rows) {
    keys.push_back(unit_key(data.merchants[0], unit, Population::train, rows));
  });
  return keys;
}

/// A run that goes on with other data gives nobody a second turn.
TEST(UnitKeys, OfAllOthersStayWhenARowIsTakenOutOrAdded) {
  for (const Unit unit : {Unit::record, Unit::customer, Unit::customer_at_merchant}) {
    for (const bool with_names : {false, true}) {
      const auto all = keys_of(records({1, 2, 3, 4, 5}, with_names), unit);
      const auto without_second = keys_of(records({1, 3, 4, 5}, with_names), unit);
      const auto with_another = keys_of(records({9, 1, 2, 3, 4, 5}, with_names), unit);

      EXPECT_EQ(without_second, (std::vector{all[0], all[2], all[3], all[4]})) << name_of(unit);
      EXPECT_EQ(std::vector(with_another.begin() + 1, with_another.end()), all) << name_of(unit);
    }
  }
}

TEST(UnitKeys, OfRecordsDifferWithFeatureColumnLabelAndCustomer) {
  const std::uint64_t key = keys_of(records({1}), Unit::record)[0];
  Dataset other_column = records({1});
  other_column.train.features.columns[0] = 3;
  Dataset other_label = records({1});
  other_label.train.labels[0] = 1;

  EXPECT_NE(keys_of(records({2}), Unit::record)[0], key);
  EXPECT_NE(keys_of(other_column, Unit::record)[0], key);
  EXPECT_NE(keys_of(other_label, Unit::record)[0], key);
  EXPECT_NE(keys_of(records({1}, true), Unit::record)[0], key);
  EXPECT_EQ(keys_of(records({1, 1}), Unit::record), (std::vector{key, key}));
}

TEST(UnitKeys, OfACustomerAreOfItsNameWhateverItsRows) {
  Dataset changed = records({1, 2}, true);
  changed.train.features.values[0] = 7;

  EXPECT_EQ(keys_of(changed, Unit::customer), keys_of(records({1, 2}, true), Unit::customer));
}

TEST(Units, HaveNames) {
  EXPECT_EQ(name_of(Unit::customer), "customer");
  EXPECT_EQ(name_of(Population::test), "test");
}

}  // namespace
}  // namespace hanse
