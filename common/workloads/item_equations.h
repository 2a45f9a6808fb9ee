#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/numerics/normal_equations.h"
#include "common/workloads/contribution.h"

namespace hanse {

/// The unknowns that one private sum solves for: entries [first, first + unknowns) of the vectors of items
/// [first_item, first_item + items).
struct ItemPart {
  std::size_t first_item = 0;
  std::size_t items = 0;
  std::size_t first = 0;
  std::size_t unknowns = 0;

  /// Entries of one item's equations: the upper triangle of A by rows, then y.
  std::size_t item_length() const { return unknowns * (unknowns + 1) / 2 + unknowns; }
  std::size_t length() const { return items * item_length(); }
};

/// How all unknowns of all items are divided among sums that take turns, where one sum of everything would be too long:
/// first by items, whose equations are independent, and where a vector has more than `unknowns_max` entries, by
/// entries as well (the block coordinate descent of Rendle, Krichene, Zhang and Koren 2021, "iALS++").
struct ItemParts {
  std::size_t items = 0;
  std::size_t unknowns = 0;            ///< Of an item.
  std::size_t unknowns_max = 0;        ///< Of an item in one sum; 0: all.
  std::size_t entries_max = 1u << 20;  ///< Of a sum.

  std::size_t sums() const { return item_groups() * entry_groups(); }
  /// The part of turn 0, 1, ...: all items in turn, then the next entries.
  ItemPart at(std::uint64_t turn) const;

 private:
  std::size_t unknowns_at_once() const;
  std::size_t items_at_once() const;
  std::size_t item_groups() const { return (items + items_at_once() - 1) / items_at_once(); }
  std::size_t entry_groups() const { return (unknowns + unknowns_at_once() - 1) / unknowns_at_once(); }
};

/// Gathers the normal equations of items over the customers of a unit:
///
///   A_i = sum over its customers of weight v v^T,    y_i = sum of slope v,    v = (a part of) the customer's vector
///
/// and writes them item by item. What it holds follows from the unit's ratings, not from the number of items.
template <class Real>
class ItemEquations {
 public:
  /// Customers' vectors have stride_of<Real>(order) entries.
  ItemEquations(ItemPart part, std::size_t order);

  /// The customer that the next terms are of.
  void begin_customer(std::span<const Real> vector);
  /// A term for `item`; nothing when it is not in the part. Items of a customer increase.
  void add(std::uint32_t item, Real weight, Real slope);
  /// Writes the equations of all items touched, from entry `first` on, and forgets them.
  void flush(std::size_t first, Contribution& out);

 private:
  struct Term {
    std::uint32_t item;
    std::uint32_t customer;
    Real weight;
    Real slope;
  };
  void sort_by_item();

  ItemPart part_;
  std::size_t stride_;
  NormalEquations<Real> equations_;
  std::vector<Real> vectors_;
  std::uint32_t customers_ = 0;
  std::vector<Term> terms_;
  std::vector<Term> sorted_;
  std::vector<std::uint32_t> starts_;
  std::vector<std::uint32_t> rows_;
  std::vector<Real> weights_;
  std::vector<Real> slopes_;
  std::vector<double> entries_;
};

/// Reads one item's entries back: A (its upper triangle) and y of `equations`, whose order is the part's unknowns.
void read_item_equations(std::span<const double> entries, NormalEquations<double>& equations);

}  // namespace hanse
