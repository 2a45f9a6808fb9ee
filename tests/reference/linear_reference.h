#pragma once

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

/// Ridge regression in the plainest centralised code: normal equations of dense rows, Gaussian elimination with pivots in
/// long double. What the federation must equal without noise.
namespace hanse::reference {

struct NumberedRow {
  std::vector<double> x;  ///< The last entry is the intercept's 1.
  double y = 0;
};

using Table = std::vector<std::vector<long double>>;

/// Solves a X = b for several right-hand sides, the columns of b.
inline Table solve(Table a, Table b) {
  const std::size_t n = a.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t best = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      best = std::abs(a[i][k]) > std::abs(a[best][k]) ? i : best;
    }
    std::swap(a[k], a[best]);
    std::swap(b[k], b[best]);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) {
        continue;
      }
      const long double factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j < n; ++j) {
        a[i][j] -= factor * a[k][j];
      }
      for (std::size_t j = 0; j < b[i].size(); ++j) {
        b[i][j] -= factor * b[k][j];
      }
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (long double& entry : b[i]) {
      entry /= a[i][i];
    }
  }
  return b;
}

struct Ridge {
  std::vector<double> weights;
  std::vector<double> standard_errors;
  double mean_square = 0;  ///< Of residuals.
};

/// Minimises 1/2n sum (y - w.x)^2 + l2/2 |w without the intercept|^2.
inline Ridge ridge(const std::vector<NumberedRow>& pool, double l2) {
  const std::size_t d = pool[0].x.size();
  const auto n = static_cast<long double>(pool.size());
  Table a(d, std::vector<long double>(d, 0));
  Table right(d, std::vector<long double>(1 + d, 0));
  for (const NumberedRow& row : pool) {
    for (std::size_t i = 0; i < d; ++i) {
      right[i][0] += static_cast<long double>(row.x[i]) * static_cast<long double>(row.y);
      for (std::size_t j = 0; j < d; ++j) {
        a[i][j] += static_cast<long double>(row.x[i]) * static_cast<long double>(row.x[j]);
      }
    }
  }
  Table ridged = a;
  for (std::size_t i = 0; i < d; ++i) {
    ridged[i][i] += i + 1 < d ? n * static_cast<long double>(l2) : 0;
    right[i][1 + i] = 1;
  }
  const Table solved = solve(ridged, right);  // w, then the inverse.

  Ridge result;
  for (std::size_t i = 0; i < d; ++i) {
    result.weights.push_back(static_cast<double>(solved[i][0]));
  }
  long double squares = 0;
  for (const NumberedRow& row : pool) {
    long double residual = static_cast<long double>(row.y);
    for (std::size_t i = 0; i < d; ++i) {
      residual -= solved[i][0] * static_cast<long double>(row.x[i]);
    }
    squares += residual * residual;
  }
  result.mean_square = static_cast<double>(squares / n);
  // Row i of (inverse A), and of (inverse A inverse) the diagonal.
  long double freedom = n;
  std::vector<long double> spread(d, 0);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      long double entry = 0;
      for (std::size_t k = 0; k < d; ++k) {
        entry += solved[i][1 + k] * a[k][j];
      }
      freedom -= i == j ? entry : 0;
      spread[i] += entry * solved[j][1 + i];
    }
  }
  for (std::size_t i = 0; i < d; ++i) {
    result.standard_errors.push_back(static_cast<double>(std::sqrt(squares / freedom * spread[i])));
  }
  return result;
}

}  // namespace hanse::reference
