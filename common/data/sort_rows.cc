#include "common/data/sort_rows.h"

#include <algorithm>
#include <compare>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "common/base/check.h"

namespace hanse {
namespace {

// Rank of each merchant in the order of names.
std::vector<std::uint32_t> ranks_by_name(const StringTable& merchants) {
  std::vector<std::uint32_t> order(merchants.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return merchants.text(a) < merchants.text(b); });
  std::vector<std::uint32_t> ranks(order.size());
  for (std::uint32_t rank = 0; rank < order.size(); ++rank) {
    ranks[order[rank]] = rank;
  }
  return ranks;
}

// entries[row_begin[i]..row_begin[i+1]) of all rows i in `order`, one row after the other.
template <class T>
std::vector<T> rearranged(const std::vector<T>& entries, const std::vector<std::uint64_t>& row_begin,
                          const std::vector<std::uint32_t>& order) {
  std::vector<T> result;
  result.reserve(entries.size());
  for (const std::uint32_t i : order) {
    const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(row_begin[i]);
    result.insert(result.end(), begin, entries.begin() + static_cast<std::ptrdiff_t>(row_begin[i + 1]));
  }
  return result;
}

template <class T>
std::vector<T> rearranged(const std::vector<T>& entries, const std::vector<std::uint32_t>& order) {
  std::vector<T> result;
  result.reserve(entries.size());
  for (const std::uint32_t i : order) {
    result.push_back(entries[i]);
  }
  return result;
}

// Stable counting sort of row numbers by one part of their keys: both parts are dense numbers.
std::vector<std::uint32_t> sorted_by(std::vector<std::uint32_t> order, const std::vector<RowKey>& keys,
                                     std::uint32_t RowKey::*part) {
  std::vector<std::uint32_t> begin;
  for (const RowKey& key : keys) {
    if (key.*part + std::size_t{2} > begin.size()) {
      begin.resize(key.*part + std::size_t{2});
    }
    ++begin[key.*part + std::size_t{1}];
  }
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<std::uint32_t> result(order.size());
  for (const std::uint32_t i : order) {
    result[begin[keys[i].*part]++] = i;
  }
  return result;
}

bool in_order(const StagedRows& rows) {
  if (!std::is_sorted(rows.keys.begin(), rows.keys.end())) {
    return false;
  }
  for (std::size_t i = 1; i < rows.times.size(); ++i) {
    if (rows.keys[i] == rows.keys[i - 1] && rows.times[i] < rows.times[i - 1]) {
      return false;
    }
  }
  return true;
}

void sort_block(StagedRows& rows) {
  if (in_order(rows)) {
    return;
  }
  check(rows.keys.size() < std::numeric_limits<std::uint32_t>::max(),
        "a worker holds fewer than 2^32 - 1 rows");
  std::vector<std::uint32_t> order(rows.keys.size());
  std::iota(order.begin(), order.end(), 0U);
  if (!rows.times.empty()) {
    std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return rows.times[i]; });
  }
  order = sorted_by(std::move(order), rows.keys, &RowKey::customer);
  order = sorted_by(std::move(order), rows.keys, &RowKey::merchant);
  CsrMatrix& features = rows.features;
  features.columns = rearranged(features.columns, features.row_begin, order);
  features.values = rearranged(features.values, features.row_begin, order);
  std::vector<std::uint64_t> row_begin{0};
  row_begin.reserve(order.size() + 1);
  for (const std::uint32_t i : order) {
    row_begin.push_back(row_begin.back() + features.row_begin[i + 1] - features.row_begin[i]);
  }
  features.row_begin = std::move(row_begin);
  if (!rows.labels.empty()) {
    rows.labels = rearranged(rows.labels, order);
  }
  rows.keys = rearranged(rows.keys, order);
}

// Gives the rows with `key` from `at` on the number `customer`.
void number_customer(const std::vector<RowKey>& keys, RowKey key, std::uint32_t customer, std::size_t& at,
                     RowBlock& block) {
  for (; at < keys.size() && keys[at] == key; ++at) {
    block.customers.push_back(customer);
  }
}

// Walks both sorted blocks together: a change of merchant begins a MerchantRows, a change of customer a
// number.
void number_rows(const std::vector<RowKey>& train, const std::vector<RowKey>& test,
                 const std::vector<std::uint64_t>& customer_keys, Dataset& data,
                 std::vector<std::uint32_t>& merchant_ranks) {
  data.train.customers.reserve(train.size());
  data.test.customers.reserve(test.size());
  std::size_t at_train = 0, at_test = 0;
  std::uint32_t customer = 0;
  while (at_train < train.size() || at_test < test.size()) {
    const bool from_train =
        at_test == test.size() || (at_train < train.size() && train[at_train] <= test[at_test]);
    const RowKey key = from_train ? train[at_train] : test[at_test];
    if (merchant_ranks.empty() || merchant_ranks.back() != key.merchant) {
      merchant_ranks.push_back(key.merchant);
      MerchantRows rows;
      rows.train_begin = rows.train_end = at_train;
      rows.test_begin = rows.test_end = at_test;
      data.merchants.push_back(std::move(rows));
      customer = 0;
    }
    number_customer(train, key, customer, at_train, data.train);
    number_customer(test, key, customer, at_test, data.test);
    data.merchants.back().train_end = at_train;
    data.merchants.back().test_end = at_test;
    if (!customer_keys.empty()) {
      data.merchants.back().customer_keys.push_back(customer_keys[key.customer]);
    }
    ++customer;
  }
}

}  // namespace

void sort_rows(StagedRows train, StagedRows test, const RowNames& names, Dataset& data) {
  const StringTable& merchants = names.merchants;
  const std::vector<std::uint32_t> ranks = ranks_by_name(merchants);
  for (StagedRows* rows : {&train, &test}) {
    for (RowKey& key : rows->keys) {
      key.merchant = ranks[key.merchant];
    }
    sort_block(*rows);
  }

  std::vector<std::uint32_t> merchant_ranks;
  number_rows(train.keys, test.keys, names.customer_keys, data, merchant_ranks);
  std::vector<std::uint32_t> number_of(ranks.size());
  for (std::uint32_t number = 0; number < ranks.size(); ++number) {
    number_of[ranks[number]] = number;
  }
  for (std::size_t i = 0; i < merchant_ranks.size(); ++i) {
    data.merchants[i].name = merchants.text(number_of[merchant_ranks[i]]);
  }

  data.train.features = std::move(train.features);
  data.train.labels = std::move(train.labels);
  data.test.features = std::move(test.features);
  data.test.labels = std::move(test.labels);
}

}  // namespace hanse
