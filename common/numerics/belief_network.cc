#include "common/numerics/belief_network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"

namespace hanse {
namespace {

constexpr double kEntriesMax = 1 << 24;

/// A function of some variables, row-major in their order.
struct Factor {
  std::vector<std::size_t> variables;
  std::vector<double> values;
};

bool has(const Factor& factor, std::size_t variable) {
  return std::ranges::find(factor.variables, variable) != factor.variables.end();
}

/// Calls use(values of `variables`) in row-major order.
template <class Use>
void for_each_assignment(const BeliefNetwork& network, const std::vector<std::size_t>& variables,
                         const Use& use) {
  std::vector<std::size_t> values(variables.size(), 0);
  for (;;) {
    use(values);
    std::size_t k = variables.size();
    while (k > 0 && ++values[k - 1] == network.size_of(variables[k - 1])) {
      values[--k] = 0;
    }
    if (k == 0) {
      return;
    }
  }
}

/// Steps in `factor` for each of `variables`; 0 for those that it does not have.
std::vector<std::size_t> strides(const BeliefNetwork& network, const Factor& factor,
                                 const std::vector<std::size_t>& variables) {
  std::vector<std::size_t> result(variables.size(), 0);
  std::size_t stride = 1;
  for (std::size_t k = factor.variables.size(); k-- > 0;) {
    const auto at = std::ranges::find(variables, factor.variables[k]);
    if (at != variables.end()) {
      result[static_cast<std::size_t>(at - variables.begin())] = stride;
    }
    stride *= network.size_of(factor.variables[k]);
  }
  return result;
}

double entries(const BeliefNetwork& network, const std::vector<std::size_t>& variables) {
  double count = 1;
  for (const std::size_t variable : variables) {
    count *= static_cast<double>(network.size_of(variable));
  }
  return count;
}

std::vector<std::size_t> joined(const std::vector<const Factor*>& factors) {
  std::vector<std::size_t> variables;
  for (const Factor* factor : factors) {
    for (const std::size_t variable : factor->variables) {
      if (std::ranges::find(variables, variable) == variables.end()) {
        variables.push_back(variable);
      }
    }
  }
  return variables;
}

/// The product of `factors`, summed over `gone`, which comes last.
Factor summed_product(const BeliefNetwork& network, const std::vector<const Factor*>& factors,
                      std::optional<std::size_t> gone) {
  std::vector<std::size_t> variables = joined(factors);
  Factor result;
  if (gone) {
    std::erase(variables, *gone);
    result.variables = variables;
    variables.push_back(*gone);
  } else {
    result.variables = variables;
  }
  if (entries(network, variables) > kEntriesMax) {
    throw bad_input("the query needs a table of more than 2^24 entries: ask with more evidence");
  }
  std::vector<std::vector<std::size_t>> steps;
  for (const Factor* factor : factors) {
    steps.push_back(strides(network, *factor, variables));
  }
  const std::size_t block = gone ? network.size_of(*gone) : 1;
  std::size_t at = 0;
  for_each_assignment(network, variables, [&](const std::vector<std::size_t>& values) {
    double product = 1;
    for (std::size_t f = 0; f < factors.size(); ++f) {
      std::size_t index = 0;
      for (std::size_t k = 0; k < values.size(); ++k) {
        index += values[k] * steps[f][k];
      }
      product *= factors[f]->values[index];
    }
    if (at++ % block == 0) {
      result.values.push_back(0);
    }
    result.values.back() += product;
  });
  return result;
}

/// The factor where `variable` has this value.
Factor restricted(const BeliefNetwork& network, const Factor& factor, std::size_t variable,
                  std::size_t value) {
  Factor result;
  result.variables = factor.variables;
  std::erase(result.variables, variable);
  const auto position =
      static_cast<std::size_t>(std::ranges::find(factor.variables, variable) - factor.variables.begin());
  std::size_t at = 0;
  for_each_assignment(network, factor.variables, [&](const std::vector<std::size_t>& values) {
    if (values[position] == value) {
      result.values.push_back(factor.values[at]);
    }
    ++at;
  });
  return result;
}

std::vector<Factor> factors_of(const BeliefNetwork& network, const Evidence& evidence,
                               const std::vector<bool>& needed) {
  std::vector<Factor> factors;
  for (std::size_t v = 0; v < network.variables.size(); ++v) {
    if (!needed[v]) {
      continue;
    }
    Factor factor{.variables = network.variables[v].parents, .values = network.variables[v].table};
    factor.variables.push_back(v);
    for (std::size_t known = 0; known < evidence.size(); ++known) {
      if (evidence[known] && has(factor, known)) {
        factor = restricted(network, factor, known, *evidence[known]);
      }
    }
    factors.push_back(std::move(factor));
  }
  return factors;
}

/// The variables that P(target | evidence) depends on: those asked and known, and all before them. Others add up to 1 (barren nodes,
/// Shachter 1986), and their tables could be huge on the way.
std::vector<bool> relevant(const BeliefNetwork& network, std::size_t target, const Evidence& evidence) {
  std::vector<bool> needed(network.variables.size(), false);
  std::vector<std::size_t> open = {target};
  for (std::size_t v = 0; v < evidence.size(); ++v) {
    if (evidence[v]) {
      open.push_back(v);
    }
  }
  while (!open.empty()) {
    const std::size_t v = open.back();
    open.pop_back();
    if (!needed[v]) {
      needed[v] = true;
      open.insert(open.end(), network.variables[v].parents.begin(), network.variables[v].parents.end());
    }
  }
  return needed;
}

std::vector<const Factor*> those_with(const std::vector<Factor>& factors, std::size_t variable) {
  std::vector<const Factor*> found;
  for (const Factor& factor : factors) {
    if (has(factor, variable)) {
      found.push_back(&factor);
    }
  }
  return found;
}

}  // namespace

std::size_t BeliefNetwork::rows_of(std::size_t variable) const {
  std::size_t rows = 1;
  for (const std::size_t parent : variables[variable].parents) {
    rows *= size_of(parent);
  }
  return rows;
}

std::size_t BeliefNetwork::row_of(std::size_t variable, std::span<const std::size_t> values) const {
  std::size_t row = 0;
  for (const std::size_t parent : variables[variable].parents) {
    row = row * size_of(parent) + values[parent];
  }
  return row;
}

double BeliefNetwork::factor(std::size_t variable, std::span<const std::size_t> values) const {
  return variables[variable].table[row_of(variable, values) * size_of(variable) + values[variable]];
}

std::optional<std::vector<std::size_t>> parents_first(const BeliefNetwork& network) {
  const std::size_t count = network.variables.size();
  std::vector<std::size_t> order;
  std::vector<bool> placed(count, false);
  while (order.size() < count) {
    const std::size_t before = order.size();
    for (std::size_t v = 0; v < count; ++v) {
      const auto& parents = network.variables[v].parents;
      if (!placed[v] && std::ranges::all_of(parents, [&](std::size_t p) { return placed[p]; })) {
        placed[v] = true;
        order.push_back(v);
      }
    }
    if (order.size() == before) {
      return std::nullopt;
    }
  }
  return order;
}

std::optional<std::vector<double>> posterior(const BeliefNetwork& network, std::size_t target,
                                             const Evidence& evidence) {
  check(target < network.variables.size() && evidence.size() == network.variables.size(),
        "a query is about the network's variables");
  if (evidence[target]) {
    std::vector<double> certain(network.size_of(target), 0.0);
    certain[*evidence[target]] = 1;
    return certain;
  }
  const std::vector<bool> needed = relevant(network, target, evidence);
  std::vector<Factor> factors = factors_of(network, evidence, needed);
  std::vector<std::size_t> hidden;
  for (std::size_t v = 0; v < network.variables.size(); ++v) {
    if (needed[v] && v != target && !evidence[v]) {
      hidden.push_back(v);
    }
  }
  while (!hidden.empty()) {
    const auto cost = [&](std::size_t v) { return entries(network, joined(those_with(factors, v))); };
    const std::size_t next = *std::ranges::min_element(hidden, {}, cost);
    Factor sum = summed_product(network, those_with(factors, next), next);
    std::erase_if(factors, [&](const Factor& factor) { return has(factor, next); });
    factors.push_back(std::move(sum));
    std::erase(hidden, next);
  }
  std::vector<const Factor*> all;
  for (const Factor& factor : factors) {
    all.push_back(&factor);
  }
  std::vector<double> result = summed_product(network, all, std::nullopt).values;
  double total = 0;
  for (const double value : result) {
    total += value;
  }
  if (!(total > 0)) {
    return std::nullopt;
  }
  for (double& value : result) {
    value /= total;
  }
  return result;
}

std::vector<double> given_all_others(const BeliefNetwork& network, std::size_t target,
                                     std::vector<std::size_t> values) {
  std::vector<std::size_t> blanket = {target};  // Those whose factor depends on the target.
  for (std::size_t v = 0; v < network.variables.size(); ++v) {
    if (std::ranges::find(network.variables[v].parents, target) != network.variables[v].parents.end()) {
      blanket.push_back(v);
    }
  }
  std::vector<double> result(network.size_of(target));
  double total = 0;
  for (std::size_t value = 0; value < result.size(); ++value) {
    values[target] = value;
    result[value] = 1;
    for (const std::size_t v : blanket) {
      result[value] *= network.factor(v, values);
    }
    total += result[value];
  }
  for (double& value : result) {
    value = total > 0 ? value / total : 1 / static_cast<double>(result.size());
  }
  return result;
}

double mutual_information(std::span<const double> joint, std::size_t rows, std::size_t columns) {
  check(joint.size() == rows * columns, "a table has its entries");
  std::vector<double> of_row(rows, 0.0);
  std::vector<double> of_column(columns, 0.0);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      of_row[i] += joint[i * columns + j];
      of_column[j] += joint[i * columns + j];
    }
  }
  double information = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      const double p = joint[i * columns + j];
      information += p > 0 ? p * std::log(p / (of_row[i] * of_column[j])) : 0;
    }
  }
  return std::max(information, 0.0);
}

std::vector<std::size_t> maximum_spanning_tree(std::span<const double> weights, std::size_t nodes,
                                               std::size_t root) {
  check(weights.size() == nodes * nodes && root < nodes, "a weight for each pair of nodes");
  std::vector<std::size_t> parent(nodes, root);
  std::vector<bool> reached(nodes, false);
  reached[root] = true;
  for (std::size_t count = 1; count < nodes; ++count) {
    std::size_t next = nodes;
    for (std::size_t v = 0; v < nodes; ++v) {  // parent[v] is the best of those reached.
      if (!reached[v] &&
          (next == nodes || weights[parent[v] * nodes + v] > weights[parent[next] * nodes + next])) {
        next = v;
      }
    }
    reached[next] = true;
    for (std::size_t v = 0; v < nodes; ++v) {
      if (!reached[v] && weights[next * nodes + v] > weights[parent[v] * nodes + v]) {
        parent[v] = next;
      }
    }
  }
  return parent;
}

}  // namespace hanse
