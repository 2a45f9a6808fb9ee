#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

/// Means, correlations and principal components in the plainest centralised code: two passes over dense rows in long double,
/// and eigenvectors by Jacobi's rotations. What the federation must equal without noise.
namespace hanse::reference {

struct Component {
  double variance = 0;
  std::vector<double> direction;
};

struct Profile {
  std::vector<double> mean;
  std::vector<double> deviation;
  std::vector<std::vector<double>> correlation;
  std::vector<Component> components;  ///< By falling variance.
};

/// Eigenvalues and eigenvectors of a symmetric matrix, by falling eigenvalue.
inline std::vector<Component> jacobi(std::vector<std::vector<long double>> a) {
  const std::size_t n = a.size();
  std::vector<std::vector<long double>> v(n, std::vector<long double>(n, 0));
  for (std::size_t i = 0; i < n; ++i) {
    v[i][i] = 1;
  }
  for (int sweep = 0; sweep < 100; ++sweep) {
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (std::abs(a[p][q]) < 1e-25L) {
          continue;
        }
        const long double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const long double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const long double c = 1 / std::sqrt(t * t + 1);
        const long double s = t * c;
        const auto rotate = [c, s](long double& x, long double& y) {
          const long double turned = c * x - s * y;
          y = s * x + c * y;
          x = turned;
        };
        for (std::size_t k = 0; k < n; ++k) {
          rotate(a[k][p], a[k][q]);
        }
        for (std::size_t k = 0; k < n; ++k) {
          rotate(a[p][k], a[q][k]);
          rotate(v[p][k], v[q][k]);
        }
      }
    }
  }
  std::vector<Component> components(n);
  for (std::size_t i = 0; i < n; ++i) {
    components[i].variance = static_cast<double>(a[i][i]);
    for (const long double entry : v[i]) {
      components[i].direction.push_back(static_cast<double>(entry));
    }
  }
  std::ranges::sort(components, std::ranges::greater{}, &Component::variance);
  return components;
}

inline Profile profile(const std::vector<std::vector<double>>& rows) {
  const std::size_t p = rows[0].size();
  const auto n = static_cast<long double>(rows.size());
  std::vector<long double> mean(p, 0);
  for (const std::vector<double>& row : rows) {
    for (std::size_t i = 0; i < p; ++i) {
      mean[i] += static_cast<long double>(row[i]) / n;
    }
  }
  std::vector<std::vector<long double>> covariance(p, std::vector<long double>(p, 0));
  for (const std::vector<double>& row : rows) {
    for (std::size_t i = 0; i < p; ++i) {
      for (std::size_t j = 0; j < p; ++j) {
        covariance[i][j] +=
            (static_cast<long double>(row[i]) - mean[i]) * (static_cast<long double>(row[j]) - mean[j]) / n;
      }
    }
  }
  Profile result;
  std::vector<std::vector<long double>> correlation(p, std::vector<long double>(p));
  for (std::size_t i = 0; i < p; ++i) {
    result.mean.push_back(static_cast<double>(mean[i]));
    result.deviation.push_back(static_cast<double>(std::sqrt(covariance[i][i])));
    result.correlation.emplace_back();
    for (std::size_t j = 0; j < p; ++j) {
      correlation[i][j] = covariance[i][j] / std::sqrt(covariance[i][i] * covariance[j][j]);
      result.correlation[i].push_back(static_cast<double>(correlation[i][j]));
    }
  }
  result.components = jacobi(correlation);
  return result;
}

}  // namespace hanse::reference
