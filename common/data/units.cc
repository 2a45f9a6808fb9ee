#include "common/data/units.h"

#include <bit>
#include <limits>

#include "common/base/check.h"
#include "common/base/seeded_generator.h"
#include "common/data/text_hash.h"

namespace hanse {
namespace {

void for_each_record(const Dataset& data, const MerchantRows& merchant, Population population,
                     const std::function<void(const UnitRows&)>& take) {
  const bool train = population == Population::train;
  const std::size_t end = train ? merchant.train_end : merchant.test_end;
  for (std::size_t i = train ? merchant.train_begin : merchant.test_begin; i < end; ++i) {
    UnitRows unit{.train = {}, .test = {}, .merchant = merchant.id};
    (train ? unit.train : unit.test) = Rows(train ? data.train : data.test, i, i + 1);
    take(unit);
  }
}

// Takes the rows of `customer` from `at` on, and moves `at` behind them.
Rows take_customer(const RowBlock& block, std::uint32_t customer, std::size_t& at, std::size_t end) {
  const std::size_t begin = at;
  while (at < end && block.customers[at] == customer) {
    ++at;
  }
  return {block, begin, at};
}

// Both blocks are sorted by customer, so a merge visits each customer once.
void for_each_customer(const Dataset& data, const MerchantRows& merchant, Population population,
                       const std::function<void(const UnitRows&)>& take) {
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::size_t train = merchant.train_begin, test = merchant.test_begin;
  while (train < merchant.train_end || test < merchant.test_end) {
    const std::uint32_t next_train = train < merchant.train_end ? data.train.customers[train] : kNone;
    const std::uint32_t next_test = test < merchant.test_end ? data.test.customers[test] : kNone;
    const std::uint32_t customer = next_train < next_test ? next_train : next_test;
    UnitRows unit{.train = {}, .test = {}, .merchant = merchant.id};
    unit.train = take_customer(data.train, customer, train, merchant.train_end);
    unit.test = take_customer(data.test, customer, test, merchant.test_end);
    if (!(population == Population::train ? unit.train : unit.test).empty()) {
      take(unit);
    }
  }
}

/// No index of the row or of its customer, which change when other rows come or go.
std::uint64_t hash_of_row(const Rows& rows, std::size_t i, std::uint64_t hash) {
  const SparseRow row = rows.row(i);
  hash = split_mix(hash ^ row.columns.size());
  for (std::size_t entry = 0; entry < row.columns.size(); ++entry) {
    const std::uint64_t column = row.columns[entry];
    hash = split_mix(hash ^ (column << 32 | std::bit_cast<std::uint32_t>(row.values[entry])));
  }
  return rows.has_labels() ? split_mix(hash ^ std::bit_cast<std::uint32_t>(rows.label(i))) : hash;
}

}  // namespace

std::string_view name_of(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "none";
    case Unit::record:
      return "record";
    case Unit::customer:
      return "customer";
    case Unit::customer_at_merchant:
      return "customer_at_merchant";
    case Unit::merchant:
      return "merchant";
  }
  return "unknown";
}

std::string_view name_of(Population population) {
  return population == Population::train ? "train" : "test";
}

std::size_t count_units(const Dataset& data, const MerchantRows& merchant, Unit unit, Population population) {
  std::size_t units = 0;
  for_each_unit(data, merchant, unit, population, [&](const UnitRows&) { ++units; });
  return units;
}

std::uint64_t unit_key(const MerchantRows& merchant, Unit unit, Population population, const UnitRows& rows) {
  const Rows& own = population == Population::train ? rows.train : rows.test;
  check(!own.empty(), "a unit has rows in the population that is asked about");
  if (unit == Unit::merchant) {
    return text_hash(merchant.name);
  }
  const bool has_name = !merchant.customer_keys.empty();
  if (is_customer(unit) && has_name) {
    return merchant.customer_keys[own.customer(0)];
  }
  std::uint64_t key = has_name ? merchant.customer_keys[own.customer(0)] : 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    key = hash_of_row(own, i, key);
  }
  return key;
}

void for_each_unit(const Dataset& data, const MerchantRows& merchant, Unit unit, Population population,
                   const std::function<void(const UnitRows&)>& take) {
  check(unit != Unit::none, "rows are visited by record, customer or merchant");
  if (unit == Unit::record) {
    for_each_record(data, merchant, population, take);
  } else if (is_customer(unit)) {
    for_each_customer(data, merchant, population, take);
  } else {
    const UnitRows all{.train = Rows(data.train, merchant.train_begin, merchant.train_end),
                       .test = Rows(data.test, merchant.test_begin, merchant.test_end),
                       .merchant = merchant.id};
    if (!(population == Population::train ? all.train : all.test).empty()) {
      take(all);
    }
  }
}

}  // namespace hanse
