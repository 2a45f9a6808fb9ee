#include "common/numerics/symmetric.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "common/base/check.h"

namespace hanse {

SymmetricEigen symmetric_eigen(std::span<const double> matrix, std::size_t order) {
  check(matrix.size() == order * order, "a square matrix has order^2 entries");
  const auto n = static_cast<Eigen::Index>(order);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(
      Eigen::Map<const Eigen::MatrixXd>(matrix.data(), n, n));
  check(solver.info() == Eigen::Success, "a finite symmetric matrix has eigenvalues");
  const auto& values = solver.eigenvalues();
  const auto& vectors = solver.eigenvectors();  // By columns, one after the other.
  return {.values = {values.data(), values.data() + n}, .vectors = {vectors.data(), vectors.data() + n * n}};
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

std::optional<std::vector<double>> positive_inverse(std::span<const double> matrix, std::size_t order) {
  check(matrix.size() == order * order, "a square matrix has order^2 entries");
  const auto n = static_cast<Eigen::Index>(order);
  const Eigen::LLT<Eigen::MatrixXd> factors(Eigen::Map<const Eigen::MatrixXd>(matrix.data(), n, n));
  if (factors.info() != Eigen::Success) {
    return std::nullopt;
  }
  std::vector<double> inverted(matrix.size());
  Eigen::Map<Eigen::MatrixXd>(inverted.data(), n, n) = factors.solve(Eigen::MatrixXd::Identity(n, n));
  return inverted;
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
