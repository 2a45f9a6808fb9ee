#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/seeded_generator.h"

/// Logistic regression in the plainest centralised code: dense rows, doubles, one loop after the other. What
/// the federation must equal without noise.
namespace hanse::reference {

struct LabelledRow {
  std::vector<double> x;  ///< The last entry is the intercept's 1.
  double y = 0;
};
using Pool = std::vector<LabelledRow>;

inline double logit(const std::vector<double>& w, const LabelledRow& row) {
  double sum = 0;
  for (std::size_t j = 0; j < w.size(); ++j) {
    sum += w[j] * row.x[j];
  }
  return sum;
}

inline double mean_loss(const Pool& pool, const std::vector<double>& w) {
  double sum = 0;
  for (const LabelledRow& row : pool) {
    const double probability = 1 / (1 + std::exp(-logit(w, row)));
    sum -= row.y * std::log(probability) + (1 - row.y) * std::log(1 - probability);
  }
  return sum / static_cast<double>(pool.size());
}

/// Gradient descent on the mean loss plus l2 / 2 |w|^2 without the intercept.
inline std::vector<double> gradient_descent(const Pool& pool, std::size_t width, double rate, double l2,
                                            int steps) {
  std::vector<double> w(width, 0.0);
  for (int step = 0; step < steps; ++step) {
    std::vector<double> gradient(width, 0.0);
    for (const LabelledRow& row : pool) {
      const double residual = 1 / (1 + std::exp(-logit(w, row))) - row.y;
      for (std::size_t j = 0; j < width; ++j) {
        gradient[j] += residual * row.x[j] / static_cast<double>(pool.size());
      }
    }
    for (std::size_t j = 0; j < width; ++j) {
      gradient[j] += j + 1 < width ? l2 * w[j] : 0;
    }
    for (std::size_t j = 0; j < width; ++j) {
      w[j] -= rate * gradient[j];
    }
  }
  return w;
}

struct AveragingOptions {
  int rounds = 1;
  std::uint32_t epochs = 1;
  std::size_t batch = 4;
  double rate = 0.1;
  double l2 = 0;
  std::uint64_t seed = 1;
};

/// FedAvg over the merchants' pools, weighted by rows.
inline std::vector<double> federated_averaging(const std::vector<Pool>& merchants, std::size_t width,
                                               const AveragingOptions& options) {
  std::vector<double> w(width, 0.0);
  for (int round = 0; round < options.rounds; ++round) {
    std::vector<double> average(width, 0.0);
    double rows = 0;
    for (std::size_t m = 0; m < merchants.size(); ++m) {
      const Pool& pool = merchants[m];
      std::vector<double> local = w;
      std::vector<std::size_t> order(pool.size());
      for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
      }
      SeededGenerator generator{options.seed, static_cast<std::uint64_t>(round), m};
      for (std::uint32_t epoch = 0; epoch < options.epochs; ++epoch) {
        for (std::size_t i = order.size(); i > 1; --i) {
          std::swap(order[i - 1], order[generator.below(i)]);
        }
        for (std::size_t begin = 0; begin < order.size(); begin += options.batch) {
          const std::size_t end = std::min(begin + options.batch, order.size());
          std::vector<double> gradient(width, 0.0);
          for (std::size_t i = begin; i < end; ++i) {
            const LabelledRow& row = pool[order[i]];
            const double residual = 1 / (1 + std::exp(-logit(local, row))) - row.y;
            for (std::size_t j = 0; j < width; ++j) {
              gradient[j] += residual * row.x[j] / static_cast<double>(end - begin);
            }
          }
          for (std::size_t j = 0; j < width; ++j) {
            local[j] -= options.rate * (gradient[j] + (j + 1 < width ? options.l2 * local[j] : 0));
          }
        }
      }
      for (std::size_t j = 0; j < width; ++j) {
        average[j] += static_cast<double>(pool.size()) * local[j];
      }
      rows += static_cast<double>(pool.size());
    }
    for (std::size_t j = 0; j < width; ++j) {
      w[j] = average[j] / rows;
    }
  }
  return w;
}

}  // namespace hanse::reference
