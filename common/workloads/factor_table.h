#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/data/csr_matrix.h"
#include "common/data/units.h"

namespace hanse {

/// What the score of a row is compared with, and hence what of it is learnt.
struct ScoreTarget {
  enum class Loss {
    logistic,  ///< log(1 + exp(score)) - label * score, label 0 or 1.
    squared,   ///< (score - u)^2 / 2, u = (label - middle) / half_width.
  };
  Loss loss = Loss::logistic;
  double middle = 0;
  double half_width = 1;

  /// The loss, and its derivative with respect to the score.
  double loss_of(double score, float label) const;
  double residual(double score, float label) const;
};

/// Stochastic gradient descent with the steps of Adagrad (Duchi, Hazan, Singer 2011).
struct LocalAdagrad {
  std::uint32_t epochs = 1;
  double learning_rate = 0.1;
  double l2 = 0;          ///< Of the weights of columns that a row has.
  double l2_factors = 0;  ///< Likewise of their factors.
};

/// The columns of a factorization machine (Rendle 2010) in single precision, and its loops over rows. The score of a row x
/// without its intercept, with w_j and the vector v_j of rank k of each column j:
///
///   score(x) = w . x + 1/2 sum_f (s_f^2 - sum_j v_jf^2 x_j^2),      s = sum_j v_j x_j
///   d score / d w_j = x_j,      d score / d v_j = x_j (s - v_j x_j)
///
/// in O(k) for each nonzero. A column is one block of [w, memory of w, memory of v, spare][v], v padded with zeros to a
/// multiple of eight: one cache line at rank 8. Adagrad remembers one number for the whole of v_j, the sum of mean squares
/// of its gradients, as LIBMF does (Chin, Zhuang, Juan, Lin 2015): the block stays small, and one root serves k entries.
///
/// Sums over factors are added in one order on every processor, so that a merchant's vector is the same bytes everywhere.
class FactorTable {
 public:
  FactorTable(std::size_t columns, std::size_t rank);

  std::size_t rank() const { return rank_; }
  /// The length of `sums` in what follows: the rank, padded.
  std::size_t padded_rank() const { return kLanes * vectors_; }

  /// Sets w and v from (w, v_1, ..., v_k), and forgets what Adagrad remembers of them.
  void set(std::size_t column, std::span<const double> parameters);
  float weight(std::size_t column) const { return block(column)[0]; }
  std::span<const float> factors(std::size_t column) const { return {block(column) + kLanes, rank_}; }

  /// The score of a row, whose columns are all in the table; `sums` becomes s.
  double score(const SparseRow& row, std::span<float> sums) const;

  /// Adds residual * x * (1, s - v x) to `gradient`, k + 1 entries: the column's share in the gradient of a row.
  void add_gradient(std::size_t column, float x, double residual, std::span<const float> sums,
                    std::span<double> gradient) const;

  /// One pass over `rows` in this order, a step after each row. The last column of every row is the intercept, which is
  /// `bias`, with a memory of its own, and meets no other column.
  void descend(const Rows& rows, std::span<const std::uint32_t> order, const ScoreTarget& target,
               const LocalAdagrad& options, double& bias, double& bias_memory);

  static constexpr double kFirstMemory = 1;  ///< Of Adagrad: a first step is at most rate * gradient long.

 private:
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kLine = 16;  ///< Floats in a cache line.
  struct Free {
    void operator()(float* data) const;
  };

  float* block(std::size_t column) { return blocks_.get() + column * stride_; }
  const float* block(std::size_t column) const { return blocks_.get() + column * stride_; }

  std::size_t rank_;
  std::size_t vectors_;  ///< Of eight factors each.
  std::size_t stride_;
  std::unique_ptr<float[], Free> blocks_;
};

}  // namespace hanse
