// What a Bayesian network tells people: its structure, and its tables where enough rows stand behind them.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/workloads/bayesian_network.h"

namespace hanse {
namespace {

constexpr double kNoiseShown = 3;  // Deviations of noise that the count behind a row of a table exceeds.

std::string words_joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : between) + word;
  }
  return text;
}

}  // namespace

/// P(variable | parents) where enough rows stand behind it.
InsightTable BayesianNetwork::probability_table(const Model& model, const BeliefNetwork& network,
                                                std::size_t variable) const {
  const BeliefNetwork::Variable& one = network.variables[variable];
  std::vector<double> counts;
  if (options_.parents) {
    counts = counts_of(model, tables_[variable]);
  } else {
    counts =
        one.parents.empty() ? root_counts(model, variable) : pair_counts(model, one.parents[0], variable);
  }
  const std::size_t size = one.words.size();
  const double least =
      exact() ? 1 : kNoiseShown * options_.noise * clip_norm() * std::sqrt(static_cast<double>(size));
  InsightTable table{
      .name = "p_" + one.name, .title = "Probabilities of " + one.name, .columns = {}, .rows = {}};
  for (const std::size_t parent : one.parents) {
    table.columns.push_back(network.variables[parent].name);
  }
  table.columns.emplace_back("rows");
  table.columns.insert(table.columns.end(), one.words.begin(), one.words.end());
  for (std::size_t row = 0; row < network.rows_of(variable); ++row) {
    const auto begin = counts.begin() + static_cast<std::ptrdiff_t>(row * size);
    const double behind = std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(size), 0.0);
    if (behind < std::max(least, 1.0) - 0.5) {
      continue;
    }
    std::vector<InsightCell> cells(one.parents.size());
    for (std::size_t k = one.parents.size(), rest = row; k-- > 0;) {
      const std::size_t parent = one.parents[k];
      cells[k] = network.variables[parent].words[rest % network.size_of(parent)];
      rest /= network.size_of(parent);
    }
    cells.emplace_back(std::round(behind));
    for (std::size_t value = 0; value < size; ++value) {
      cells.emplace_back(one.table[row * size + value]);
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Insights BayesianNetwork::insights(const Model& model) const {
  if (model.step == 0) {
    return {};
  }
  const BeliefNetwork network = this->network(model);
  std::vector<double> information;
  if (!options_.parents) {
    learnt_tree(model, information);
  }
  Insights insights;
  InsightTable structure{.name = "structure",
                         .title = options_.parents ? "Structure, as given" : "Structure, as learnt",
                         .columns = {"variable", "values", "depends on"},
                         .rows = {}};
  if (!options_.parents) {
    structure.columns.emplace_back("shared information (nats)");
  }
  for (std::size_t v = 0; v < network.variables.size(); ++v) {
    std::vector<std::string> names;
    for (const std::size_t parent : network.variables[v].parents) {
      names.push_back(network.variables[parent].name);
    }
    structure.rows.push_back({network.variables[v].name, static_cast<double>(network.size_of(v)),
                              names.empty() ? std::string("nothing") : words_joined(names, ", ")});
    if (!options_.parents) {
      structure.rows.back().emplace_back(
          names.empty() ? std::nan("")
                        : information[v * network.variables.size() + network.variables[v].parents[0]]);
    }
  }
  insights.sentences.push_back(
      "Ask the network with: hanse query RUN_DIR '" + network.variables[options_.target].name + " | " +
      (network.variables.size() > 1 ? network.variables[options_.target == 0 ? 1 : 0].name + "=" +
                                          network.variables[options_.target == 0 ? 1 : 0].words[0]
                                    : "") +
      "'");
  insights.tables.push_back(std::move(structure));
  for (std::size_t v = 0; v < network.variables.size(); ++v) {
    insights.tables.push_back(probability_table(model, network, v));
  }
  return insights;
}

}  // namespace hanse
