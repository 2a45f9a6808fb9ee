#include "common/numerics/symmetric.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/base/check.h"

namespace hanse {
namespace {

constexpr int kSweepsMax = 60;  // Convergence is quadratic: ten are many.

/// Rotates rows p and q of `a` by the angle of cosine c and sine s.
void rotate_rows(std::vector<double>& a, std::size_t n, std::size_t p, std::size_t q, double c, double s) {
  double* const x = a.data() + p * n;
  double* const y = a.data() + q * n;
  for (std::size_t k = 0; k < n; ++k) {
    const double xk = x[k];
    const double yk = y[k];
    x[k] = c * xk - s * yk;
    y[k] = s * xk + c * yk;
  }
}

/// Makes the entry (p, q) zero; false when it is as good as zero already.
bool annihilate(std::vector<double>& a, std::vector<double>& v, std::size_t n, std::size_t p, std::size_t q) {
  const double off = a[p * n + q];
  const double app = a[p * n + p];
  const double aqq = a[q * n + q];
  if (std::abs(off) <= 1e-17 * std::sqrt(std::abs(app)) * std::sqrt(std::abs(aqq)) || off == 0) {
    return false;
  }
  const double theta = (aqq - app) / (2 * off);
  const double t = std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(theta, 1.0));
  const double c = 1 / std::hypot(t, 1.0);
  const double s = t * c;
  rotate_rows(a, n, p, q, c, s);
  // The columns are the rows by symmetry, but for the square where both meet.
  for (std::size_t k = 0; k < n; ++k) {
    a[k * n + p] = a[p * n + k];
    a[k * n + q] = a[q * n + k];
  }
  a[p * n + p] = app - t * off;
  a[q * n + q] = aqq + t * off;
  a[p * n + q] = a[q * n + p] = 0;
  rotate_rows(v, n, p, q, c, s);
  return true;
}

}  // namespace

SymmetricEigen symmetric_eigen(std::span<const double> matrix, std::size_t order) {
  const std::size_t n = order;
  check(matrix.size() == n * n, "a square matrix has order^2 entries");
  std::vector<double> a(matrix.begin(), matrix.end());
  std::vector<double> v(n * n, 0.0);
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    v[i * n + i] = 1;
  }
  for (const double entry : a) {
    largest = std::max(largest, std::abs(entry));
  }
  for (int sweep = 0; sweep < kSweepsMax; ++sweep) {
    double off = 0;
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        off = std::max(off, std::abs(a[p * n + q]));
        annihilate(a, v, n, p, q);
      }
    }
    if (off <= 1e-15 * largest) {
      break;
    }
  }
  std::vector<std::size_t> by_value(n);
  std::iota(by_value.begin(), by_value.end(), std::size_t{0});
  std::stable_sort(by_value.begin(), by_value.end(),
                   [&](std::size_t i, std::size_t j) { return a[i * n + i] < a[j * n + j]; });
  SymmetricEigen eigen{.values = std::vector<double>(n), .vectors = std::vector<double>(n * n)};
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t from = by_value[k];
    eigen.values[k] = a[from * n + from];
    std::copy_n(v.begin() + static_cast<std::ptrdiff_t>(from * n), n,
                eigen.vectors.begin() + static_cast<std::ptrdiff_t>(k * n));
  }
  return eigen;
}

std::vector<double> pseudo_inverse(std::span<const double> matrix, std::size_t order, double tolerance) {
  const SymmetricEigen eigen = symmetric_eigen(matrix, order);
  double largest = 0;
  for (const double value : eigen.values) {
    largest = std::max(largest, std::abs(value));
  }
  return from_eigen(eigen,
                    [&](double value) { return std::abs(value) > tolerance * largest ? 1 / value : 0.0; });
}

std::vector<double> inverse(std::span<const double> matrix, std::size_t order) {
  constexpr double kPivotMin = 1e-10;  // Of the diagonal: what is left of it after elimination.
  const std::size_t n = order;
  check(matrix.size() == n * n, "a square matrix has order^2 entries");
  // A = L L^T, row by row; then X = L^-1 in place of L, and A^-1 = X^T X.
  std::vector<double> lower(matrix.begin(), matrix.end());
  for (std::size_t i = 0; i < n; ++i) {
    double* const row = lower.data() + i * n;
    for (std::size_t j = 0; j <= i; ++j) {
      const double* const other = lower.data() + j * n;
      double sum = row[j];
      for (std::size_t k = 0; k < j; ++k) {
        sum -= row[k] * other[k];
      }
      if (j < i) {
        row[j] = sum / other[j];
      } else if (sum > kPivotMin * matrix[i * n + i]) {
        row[i] = std::sqrt(sum);
      } else {
        return pseudo_inverse(matrix, n);
      }
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    double* const row = lower.data() + i * n;
    const double pivot = 1 / row[i];
    std::vector<double> inverted(i + 1, 0.0);
    inverted[i] = pivot;
    for (std::size_t k = 0; k < i; ++k) {
      const double* const other = lower.data() + k * n;
      for (std::size_t j = 0; j <= k; ++j) {
        inverted[j] -= pivot * row[k] * other[j];
      }
    }
    std::copy(inverted.begin(), inverted.end(), row);
  }
  std::vector<double> result(n * n, 0.0);
  for (std::size_t k = 0; k < n; ++k) {
    const double* const row = lower.data() + k * n;
    for (std::size_t i = 0; i <= k; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        result[i * n + j] += row[i] * row[j];
      }
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      result[j * n + i] = result[i * n + j];
    }
  }
  return result;
}

void multiply(std::span<const double> a, std::span<const double> x, std::span<double> y) {
  check(a.size() == x.size() * y.size(), "a matrix has the shape of its vectors");
  for (std::size_t i = 0; i < y.size(); ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      sum += a[i * x.size() + j] * x[j];
    }
    y[i] = sum;
  }
}

}  // namespace hanse
