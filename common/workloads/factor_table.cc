#include "common/workloads/factor_table.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "common/base/check.h"
#include "common/base/each_processor.h"
#include "common/numerics/linear.h"

namespace hanse {
namespace {

// Eight factors at a time: one register with AVX2, two without, and the same additions in the same order.
typedef float Eight __attribute__((vector_size(32), aligned(4), may_alias));

typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));

/// What the loops know of a table; Float is const where they only read.
template <class Float>
struct Blocks {
  Float* data;
  std::size_t stride;
  std::size_t vectors;
  float reciprocal_rank;

  Float* operator[](std::size_t column) const { return data + column * stride; }
};

// Loops over N vectors of factors; N = 0: as many as the table says.
template <std::size_t N, class Float>
std::size_t vectors_of(const Blocks<Float>& blocks) {
  return N > 0 ? N : blocks.vectors;
}

constexpr std::size_t kAhead = 3;  ///< Rows that wait for their entries before one waits for its blocks.

[[gnu::always_inline]] inline void prefetch_entries(const SparseRow& row) {
  for (std::size_t i = 0; i < row.columns.size(); i += 16) {
    __builtin_prefetch(row.columns.data() + i);
    __builtin_prefetch(row.values.data() + i);
  }
}

[[gnu::always_inline]] inline void prefetch_blocks(const Blocks<float>& blocks, const SparseRow& row) {
  for (const std::uint32_t column : row.columns) {
    const float* const block = blocks[column];
    for (std::size_t at = 0; at < blocks.stride; at += 16) {
      __builtin_prefetch(block + at, 1);
    }
  }
}

[[gnu::always_inline]] inline float sum_of(const Eight& x) {
  const Four halves = __builtin_shufflevector(x, x, 0, 1, 2, 3) + __builtin_shufflevector(x, x, 4, 5, 6, 7);
  const Four pairs = halves + __builtin_shufflevector(halves, halves, 2, 3, 0, 1);
  return pairs[0] + pairs[1];
}

template <std::size_t N, class Float>
[[gnu::always_inline]] inline double forward(const Blocks<Float>& blocks, const SparseRow& row, Eight* sums) {
  const std::size_t vectors = vectors_of<N>(blocks);
  double linear = 0;
  Eight squares{};  // Of all factors: only their sum is needed.
  for (std::size_t f = 0; f < vectors; ++f) {
    sums[f] = Eight{};
  }
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    const float* const block = blocks[row.columns[i]];
    const Eight* const factors = reinterpret_cast<const Eight*>(block) + 1;
    const float x = row.values[i];
    linear += static_cast<double>(block[0]) * static_cast<double>(x);
    for (std::size_t f = 0; f < vectors; ++f) {
      const Eight term = factors[f] * x;
      sums[f] += term;
      squares += term * term;
    }
  }
  Eight pairs{};
  for (std::size_t f = 0; f < vectors; ++f) {
    pairs += sums[f] * sums[f];
  }
  pairs -= squares;
  return linear + static_cast<double>(sum_of(pairs)) / 2;
}

template <std::size_t N>
[[gnu::always_inline]] inline void backward(const Blocks<float>& blocks, const SparseRow& row,
                                            const Eight* sums, float residual, float rate, float l2,
                                            float l2_factors) {
  const std::size_t vectors = vectors_of<N>(blocks);
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    float* const block = blocks[row.columns[i]];
    Eight* const factors = reinterpret_cast<Eight*>(block) + 1;
    const float x = row.values[i];
    const float slope = residual * x;
    const float weight_gradient = slope + l2 * block[0];
    const float own = l2_factors - slope * x;  // Of v_j in its own gradient.
    Eight gradients[N > 0 ? N : 1];
    Eight squares{};
    for (std::size_t f = 0; f < vectors; ++f) {
      const Eight gradient = sums[f] * slope + factors[f] * own;
      gradients[N > 0 ? f : 0] = gradient;
      squares += gradient * gradient;
    }
    block[1] += weight_gradient * weight_gradient;
    block[2] += sum_of(squares) * blocks.reciprocal_rank;
    block[0] -= rate * weight_gradient / std::sqrt(block[1]);
    const float step = rate / std::sqrt(block[2]);
    for (std::size_t f = 0; f < vectors; ++f) {
      factors[f] -= (N > 0 ? gradients[f] : sums[f] * slope + factors[f] * own) * step;
    }
  }
}

[[gnu::always_inline]] inline SparseRow without_intercept(const SparseRow& row) {
  const std::size_t count = row.columns.size() - 1;
  return {row.columns.first(count), row.values.first(count)};
}

