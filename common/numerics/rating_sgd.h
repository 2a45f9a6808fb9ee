#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/data/csr_matrix.h"

namespace hanse {

/// Items as floats: biases, and factors as rows of one table, padded with zeros to whole cache lines.
struct ItemTable {
  ItemTable(std::size_t items, std::size_t rank);
  float* factors_of(std::size_t item) { return factors.data() + item * stride; }
  const float* factors_of(std::size_t item) const { return factors.data() + item * stride; }

  std::size_t rank;
  std::size_t stride;  ///< stride_of<float>(rank)
  std::vector<float> biases;
  std::vector<float> factors;
};

struct RatingSgdRates {
  float mean = 0;
  float learning_rate = 0;
  float l2 = 0;       ///< Of factors, at each rating.
  float l2_bias = 0;  ///< Of biases, at each rating.
};

/// One pass of stochastic gradient descent over a customer's ratings, in their order (Koren, Bell, Volinsky 2009):
///
///   e = r - mean - a - b_i - p . q_i
///   a += rate (e - l2_bias a),  b_i += rate (e - l2_bias b_i),  p += rate (e q_i - l2 p),  q_i += rate (e p - l2 q_i)
///
/// with p and q_i as they were before the rating. `factors` is p, items.stride long; `bias` is a. Ratings of one customer come together, so p stays in the
/// fastest memory and only items are fetched, the next ones ahead of time. Additions have one order on every processor.
void descend_customer(const SparseRow& ratings, const RatingSgdRates& rates, float& bias,
                      std::span<float> factors, ItemTable& items);

}  // namespace hanse
