#pragma once

#include <algorithm>
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
  double weight = 1;  ///< Of its loss.
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
    sum -= row.weight * (row.y * std::log(probability) + (1 - row.y) * std::log(1 - probability));
  }
  return sum / static_cast<double>(pool.size());
}

inline std::vector<double> mean_gradient(const Pool& pool, const std::vector<double>& w) {
  std::vector<double> gradient(w.size(), 0.0);
  for (const LabelledRow& row : pool) {
    const double residual = row.weight * (1 / (1 + std::exp(-logit(w, row))) - row.y);
    for (std::size_t j = 0; j < w.size(); ++j) {
      gradient[j] += residual * row.x[j] / static_cast<double>(pool.size());
    }
  }
  return gradient;
}

/// Gradient descent on the mean loss plus l2 / 2 |w|^2 + l1 |w|_1 without the intercept; for l1 by shrinking after each
/// step (iterative soft thresholding).
inline std::vector<double> gradient_descent(const Pool& pool, std::size_t width, double rate, double l2,
                                            int steps, double l1 = 0) {
  std::vector<double> w(width, 0.0);
  for (int step = 0; step < steps; ++step) {
    const std::vector<double> gradient = mean_gradient(pool, w);
    for (std::size_t j = 0; j < width; ++j) {
      const bool penalised = j + 1 < width;
      w[j] -= rate * (gradient[j] + (penalised ? l2 * w[j] : 0));
      const double shrunk = std::max(std::abs(w[j]) - (penalised ? rate * l1 : 0), 0.0);
      w[j] = w[j] < 0 ? -shrunk : shrunk;
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
  double mu = 0;          ///< FedProx.
  bool scaffold = false;  ///< With option I, every merchant in every round.
  std::uint64_t seed = 1;
};

/// One merchant's epochs from w on; `correction` is added to each step's gradient.
inline std::vector<double> local_epochs(const Pool& pool, const std::vector<double>& w,
                                        const std::vector<double>& correction,
                                        const AveragingOptions& options, SeededGenerator generator) {
  std::vector<double> local = w;
  std::vector<std::size_t> order(pool.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  for (std::uint32_t epoch = 0; epoch < options.epochs; ++epoch) {
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[generator.below(i)]);
    }
    for (std::size_t begin = 0; begin < order.size(); begin += options.batch) {
      Pool batch;
      for (std::size_t i = begin; i < std::min(begin + options.batch, order.size()); ++i) {
        batch.push_back(pool[order[i]]);
      }
      const std::vector<double> gradient = mean_gradient(batch, local);
      for (std::size_t j = 0; j < w.size(); ++j) {
        const double decay = j + 1 < w.size() ? options.l2 * local[j] : 0;
        local[j] -= options.rate * (gradient[j] + decay + options.mu * (local[j] - w[j]) + correction[j]);
      }
    }
  }
  return local;
}

/// FedAvg, FedProx or Scaffold over the merchants' pools, weighted by rows. Here merchants remember their control
/// variates, as the paper has it.
inline std::vector<double> federated_averaging(const std::vector<Pool>& merchants, std::size_t width,
                                               const AveragingOptions& options) {
  std::vector<double> w(width, 0.0);
  std::vector<double> control(width, 0.0);
  std::vector<std::vector<double>> controls(merchants.size(), control);
  for (int round = 0; round < options.rounds; ++round) {
    std::vector<double> average(width, 0.0);
    std::vector<double> next_control(width, 0.0);
    double rows = 0;
    for (std::size_t m = 0; m < merchants.size(); ++m) {
      std::vector<double> correction(width, 0.0);
      for (std::size_t j = 0; options.scaffold && j < width; ++j) {
        correction[j] = control[j] - controls[m][j];
      }
      const std::vector<double> local =
          local_epochs(merchants[m], w, correction, options,
                       SeededGenerator{options.seed, static_cast<std::uint64_t>(round), m});
      controls[m] = mean_gradient(merchants[m], w);
      const double weight = static_cast<double>(merchants[m].size());
      for (std::size_t j = 0; j < width; ++j) {
        average[j] += weight * local[j];
        next_control[j] += weight * controls[m][j];
      }
      rows += weight;
    }
    for (std::size_t j = 0; j < width; ++j) {
      w[j] = average[j] / rows;
      control[j] = next_control[j] / rows;
    }
  }
  return w;
}

}  // namespace hanse::reference
