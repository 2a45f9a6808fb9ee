#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

/// Softmax regression in the plainest centralised code: dense rows, doubles, one loop after the other. What the federation must
/// equal without noise.
namespace hanse::reference {

struct ClassifiedRow {
  std::vector<double> x;  ///< The last entry is the intercept's 1.
  std::size_t y = 0;
};

/// One line of weights a column, as many entries as there are classes.
using ClassWeights = std::vector<std::vector<double>>;

inline std::vector<double> probabilities(const ClassWeights& w, const std::vector<double>& x) {
  std::vector<double> p(w[0].size());
  double sum = 0;
  for (std::size_t k = 0; k < p.size(); ++k) {
    double logit = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      logit += w[j][k] * x[j];
    }
    p[k] = std::exp(logit);
    sum += p[k];
  }
  for (double& one : p) {
    one /= sum;
  }
  return p;
}

inline double mean_loss(const std::vector<ClassifiedRow>& pool, const ClassWeights& w) {
  double sum = 0;
  for (const ClassifiedRow& row : pool) {
    sum -= std::log(probabilities(w, row.x)[row.y]);
  }
  return sum / static_cast<double>(pool.size());
}

/// One step against the mean gradient of these rows, and l2 w without the intercept, the last column.
inline void softmax_step(const std::vector<ClassifiedRow>& rows, ClassWeights& w, double rate, double l2) {
  ClassWeights gradient(w.size(), std::vector<double>(w[0].size(), 0.0));
  for (const ClassifiedRow& row : rows) {
    const std::vector<double> p = probabilities(w, row.x);
    for (std::size_t j = 0; j < w.size(); ++j) {
      for (std::size_t k = 0; k < p.size(); ++k) {
        gradient[j][k] += (p[k] - (k == row.y ? 1 : 0)) * row.x[j] / static_cast<double>(rows.size());
      }
    }
  }
  for (std::size_t j = 0; j < w.size(); ++j) {
    for (std::size_t k = 0; k < w[j].size(); ++k) {
      w[j][k] -= rate * (gradient[j][k] + (j + 1 < w.size() ? l2 * w[j][k] : 0));
    }
  }
}

/// Gradient descent from 0, or epochs of mini-batches in the order of the rows.
inline ClassWeights softmax_descent(const std::vector<ClassifiedRow>& pool, std::size_t classes, double rate,
                                    double l2, int epochs, std::size_t batch = 1u << 30) {
  ClassWeights w(pool[0].x.size(), std::vector<double>(classes, 0.0));
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (std::size_t begin = 0; begin < pool.size(); begin += batch) {
      const std::size_t end = std::min(pool.size(), begin + batch);
      softmax_step({pool.begin() + static_cast<std::ptrdiff_t>(begin),
                    pool.begin() + static_cast<std::ptrdiff_t>(end)},
                   w, rate, l2);
    }
  }
  return w;
}

}  // namespace hanse::reference
