#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hanse {

/// Room for one vector of `order` numbers in a table of vectors: a whole number of cache lines.
template <class Real>
constexpr std::size_t stride_of(std::size_t order) {
  constexpr std::size_t line = 64 / sizeof(Real);
  return (order + line - 1) / line * line;
}

/// The normal equations A x = y of a least-squares problem, gathered from vectors in a table:
///
///   A = sum of weight_j v_j v_j^T,    y = sum of target_j v_j
///
/// This is the work of alternating least squares, so vectors are gathered by batches and
/// multiplied by tiles. Sums have one order on every
/// processor, whatever the width of its registers: the same vectors give the same bytes.
///
/// A is kept by rows of its upper triangle, so that elimination runs along rows. For float and double.
template <class Real>
class NormalEquations {
 public:
  explicit NormalEquations(std::size_t order);

  std::size_t order() const { return order_; }
  void clear();
  /// Adds weights[j] v v^T and targets[j] v for v = the vector at table[rows[j] * stride]. Vectors are padded with zeros to
  /// stride_of(order).
  void add(const Real* table, std::span<const std::uint32_t> rows, std::span<const Real> weights,
           std::span<const Real> targets);
  /// A, entry (a, b) with a <= b.
  Real& at(std::size_t a, std::size_t b) { return upper_[a * stride_ + b]; }
  Real at(std::size_t a, std::size_t b) const { return upper_[a * stride_ + b]; }
  Real& right(std::size_t a) { return right_[a]; }
  Real right(std::size_t a) const { return right_[a]; }
  /// Becomes a copy of equations of the same order.
  void assign(const NormalEquations& other);
  /// Solves by Cholesky's factorisation A = U^T U; both sides are overwritten, the right one by x. False, and both
  /// undefined, when a pivot is not positive.
  bool solve();
  std::span<const Real> solution() const { return std::span(right_).first(order_); }

 private:
  std::size_t rows_padded() const;

  std::size_t order_;
  std::size_t stride_;
  std::vector<Real> upper_;
  std::vector<Real> right_;
  std::vector<Real> scratch_;  ///< A batch of vectors, plain and weighted.
};

/// The inner product of two vectors padded with zeros to `stride`, a whole number of cache lines: in one order of
/// additions everywhere.
float inner_product(const float* a, const float* b, std::size_t stride);
double inner_product(const double* a, const double* b, std::size_t stride);

}  // namespace hanse
