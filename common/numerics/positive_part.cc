#include "common/numerics/positive_part.h"

#include <Eigen/Eigenvalues>

namespace hanse {

void project_to_positive(NormalEquations<double>& equations) {
  const auto order = static_cast<Eigen::Index>(equations.order());
  Eigen::MatrixXd matrix(order, order);
  for (std::size_t a = 0; a < equations.order(); ++a) {
    for (std::size_t b = a; b < equations.order(); ++b) {
      matrix(static_cast<Eigen::Index>(b), static_cast<Eigen::Index>(a)) = equations.at(a, b);
    }
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> parts(matrix);  // Of the lower triangle.
  if (parts.info() != Eigen::Success || parts.eigenvalues()(0) >= 0) {
    return;
  }
  const Eigen::MatrixXd positive = parts.eigenvectors() * parts.eigenvalues().cwiseMax(0.0).asDiagonal() *
                                   parts.eigenvectors().transpose();
  for (std::size_t a = 0; a < equations.order(); ++a) {
    for (std::size_t b = a; b < equations.order(); ++b) {
      equations.at(a, b) = positive(static_cast<Eigen::Index>(a), static_cast<Eigen::Index>(b));
    }
  }
}

}  // namespace hanse
