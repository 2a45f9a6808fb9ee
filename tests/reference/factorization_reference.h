#pragma once

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

/// Matrix factorisation with biases in the plainest centralised code: what the federation must equal without
/// noise.
namespace hanse::reference {

struct Rating {
  std::size_t item = 0;
  double value = 0;
};
using Ratings = std::vector<std::vector<Rating>>;  ///< One list a customer.

struct FactorModel {
  double mean = 0;
  std::vector<double> bias;                 ///< One an item.
  std::vector<std::vector<double>> factor;  ///< One an item.
};

struct Penalties {
  double factor = 0;
  double bias = 0;
};

/// Gaussian elimination with pivoting.
inline std::vector<double> solve(std::vector<std::vector<double>> a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i + 1; r < n; ++r) {
      pivot = std::abs(a[r][i]) > std::abs(a[pivot][i]) ? r : pivot;
    }
    std::swap(a[i], a[pivot]);
    std::swap(b[i], b[pivot]);
    for (std::size_t r = i + 1; r < n; ++r) {
      const double factor = a[r][i] / a[i][i];
      for (std::size_t c = i; c < n; ++c) {
        a[r][c] -= factor * a[i][c];
      }
      b[r] -= factor * b[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t c = i + 1; c < n; ++c) {
      b[i] -= a[i][c] * b[c];
    }
    b[i] /= a[i][i];
  }
  return b;
}

/// A customer's bias and factor given the items: ridge regression on (1, q_i).
inline std::vector<double> customer_side(const FactorModel& model, const std::vector<Rating>& ratings,
                                         Penalties penalties) {
  const std::size_t order = model.factor[0].size() + 1;
  const double count = static_cast<double>(ratings.size());
  std::vector<std::vector<double>> gram(order, std::vector<double>(order, 0.0));
  std::vector<double> right(order, 0.0);
  for (std::size_t a = 0; a < order; ++a) {
    gram[a][a] = (a == 0 ? penalties.bias : penalties.factor) * count;
  }
  for (const Rating& rating : ratings) {
    std::vector<double> v{1.0};
    v.insert(v.end(), model.factor[rating.item].begin(), model.factor[rating.item].end());
    for (std::size_t a = 0; a < order; ++a) {
      for (std::size_t b = 0; b < order; ++b) {
        gram[a][b] += v[a] * v[b];
      }
      right[a] += v[a] * (rating.value - model.mean - model.bias[rating.item]);
    }
  }
  return solve(gram, right);
}

inline double predict(const FactorModel& model, const std::vector<double>& customer, std::size_t item) {
  double sum = model.mean + model.bias[item] + customer[0];
  for (std::size_t a = 1; a < customer.size(); ++a) {
    sum += customer[a] * model.factor[item][a - 1];
  }
  return sum;
}

/// Half the penalised squared error with every customer at its best: a function of the items alone.
inline double projected_objective(const FactorModel& model, const Ratings& customers, Penalties penalties) {
  double sum = 0;
  for (const std::vector<Rating>& ratings : customers) {
    const std::vector<double> side = customer_side(model, ratings, penalties);
    const double count = static_cast<double>(ratings.size());
    for (std::size_t a = 0; a < side.size(); ++a) {
      sum += 0.5 * (a == 0 ? penalties.bias : penalties.factor) * count * side[a] * side[a];
    }
    for (const Rating& rating : ratings) {
      const double error = rating.value - predict(model, side, rating.item);
      sum += 0.5 * error * error;
    }
  }
  return sum;
}

/// One step along the mean gradient of each item.
inline void gradient_step(FactorModel& model, const Ratings& customers, Penalties penalties, double rate) {
  const FactorModel before = model;
  const std::size_t items = before.bias.size();
  std::vector<double> count(items, 0.0);
  for (const std::vector<Rating>& ratings : customers) {
    for (const Rating& rating : ratings) {
      count[rating.item] += 1;
    }
  }
  for (std::size_t i = 0; i < items; ++i) {
    model.bias[i] -= rate * penalties.bias * before.bias[i];
    for (double& entry : model.factor[i]) {
      entry -= rate * penalties.factor * entry;
    }
  }
  for (const std::vector<Rating>& ratings : customers) {
    const std::vector<double> side = customer_side(before, ratings, penalties);
    for (const Rating& rating : ratings) {
      const double error = rating.value - predict(before, side, rating.item);
      model.bias[rating.item] += rate * error / count[rating.item];
      for (std::size_t a = 1; a < side.size(); ++a) {
        model.factor[rating.item][a - 1] += rate * error * side[a] / count[rating.item];
      }
    }
  }
}

/// Every item's own ridge regression on (1, p_u), with the customers' sides as they are before the step.
inline void least_squares_step(FactorModel& model, const Ratings& customers, Penalties penalties) {
  const FactorModel before = model;
  const std::size_t order = before.factor[0].size() + 1;
  std::vector<std::vector<double>> sides;
  for (const std::vector<Rating>& ratings : customers) {
    sides.push_back(customer_side(before, ratings, penalties));
  }
  for (std::size_t item = 0; item < before.bias.size(); ++item) {
    std::vector<std::vector<double>> gram(order, std::vector<double>(order, 0.0));
    std::vector<double> right(order, 0.0);
    double count = 0;
    for (std::size_t u = 0; u < customers.size(); ++u) {
      for (const Rating& rating : customers[u]) {
        if (rating.item != item) {
          continue;
        }
        std::vector<double> v = sides[u];
        const double target = rating.value - before.mean - v[0];
        v[0] = 1;
        for (std::size_t a = 0; a < order; ++a) {
          for (std::size_t b = 0; b < order; ++b) {
            gram[a][b] += v[a] * v[b];
          }
          right[a] += v[a] * target;
        }
        count += 1;
      }
    }
    for (std::size_t a = 0; a < order; ++a) {
      gram[a][a] += (a == 0 ? penalties.bias : penalties.factor) * count;
    }
    if (count > 0) {
      const std::vector<double> solution = solve(gram, right);
      model.bias[item] = solution[0];
      model.factor[item].assign(solution.begin() + 1, solution.end());
    }
  }
}

}  // namespace hanse::reference
