#include "common/numerics/rating_sgd.h"

#include "common/base/check.h"
#include "common/base/each_processor.h"
#include "common/numerics/normal_equations.h"

namespace hanse {
namespace {

constexpr std::size_t kLine = 16;
constexpr std::size_t kAhead = 4;
using Vector __attribute__((vector_size(32), aligned(16), may_alias)) = float;
constexpr std::size_t kLanes = 8;

[[gnu::always_inline]] inline Vector& at(float* numbers) {
  return *reinterpret_cast<Vector*>(numbers);
}

[[gnu::always_inline]] inline float sum_of(const Vector& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

/// p . q of `lines` cache lines, or of `stride` numbers where `lines` is 0.
template <std::size_t lines>
[[gnu::always_inline]] inline float product(float* p, float* q, std::size_t stride) {
  const std::size_t length = lines > 0 ? lines * kLine : stride;
  Vector even = at(p) * at(q);
  Vector odd = at(p + kLanes) * at(q + kLanes);
  for (std::size_t i = kLine; i < length; i += kLine) {
    even += at(p + i) * at(q + i);
    odd += at(p + i + kLanes) * at(q + i + kLanes);
  }
  return sum_of(even + odd);
}

template <std::size_t lines>
[[gnu::always_inline]] inline void descend(const std::uint32_t* columns, const float* ratings,
                                           std::size_t count, const RatingSgdRates& rates, float& bias,
                                           float* p, float* biases, float* table, std::size_t stride) {
  const float rate = rates.learning_rate;
  const float kept = 1 - rate * rates.l2;
  const float bias_kept = 1 - rate * rates.l2_bias;
  float a = bias;
  float own[lines > 0 ? lines * kLine : 1] __attribute__((aligned(64)));
  if constexpr (lines > 0) {
    for (std::size_t i = 0; i < lines * kLine; i += kLanes) {
      at(own + i) = at(p + i);
    }
  }
  float* const customer = lines > 0 ? own : p;
  const std::size_t length = lines > 0 ? lines * kLine : stride;
  for (std::size_t j = 0; j < count; ++j) {
    if (j + kAhead < count) {
      const float* const next = table + std::size_t{columns[j + kAhead]} * stride;
      for (std::size_t i = 0; i < length; i += kLine) {
        __builtin_prefetch(next + i, 1);
      }
    }
    float* const q = table + std::size_t{columns[j]} * stride;
    float& b = biases[columns[j]];
    const float error = ratings[j] - rates.mean - a - b - product<lines>(customer, q, stride);
    const float step = rate * error;
    a = bias_kept * a + step;
    b = bias_kept * b + step;
    for (std::size_t i = 0; i < length; i += kLanes) {
      const Vector before = at(customer + i);
      at(customer + i) = kept * before + step * at(q + i);
      at(q + i) = kept * at(q + i) + step * before;
    }
  }
  bias = a;
  if constexpr (lines > 0) {
    for (std::size_t i = 0; i < lines * kLine; i += kLanes) {
      at(p + i) = at(own + i);
    }
  }
}

HANSE_EACH_PROCESSOR
void descend_lines(const std::uint32_t* columns, const float* ratings, std::size_t count,
                   const RatingSgdRates& rates, float& bias, float* p, float* biases, float* table,
                   std::size_t stride) {
  // The usual ranks have loops of their own, in which p stays in registers.
  switch (stride / kLine) {
    case 1:
      return descend<1>(columns, ratings, count, rates, bias, p, biases, table, stride);
    case 2:
      return descend<2>(columns, ratings, count, rates, bias, p, biases, table, stride);
    case 4:
      return descend<4>(columns, ratings, count, rates, bias, p, biases, table, stride);
    default:
      return descend<0>(columns, ratings, count, rates, bias, p, biases, table, stride);
  }
}

}  // namespace

ItemTable::ItemTable(std::size_t items, std::size_t rank_)
    : rank(rank_), stride(stride_of<float>(rank)), biases(items), factors(items * stride) {}

void descend_customer(const SparseRow& ratings, const RatingSgdRates& rates, float& bias,
                      std::span<float> factors, ItemTable& items) {
  check(factors.size() == items.stride, "customer and items have vectors of one length");
  descend_lines(ratings.columns.data(), ratings.values.data(), ratings.columns.size(), rates, bias,
                factors.data(), items.biases.data(), items.factors.data(), items.stride);
}

}  // namespace hanse
