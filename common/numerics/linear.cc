#include "common/numerics/linear.h"

#include <cmath>
#include <cstddef>

#include "common/base/check.h"

namespace hanse {

DotAndNorm dot_and_norm(const SparseRow& row, std::span<const double> weights) {
  double product = 0;
  double square = 0;
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    const double value = static_cast<double>(row.values[i]);
    product += value * weights[row.columns[i]];
    square += value * value;
  }
  return {.dot = product, .norm = std::sqrt(square)};
}

double dot(const SparseRow& row, std::span<const double> weights) {
  double product = 0;
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    product += static_cast<double>(row.values[i]) * weights[row.columns[i]];
  }
  return product;
}

double sigmoid(double x) {
  if (x >= 0) {
    return 1 / (1 + std::exp(-x));
  }
  const double e = std::exp(x);
  return e / (1 + e);
}

double logistic_loss(double x, double y) {
  return std::max(x, 0.0) - y * x + std::log1p(std::exp(-std::abs(x)));
}

double soft_threshold(double value, double threshold) {
  return value > threshold ? value - threshold : value < -threshold ? value + threshold : 0.0;
}

double power_of_two_above(double value) {
  return std::exp2(std::ceil(std::log2(value)));
}

bool solve_cholesky(std::span<double> lower, std::span<double> b) {
  const std::size_t n = b.size();
  check(lower.size() >= n * n, "a matrix has the order of its right-hand side");
  double* const a = lower.data();
  // Row by row, A = L L^T; the inner products run along rows, which are contiguous. Four partial sums of a
  // fixed order keep the floating-point units busy and the result the same everywhere.
  const auto inner = [](const double* x, const double* y, std::size_t count) {
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      s0 += x[i] * y[i];
      s1 += x[i + 1] * y[i + 1];
      s2 += x[i + 2] * y[i + 2];
      s3 += x[i + 3] * y[i + 3];
    }
    for (; i < count; ++i) {
      s0 += x[i] * y[i];
    }
    return (s0 + s1) + (s2 + s3);
  };
  for (std::size_t i = 0; i < n; ++i) {
    double* const row = a + i * n;
    for (std::size_t j = 0; j < i; ++j) {
      row[j] = (row[j] - inner(row, a + j * n, j)) / a[j * n + j];
    }
    const double pivot = row[i] - inner(row, row, i);
    if (!(pivot > 0)) {
      return false;
    }
    row[i] = std::sqrt(pivot);
    b[i] = (b[i] - inner(row, b.data(), i)) / row[i];
  }
  for (std::size_t i = n; i-- > 0;) {
    const double* const row = a + i * n;
    b[i] /= row[i];
    for (std::size_t j = 0; j < i; ++j) {
      b[j] -= row[j] * b[i];
    }
  }
  return true;
}

}  // namespace hanse
