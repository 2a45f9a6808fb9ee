#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "common/numerics/belief_network.h"

namespace hanse::reference {

/// Calls use(values) for every assignment of values to all variables.
inline void for_each_world(const BeliefNetwork& network,
                           const std::function<void(const std::vector<std::size_t>&)>& use) {
  std::vector<std::size_t> values(network.variables.size(), 0);
  const std::function<void(std::size_t)> choose = [&](std::size_t v) {
    if (v == values.size()) {
      use(values);
      return;
    }
    for (std::size_t value = 0; value < network.size_of(v); ++value) {
      values[v] = value;
      choose(v + 1);
    }
  };
  choose(0);
}

inline double probability_of(const BeliefNetwork& network, const std::vector<std::size_t>& values) {
  double p = 1;
  for (std::size_t v = 0; v < values.size(); ++v) {
    p *= network.factor(v, values);
  }
  return p;
}

/// P(target | evidence) by adding up all worlds.
inline std::vector<double> posterior(const BeliefNetwork& network, std::size_t target,
                                     const Evidence& evidence) {
  std::vector<double> result(network.size_of(target), 0);
  double total = 0;
  for_each_world(network, [&](const std::vector<std::size_t>& values) {
    for (std::size_t v = 0; v < values.size(); ++v) {
      if (evidence[v] && *evidence[v] != values[v]) {
        return;
      }
    }
    const double p = probability_of(network, values);
    result[values[target]] += p;
    total += p;
  });
  for (double& p : result) {
    p /= total;
  }
  return result;
}

/// (rows with all these values + smoothing) / (rows with those of the parents + smoothing * words), over rows that lack none of
/// them; `rows` have a value of each variable, or `missing`.
inline double conditional(const std::vector<std::vector<std::size_t>>& rows, std::size_t missing,
                          const std::vector<std::size_t>& parents, std::size_t variable,
                          const std::vector<std::size_t>& values, std::size_t words, double smoothing) {
  double both = 0;
  double given = 0;
  for (const std::vector<std::size_t>& row : rows) {
    bool same = row[variable] != missing;
    for (const std::size_t parent : parents) {
      same = same && row[parent] == values[parent];
    }
    given += same ? 1 : 0;
    both += same && row[variable] == values[variable] ? 1 : 0;
  }
  return (both + smoothing) / (given + smoothing * static_cast<double>(words));
}

/// Mutual information of two variables over rows that have both.
inline double information(const std::vector<std::vector<std::size_t>>& rows, std::size_t missing,
                          std::size_t u, std::size_t v) {
  double n = 0;
  for (const auto& row : rows) {
    n += row[u] != missing && row[v] != missing ? 1 : 0;
  }
  double sum = 0;
  for (const auto& row : rows) {  // Each row adds ln p(u,v) / p(u) p(v) of its own values.
    if (row[u] == missing || row[v] == missing) {
      continue;
    }
    double both = 0;
    double of_u = 0;
    double of_v = 0;
    for (const auto& other : rows) {
      if (other[u] != missing && other[v] != missing) {
        both += other[u] == row[u] && other[v] == row[v] ? 1 : 0;
        of_u += other[u] == row[u] ? 1 : 0;
        of_v += other[v] == row[v] ? 1 : 0;
      }
    }
    sum += std::log(both * n / (of_u * of_v)) / n;
  }
  return sum;
}

}  // namespace hanse::reference
