#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace hanse {

/// Entries of the lower triangle of a symmetric matrix of this order, rows one after the other, each up to its diagonal: entry
/// (i, j) is at triangle_size(i) + j.
inline constexpr std::size_t triangle_size(std::size_t order) {
  return order * (order + 1) / 2;
}

/// Eigenvalues, increasing, and orthonormal eigenvectors of a symmetric matrix A = sum of value_k v_k v_k^T.
struct SymmetricEigen {
  std::vector<double> values;
  std::vector<double> vectors;  ///< v_k at [k * order, (k + 1) * order).

  std::size_t order() const { return values.size(); }
  std::span<const double> vector(std::size_t k) const {
    return std::span(vectors).subspan(k * order(), order());
  }
};

/// `matrix` is row-major of `order`^2 entries, both triangles, and finite.
SymmetricEigen symmetric_eigen(std::span<const double> matrix, std::size_t order);

/// sum of f(value_k) v_k v_k^T, row-major.
template <class F>
std::vector<double> from_eigen(const SymmetricEigen& eigen, const F& f) {
  const std::size_t n = eigen.order();
  std::vector<double> matrix(n * n, 0.0);
  for (std::size_t k = 0; k < n; ++k) {
    const double value = f(eigen.values[k]);
    const std::span<const double> v = eigen.vector(k);
    for (std::size_t i = 0; i < n; ++i) {
      const double scaled = value * v[i];
      for (std::size_t j = 0; j < n; ++j) {
        matrix[i * n + j] += scaled * v[j];
      }
    }
  }
  return matrix;
}

/// The inverse of a symmetric matrix as far as it has one: eigenvalues of at most `tolerance` times the largest count as
/// zero and stay zero (Moore, Penrose). Of a least squares problem it gives the solution of smallest norm.
std::vector<double> pseudo_inverse(std::span<const double> matrix, std::size_t order,
                                   double tolerance = 1e-11);

/// The inverse of a symmetric positive definite matrix by Cholesky's factorisation; the pseudo-inverse where the matrix is
/// so near to a singular one that a pivot keeps no digits. Row-major.
std::vector<double> inverse(std::span<const double> matrix, std::size_t order);

/// The inverse of a symmetric positive definite matrix of any size by blocks; nothing when it is not positive definite. Row-major.
std::optional<std::vector<double>> positive_inverse(std::span<const double> matrix, std::size_t order);

/// y = A x for a row-major matrix of x.size() columns and y.size() rows.
void multiply(std::span<const double> a, std::span<const double> x, std::span<double> y);

}  // namespace hanse
