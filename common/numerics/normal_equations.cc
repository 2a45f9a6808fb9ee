#include "common/numerics/normal_equations.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"
#include "common/base/each_processor.h"

// Each loop stands in an inlined template, and is compiled for each processor in a function of its own. Columns are taken
// by whole cache lines: what lies left of the diagonal in the first line of a row is computed as well and never read.

namespace hanse {
namespace {

template <class Real>
constexpr std::size_t kLine = 64 / sizeof(Real);
/// Rows of a tile, which is a cache line wide: its sums fit into registers.
constexpr std::size_t kTileRows = 4;
/// Vectors that are gathered before they are multiplied, and rows that are eliminated together.
constexpr std::size_t kBatch = 32;
constexpr std::size_t kPanel = 8;

/// Half a cache line: a register of AVX2, or two plain ones.
template <class Real>
struct Half {
  using Vector __attribute__((vector_size(32), aligned(16), may_alias)) = Real;
};
template <class Real>
using Vector = typename Half<Real>::Vector;
template <class Real>
constexpr std::size_t kHalf = 32 / sizeof(Real);

template <class Real>
[[gnu::always_inline]] inline Vector<Real>& vector_at(Real* numbers) {
  return *reinterpret_cast<Vector<Real>*>(numbers);
}
template <class Real>
[[gnu::always_inline]] inline const Vector<Real>& vector_at(const Real* numbers) {
  return *reinterpret_cast<const Vector<Real>*>(numbers);
}

/// Adds to `upper`, from row `first` on, sign * sum over j < count of left_j right_j^T, of which the upper triangle counts.
/// Vectors j are `stride` apart, like rows.
template <int sign, class Real>
[[gnu::always_inline]] inline void add_products(const Real* left, const Real* right, std::size_t count,
                                                std::size_t stride, std::size_t first, std::size_t rows,
                                                Real* upper) {
  for (std::size_t a = first; a < rows; a += kTileRows) {
    for (std::size_t b = a / kLine<Real> * kLine<Real>; b < stride; b += kLine<Real>) {
      Vector<Real> sums[kTileRows][2] = {};
      for (std::size_t j = 0; j < count; ++j) {
        const Real* const v = right + j * stride + b;
        const Real* const c = left + j * stride + a;
        const Vector<Real> v0 = vector_at(v);
        const Vector<Real> v1 = vector_at(v + kHalf<Real>);
        sums[0][0] += c[0] * v0;
        sums[0][1] += c[0] * v1;
        sums[1][0] += c[1] * v0;
        sums[1][1] += c[1] * v1;
        sums[2][0] += c[2] * v0;
        sums[2][1] += c[2] * v1;
        sums[3][0] += c[3] * v0;
        sums[3][1] += c[3] * v1;
      }
      for (std::size_t i = 0; i < kTileRows; ++i) {
        Real* const row = upper + (a + i) * stride + b;
        if constexpr (sign > 0) {
          vector_at(row) += sums[i][0];
          vector_at(row + kHalf<Real>) += sums[i][1];
        } else {
          vector_at(row) -= sums[i][0];
          vector_at(row + kHalf<Real>) -= sums[i][1];
        }
      }
    }
  }
}

/// to[first line of `begin`, stride) += factor * from
template <class Real>
[[gnu::always_inline]] inline void add_scaled(Real factor, const Real* from, std::size_t begin,
                                              std::size_t stride, Real* to) {
  for (std::size_t b = begin / kLine<Real> * kLine<Real>; b < stride; b += kHalf<Real>) {
    vector_at(to + b) += factor * vector_at(from + b);
  }
}

template <class Real>
[[gnu::always_inline]] inline void add_all(const Real* table, std::size_t stride, std::size_t rows_padded,
                                           std::span<const std::uint32_t> rows, std::span<const Real> weights,
                                           std::span<const Real> targets, Real* scratch, Real* upper,
                                           Real* right) {
  Real* const plain = scratch;
  Real* const weighted = scratch + kBatch * stride;
  for (std::size_t begin = 0; begin < rows.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, rows.size() - begin);
    for (std::size_t j = 0; j < count; ++j) {
      const Real* const vector = table + std::size_t{rows[begin + j]} * stride;
      const Real weight = weights[begin + j];
      const Real target = targets[begin + j];
      for (std::size_t b = 0; b < stride; b += kHalf<Real>) {
        const Vector<Real> v = vector_at(vector + b);
        vector_at(plain + j * stride + b) = v;
        vector_at(weighted + j * stride + b) = weight * v;
        vector_at(right + b) += target * v;
      }
    }
    add_products<1>(weighted, plain, count, stride, 0, rows_padded, upper);
  }
}

/// A = U^T U by panels of rows; the right-hand side goes along, so that it ends as U^-T y. Then U x = it, from below.
template <class Real>
[[gnu::always_inline]] inline bool eliminate(std::size_t stride, std::size_t rows_padded, std::size_t order,
                                             Real* upper, Real* right) {
  for (std::size_t panel = 0; panel < order; panel += kPanel) {
    const std::size_t end = std::min(panel + kPanel, order);
    for (std::size_t k = panel; k < end; ++k) {
      Real* const pivot_row = upper + k * stride;
      if (!(pivot_row[k] > 0)) {
        return false;
      }
      const Real inverse = Real(1) / std::sqrt(pivot_row[k]);
      for (std::size_t b = k / kLine<Real> * kLine<Real>; b < stride; b += kHalf<Real>) {
        vector_at(pivot_row + b) *= inverse;
      }
      right[k] *= inverse;
      for (std::size_t a = k + 1; a < end; ++a) {
        add_scaled(-pivot_row[a], pivot_row, a, stride, upper + a * stride);
      }
      for (std::size_t a = k + 1; a < order; ++a) {
        right[a] -= right[k] * pivot_row[a];
      }
    }
    if (end < order) {
      add_products<-1>(upper + panel * stride, upper + panel * stride, end - panel, stride, end, rows_padded,
                       upper);
    }
  }
  for (std::size_t k = order; k-- > 0;) {
    const Real* const row = upper + k * stride;
    Real lanes[kHalf<Real>] = {};
    std::size_t b = k + 1;
    for (; b + kHalf<Real> <= order; b += kHalf<Real>) {
      for (std::size_t i = 0; i < kHalf<Real>; ++i) {
        lanes[i] += row[b + i] * right[b + i];
      }
    }
    for (std::size_t i = 0; b < order; ++b, ++i) {
      lanes[i] += row[b] * right[b];
    }
    Real rest = right[k];
    for (const Real lane : lanes) {
      rest -= lane;
    }
    right[k] = rest / row[k];
  }
  return true;
}

template <class Real>
[[gnu::always_inline]] inline Real inner(const Real* a, const Real* b, std::size_t stride) {
  Vector<Real> first = {};
  Vector<Real> second = {};
  for (std::size_t line = 0; line < stride; line += kLine<Real>) {
    first += vector_at(a + line) * vector_at(b + line);
    second += vector_at(a + line + kHalf<Real>) * vector_at(b + line + kHalf<Real>);
  }
  first += second;
  Real sum = 0;
  for (std::size_t i = 0; i < kHalf<Real>; ++i) {
    sum += first[i];
  }
  return sum;
}

HANSE_EACH_PROCESSOR
void add_vectors(const float* table, std::size_t stride, std::size_t rows_padded,
                 std::span<const std::uint32_t> rows, std::span<const float> weights,
                 std::span<const float> targets, float* scratch, float* upper, float* right) {
  add_all(table, stride, rows_padded, rows, weights, targets, scratch, upper, right);
}
HANSE_EACH_PROCESSOR
bool solve_upper(std::size_t stride, std::size_t rows_padded, std::size_t order, float* upper, float* right) {
  return eliminate(stride, rows_padded, order, upper, right);
}
HANSE_EACH_PROCESSOR
void add_vectors(const double* table, std::size_t stride, std::size_t rows_padded,
                 std::span<const std::uint32_t> rows, std::span<const double> weights,
                 std::span<const double> targets, double* scratch, double* upper, double* right) {
  add_all(table, stride, rows_padded, rows, weights, targets, scratch, upper, right);
}
HANSE_EACH_PROCESSOR
bool solve_upper(std::size_t stride, std::size_t rows_padded, std::size_t order, double* upper,
                 double* right) {
  return eliminate(stride, rows_padded, order, upper, right);
}

}  // namespace

