#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/data/units.h"
#include "common/numerics/normal_equations.h"

namespace hanse {

/// An item of a customer, and how much it speaks for another one.
struct ItemReason {
  std::uint32_t column;
  double weight;
};

/// Ratings of items that have a row in the model: their columns, those below `items`, come first.
std::size_t known_items(const SparseRow& ratings, std::size_t items);

/// Leaves at most `most` of the places `chosen` of a customer's columns, increasing: a choice by hash of `salt` and what the customer has, so
/// that it differs between customers and salts and follows from nothing else.
void choose_items(std::span<const std::uint32_t> columns, std::size_t most, std::uint64_t salt,
                  std::vector<std::uint32_t>& chosen);

/// Calls `take` with the training ratings (perhaps none) and the test ratings of each customer of the unit.
/// Rows are sorted by customer, so this is one merge.
template <class Take>
void for_each_tested_customer(const UnitRows& unit, const Take& take) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < unit.test.size(); ++i) {
    while (at < unit.train.size() && unit.train.customer(at) < unit.test.customer(i)) {
      ++at;
    }
    const bool known = at < unit.train.size() && unit.train.customer(at) == unit.test.customer(i);
    take(known ? unit.train.row(at) : SparseRow{}, unit.test.row(i));
  }
}

/// The customer's side of explicit matrix factorization. Given the items it is a ridge regression on (1, q_i), which
/// the merchant solves afresh whenever it is needed and keeps nowhere:
///
///   (a, p) = argmin sum over the ratings of (r - mean - b_i - a - p . q_i)^2  +  n l2_bias a^2  +  m l2 |p|^2
///
/// n counts the ratings, m those of items with a row; for others b_i = 0 and q_i = 0.
class CustomerSide {
 public:
  struct Penalties {
    double factors = 0;  ///< l2.
    double bias = 0;     ///< l2_bias.
  };
  /// `parameters`: mean, then for each item b_i and the `rank` entries of q_i.
  CustomerSide(std::span<const double> parameters, std::uint32_t rank, Penalties penalties);

  /// (a, p), padded with zeros to stride_of<double>(rank + 1). Valid until the next call.
  std::span<const double> solve(const SparseRow& ratings);
  /// r - mean - b_i - a - p . q_i
  double error(std::span<const double> customer, std::uint32_t item, float rating) const;
  std::size_t items() const { return items_; }

 private:
  std::size_t row_of(std::uint32_t item) const { return item < items_ ? item : items_; }

  double mean_;
  std::size_t items_;
  Penalties penalties_;
  NormalEquations<double> equations_;
  std::size_t stride_;
  std::vector<double> vectors_;  ///< (1, q_i) of each item, padded; last (1, 0) for items without a row.
  std::vector<double> biases_;
  std::vector<std::uint32_t> rows_;
  std::vector<double> weights_;
  std::vector<double> residuals_;
  std::vector<double> solution_;
};

}  // namespace hanse
