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

TEST(Units, HaveNames) {
  EXPECT_EQ(name_of(Unit::customer), "customer");
  EXPECT_EQ(name_of(Population::test), "test");
}

}  // namespace
}  // namespace hanse