HANSE_EACH_PROCESSOR
float inner_product(const float* a, const float* b, std::size_t stride) {
  return inner(a, b, stride);
}
HANSE_EACH_PROCESSOR
double inner_product(const double* a, const double* b, std::size_t stride) {
  return inner(a, b, stride);
}

template <class Real>
NormalEquations<Real>::NormalEquations(std::size_t order)
    : order_(order),
      stride_(stride_of<Real>(order)),
      upper_(rows_padded() * stride_),
      right_(stride_),
      scratch_(2 * kBatch * stride_) {}

template <class Real>
std::size_t NormalEquations<Real>::rows_padded() const {
  return (order_ + kTileRows - 1) / kTileRows * kTileRows;
}

template <class Real>
void NormalEquations<Real>::clear() {
  std::fill(upper_.begin(), upper_.end(), Real(0));
  std::fill(right_.begin(), right_.end(), Real(0));
}

template <class Real>
void NormalEquations<Real>::assign(const NormalEquations& other) {
  check(order_ == other.order_, "equations of one order are copied");
  std::copy(other.upper_.begin(), other.upper_.end(), upper_.begin());
  std::copy(other.right_.begin(), other.right_.end(), right_.begin());
}

template <class Real>
void NormalEquations<Real>::add(const Real* table, std::span<const std::uint32_t> rows,
                                std::span<const Real> weights, std::span<const Real> targets) {
  check(rows.size() == weights.size() && rows.size() == targets.size(), "every vector has weight and target");
  add_vectors(table, stride_, rows_padded(), rows, weights, targets, scratch_.data(), upper_.data(),
              right_.data());
}

template <class Real>
bool NormalEquations<Real>::solve() {
  return solve_upper(stride_, rows_padded(), order_, upper_.data(), right_.data());
}

template class NormalEquations<float>;
template class NormalEquations<double>;

}  // namespace hanse