template <std::size_t N>
[[gnu::always_inline]] inline void descend_all(const Blocks<float>& blocks, const Rows& rows,
                                               std::span<const std::uint32_t> order,
                                               const ScoreTarget& target, const LocalAdagrad& options,
                                               double& bias, double& bias_memory, Eight* scratch) {
  Eight in_registers[N > 0 ? N : 1];
  Eight* const sums = N > 0 ? in_registers : scratch;
  const auto rate = static_cast<float>(options.learning_rate);
  const auto l2 = static_cast<float>(options.l2), l2_factors = static_cast<float>(options.l2_factors);
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i + kAhead < order.size()) {
      prefetch_entries(rows.row(order[i + kAhead]));
    }
    if (i + 1 < order.size()) {
      prefetch_blocks(blocks, without_intercept(rows.row(order[i + 1])));
    }
    const SparseRow row = without_intercept(rows.row(order[i]));
    const double score = bias + forward<N>(blocks, row, sums);
    const double residual = target.residual(score, rows.label(order[i]));
    bias_memory += residual * residual;
    bias -= options.learning_rate * residual / std::sqrt(bias_memory);
    backward<N>(blocks, row, sums, static_cast<float>(residual), rate, l2, l2_factors);
  }
}

HANSE_EACH_PROCESSOR void descend_in(const Blocks<float>& blocks, const Rows& rows,
                                     std::span<const std::uint32_t> order, const ScoreTarget& target,
                                     const LocalAdagrad& options, double& bias, double& bias_memory,
                                     Eight* scratch) {
  switch (blocks.vectors) {
    case 1:
      return descend_all<1>(blocks, rows, order, target, options, bias, bias_memory, scratch);
    case 2:
      return descend_all<2>(blocks, rows, order, target, options, bias, bias_memory, scratch);
    case 4:
      return descend_all<4>(blocks, rows, order, target, options, bias, bias_memory, scratch);
    default:
      return descend_all<0>(blocks, rows, order, target, options, bias, bias_memory, scratch);
  }
}

HANSE_EACH_PROCESSOR double score_in(const Blocks<const float>& blocks, const SparseRow& row, Eight* sums) {
  switch (blocks.vectors) {
    case 1:
      return forward<1>(blocks, row, sums);
    case 2:
      return forward<2>(blocks, row, sums);
    case 4:
      return forward<4>(blocks, row, sums);
    default:
      return forward<0>(blocks, row, sums);
  }
}

HANSE_EACH_PROCESSOR void add_gradient_in(const float* factors, const float* sums, float x, double slope,
                                          std::size_t rank, double* gradient) {
  for (std::size_t f = 0; f < rank; ++f) {
    gradient[f] += slope * static_cast<double>(sums[f] - factors[f] * x);
  }
}

}  // namespace

double ScoreTarget::loss_of(double score, float label) const {
  if (loss == Loss::logistic) {
    return logistic_loss(score, static_cast<double>(label));
  }
  const double error = residual(score, label);
  return error * error / 2;
}

double ScoreTarget::residual(double score, float label) const {
  const double y = static_cast<double>(label);
  return loss == Loss::logistic ? sigmoid(score) - y : score - (y - middle) / half_width;
}

FactorTable::FactorTable(std::size_t columns, std::size_t rank)
    : rank_(rank), vectors_((rank + kLanes - 1) / kLanes), stride_(kLanes * (1 + vectors_)) {
  const std::size_t lines = std::max<std::size_t>((columns * stride_ + kLine - 1) / kLine, 1);
  blocks_.reset(new (std::align_val_t{kLine * sizeof(float)}) float[lines * kLine]());
}

void FactorTable::Free::operator()(float* data) const {
  ::operator delete[](data, std::align_val_t{kLine * sizeof(float)});
}

void FactorTable::set(std::size_t column, std::span<const double> parameters) {
  check(parameters.size() == rank_ + 1, "a column has a weight and its factors");
  float* const own = block(column);
  own[0] = static_cast<float>(parameters[0]);
  own[1] = own[2] = static_cast<float>(kFirstMemory);
  for (std::size_t f = 0; f < rank_; ++f) {
    own[kLanes + f] = static_cast<float>(parameters[1 + f]);
  }
}

double FactorTable::score(const SparseRow& row, std::span<float> sums) const {
  const Blocks<const float> blocks{blocks_.get(), stride_, vectors_, 0};
  return score_in(blocks, row, reinterpret_cast<Eight*>(sums.data()));
}

void FactorTable::add_gradient(std::size_t column, float x, double residual, std::span<const float> sums,
                               std::span<double> gradient) const {
  const double slope = residual * static_cast<double>(x);
  gradient[0] += slope;
  add_gradient_in(block(column) + kLanes, sums.data(), x, slope, rank_, gradient.data() + 1);
}

void FactorTable::descend(const Rows& rows, std::span<const std::uint32_t> order, const ScoreTarget& target,
                          const LocalAdagrad& options, double& bias, double& bias_memory) {
  const Blocks<float> blocks{blocks_.get(), stride_, vectors_, 1 / static_cast<float>(rank_)};
  std::vector<float> scratch(padded_rank());
  descend_in(blocks, rows, order, target, options, bias, bias_memory,
             reinterpret_cast<Eight*>(scratch.data()));
}

}  // namespace hanse
