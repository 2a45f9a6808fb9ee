#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "common/data/dataset.h"

namespace hanse {

/// The unit of privacy: whose whole contribution to a sum is bounded and hidden.
///
///   record                one row
///   customer              all rows of one customer, at all its merchants together: each of at most K merchants clips to
///                         a K-th, whatever the others do, so nobody needs to know where else a customer is
///   customer_at_merchant  the rows of one customer at one merchant; what K merchants have of the customer together is
///                         hidden less well (K times the sensitivity), and no common name of customers is needed
///   merchant              all rows of one merchant
enum class Unit { none, record, customer, customer_at_merchant, merchant };
inline bool is_customer(Unit unit) {
  return unit == Unit::customer || unit == Unit::customer_at_merchant;
}
std::string_view name_of(Unit unit);

/// A view of consecutive rows of a block.
class Rows {
 public:
  Rows() = default;
  Rows(const RowBlock& block, std::size_t begin, std::size_t end)
      : block_(&block), begin_(begin), end_(end) {}
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  SparseRow row(std::size_t i) const { return block_->features.row(begin_ + i); }
  bool has_labels() const { return !block_->labels.empty(); }
  float label(std::size_t i) const { return block_->labels[begin_ + i]; }
  /// Dense index of the row's customer within its merchant; the same in train and test.
  std::uint32_t customer(std::size_t i) const { return block_->customers[begin_ + i]; }
  /// Row i alone.
  Rows only(std::size_t i) const { return {*block_, begin_ + i, begin_ + i + 1}; }
  /// Index of the row in its block, for caches keyed by row.
  std::size_t index(std::size_t i) const { return begin_ + i; }

 private:
  const RowBlock* block_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// The rows of one unit: what one contribution is computed from. For a sum over the test population of units
/// finer than a customer, `train` is empty; for customers and merchants both are given (a customer's factors
/// come from its training rows, its error from its test rows).
struct UnitRows {
  Rows train;
  Rows test;
  std::uint32_t merchant = 0;  ///< Id of the merchant, for what depends on (seed, round, merchant).
};

/// Which rows a sum is over. At Unit::record the two populations are disjoint, so their budgets do not add.
enum class Population { train, test };
std::string_view name_of(Population population);

/// Units of the merchant with rows in `population`.
std::size_t count_units(const Dataset& data, const MerchantRows& merchant, Unit unit, Population population);

/// The key of a unit, which no other unit moves: a hash of the merchant's or the customer's name, the latter the same at all merchants;
/// of what stands in its rows, as `data` has them now, where it has no name: a record. Equal records share a key.
std::uint64_t unit_key(const MerchantRows& merchant, Unit unit, Population population, const UnitRows& rows);

/// Calls `take` once for each unit of the merchant that has rows in `population`. `unit` must not be `none`:
/// callers replace it by the workload's natural unit first.
void for_each_unit(const Dataset& data, const MerchantRows& merchant, Unit unit, Population population,
                   const std::function<void(const UnitRows&)>& take);

}  // namespace hanse
