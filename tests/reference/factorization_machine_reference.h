#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/seeded_generator.h"
#include "tests/reference/logistic_reference.h"

/// Factorization machines in the plainest centralised code: dense rows, doubles, the sum over pairs written out. What the
/// federation must equal without noise.
namespace hanse::reference {

struct FactorMachine {
  double bias = 0;
  std::vector<double> w;               ///< The intercept's column has none.
  std::vector<std::vector<double>> v;  ///< A row for each column.
};

/// Over pairs, as it is defined.
inline double score(const FactorMachine& model, const LabelledRow& row) {
  double sum = model.bias;
  for (std::size_t j = 0; j < model.w.size(); ++j) {
    sum += model.w[j] * row.x[j];
    for (std::size_t l = 0; l < j; ++l) {
      for (std::size_t f = 0; f < model.v[j].size(); ++f) {
        sum += model.v[j][f] * model.v[l][f] * row.x[j] * row.x[l];
      }
    }
  }
  return sum;
}

/// d score / d v_jf: x_j times what all other columns have of factor f.
inline double factor_slope(const FactorMachine& model, const LabelledRow& row, std::size_t j, std::size_t f) {
  double others = 0;
  for (std::size_t l = 0; l < model.w.size(); ++l) {
    others += l == j ? 0 : model.v[l][f] * row.x[l];
  }
  return row.x[j] * others;
}

inline double logistic_residual(const FactorMachine& model, const LabelledRow& row) {
  return 1 / (1 + std::exp(-score(model, row))) - row.y;
}

/// Gradient descent on the mean log-loss plus l2 / 2 |w|^2 + l2_factors / 2 |V|^2.
inline FactorMachine gradient_descent(const Pool& pool, FactorMachine model, double rate, double l2,
                                      double l2_factors, int steps) {
  const double rows = static_cast<double>(pool.size());
  for (int step = 0; step < steps; ++step) {
    const FactorMachine before = model;
    for (const LabelledRow& row : pool) {
      const double residual = logistic_residual(before, row);
      model.bias -= rate * residual / rows;
      for (std::size_t j = 0; j < model.w.size(); ++j) {
        model.w[j] -= rate * residual * row.x[j] / rows;
        for (std::size_t f = 0; f < model.v[j].size(); ++f) {
          model.v[j][f] -= rate * residual * factor_slope(before, row, j, f) / rows;
        }
      }
    }
    for (std::size_t j = 0; j < model.w.size(); ++j) {
      model.w[j] -= rate * l2 * before.w[j];
      for (std::size_t f = 0; f < model.v[j].size(); ++f) {
        model.v[j][f] -= rate * l2_factors * before.v[j][f];
      }
    }
  }
  return model;
}

struct AdagradOptions {
  std::uint32_t epochs = 1;
  double rate = 0.1;
  double l2 = 0;
  double l2_factors = 0;
};

/// One merchant's passes: a step a row, Adagrad with one memory for a weight and one for a column's factors.
inline FactorMachine local_adagrad(const Pool& pool, FactorMachine model, SeededGenerator generator,
                                   const AdagradOptions& options) {
  double bias_memory = 1;
  std::vector<double> weight_memory(model.w.size(), 1.0), factor_memory(model.w.size(), 1.0);
  std::vector<std::size_t> order(pool.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  for (std::uint32_t epoch = 0; epoch < options.epochs; ++epoch) {
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[generator.below(i)]);
    }
    for (const std::size_t i : order) {
      const LabelledRow& row = pool[i];
      const FactorMachine before = model;
      const double residual = logistic_residual(before, row);
      bias_memory += residual * residual;
      model.bias -= options.rate * residual / std::sqrt(bias_memory);
      for (std::size_t j = 0; j < model.w.size(); ++j) {
        if (row.x[j] == 0) {  // Columns that the row has not are left alone, penalties included.
          continue;
        }
        const double gradient = residual * row.x[j] + options.l2 * before.w[j];
        weight_memory[j] += gradient * gradient;
        model.w[j] -= options.rate * gradient / std::sqrt(weight_memory[j]);
        std::vector<double> gradients;
        for (std::size_t f = 0; f < model.v[j].size(); ++f) {
          gradients.push_back(residual * factor_slope(before, row, j, f) +
                              options.l2_factors * before.v[j][f]);
          factor_memory[j] += gradients[f] * gradients[f] / static_cast<double>(model.v[j].size());
        }
        for (std::size_t f = 0; f < model.v[j].size(); ++f) {
          model.v[j][f] -= options.rate * gradients[f] / std::sqrt(factor_memory[j]);
        }
      }
    }
  }
  return model;
}

}  // namespace hanse::reference
