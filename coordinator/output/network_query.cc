#include "coordinator/output/network_query.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "common/base/failure.h"
#include "common/base/printable.h"
#include "common/data/numbers.h"
#include "coordinator/output/text.h"

namespace hanse {
namespace {

constexpr std::size_t kVariablesMax = 10'000;

/// The array of that name with these many values, or none at all.
const NamedArray& needed(const PublishedModel& model, const std::string& name, std::size_t values,
                         const std::string& origin) {
  const NamedArray* array = model.find(name);
  if (array == nullptr || (values > 0 && array->values.size() != values)) {
    throw bad_input(origin + ": the model's array '" + name + "' is not that of a network");
  }
  return *array;
}

/// A whole number from 0 to `most`.
std::size_t whole(double value, double most, const std::string& origin) {
  if (!(value >= 0) || value > most || value != std::floor(value)) {
    throw bad_input(origin + ": the model's network refers to what it does not have");
  }
  return static_cast<std::size_t>(value);
}

BeliefNetwork::Variable variable_of(const PublishedModel& model, double first, double size,
                                    const std::string& origin) {
  if (first < 0) {
    const auto label = model.facts.find("data.label");
    const bool named = label != model.facts.end() && !label->second.empty();
    return {.name = named ? label->second : "label", .words = {"0", "1"}, .parents = {}, .table = {}};
  }
  const auto columns = static_cast<double>(model.columns.size());
  const std::size_t begin = whole(first, columns, origin);
  const std::size_t end = begin + whole(size, columns - first, origin);
  BeliefNetwork::Variable variable;
  for (std::size_t column = begin; column < end; ++column) {
    const std::string& name = model.columns[column];
    const std::size_t equals = std::min(name.find('='), name.size());
    variable.name = name.substr(0, equals);
    variable.words.push_back(name.substr(std::min(equals + 1, name.size())));
  }
  if (variable.words.empty()) {
    throw bad_input(origin + ": the model's network has a variable without values");
  }
  return variable;
}

template <class Names>
std::string listed(const Names& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + printable(name);
  }
  return text;
}

std::size_t variable_named(std::string_view name, const BeliefNetwork& network) {
  const auto found = std::ranges::find(network.variables, name, &BeliefNetwork::Variable::name);
  if (found != network.variables.end()) {
    return static_cast<std::size_t>(found - network.variables.begin());
  }
  std::vector<std::string> names;
  for (const BeliefNetwork::Variable& variable : network.variables) {
    names.push_back(variable.name);
  }
  throw bad_input("QUERY: there is no variable '" + printable(std::string(name)) + "'; there are " +
                  listed(names));
}

/// Puts "name=word" into the evidence.
void take_evidence(std::string_view text, const BeliefNetwork& network, NetworkQuery& query) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    throw bad_input("QUERY: cannot read '" + printable(std::string(text)) +
                    "'; expected NAME=VALUE after the |, with commas between");
  }
  const std::size_t variable = variable_named(trimmed(text.substr(0, equals)), network);
  const std::string_view word = trimmed(text.substr(equals + 1));
  const std::vector<std::string>& words = network.variables[variable].words;
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) {
    throw bad_input("QUERY: '" + printable(std::string(word)) + "' is no value of " +
                    network.variables[variable].name + "; it has " + listed(words));
  }
  if (query.evidence[variable]) {
    throw bad_input("QUERY: " + network.variables[variable].name + " is given twice");
  }
  query.evidence[variable] = static_cast<std::size_t>(found - words.begin());
}

}  // namespace

BeliefNetwork network_of(const PublishedModel& model, const std::string& origin) {
  if (model.workload != "bayesian-network") {
    throw bad_input(origin + " is a model of " + printable(model.workload) +
                    "; a query needs one of workload.name=bayesian-network");
  }
  const NamedArray& variables = needed(model, "variables", 0, origin);
  const std::size_t count = variables.values.size() / 2;
  if (count == 0 || count > kVariablesMax || variables.values.size() % 2 != 0) {
    throw bad_input(origin + ": the model's network has no variables");
  }
  const NamedArray& parents = needed(model, "parents", count * count, origin);
  BeliefNetwork network;
  for (std::size_t v = 0; v < count; ++v) {
    network.variables.push_back(
        variable_of(model, variables.values[2 * v], variables.values[2 * v + 1], origin));
    for (std::size_t parent = 0; parent < count; ++parent) {
      if (parents.values[v * count + parent] > 0) {
        network.variables[v].parents.push_back(parent);
      }
    }
  }
  if (!parents_first(network)) {
    throw bad_input(origin + ": the model's network has a cycle");
  }
  for (std::size_t v = 0; v < count; ++v) {
    double entries = static_cast<double>(network.size_of(v));
    for (const std::size_t parent : network.variables[v].parents) {
      entries *= static_cast<double>(network.size_of(parent));
    }
    if (entries > 0x1p24) {
      throw bad_input(origin + ": the model's table of " + printable(network.variables[v].name) +
                      " is too large");
    }
    const std::vector<double>& table = needed(model, "table_" + std::to_string(v), 0, origin).values;
    if (table.size() != network.rows_of(v) * network.size_of(v) ||
        !std::ranges::all_of(table, [](double p) { return p >= 0 && p <= 1; })) {
      throw bad_input(origin + ": the model's table of " + printable(network.variables[v].name) +
                      " is not one of probabilities");
    }
    network.variables[v].table = table;
  }
  return network;
}

NetworkQuery read_query(std::string_view text, const BeliefNetwork& network) {
  const std::size_t bar = std::min(text.find('|'), text.size());
  NetworkQuery query;
  query.target = variable_named(trimmed(text.substr(0, bar)), network);
  query.evidence.resize(network.variables.size());
  if (bar == text.size()) {
    return query;
  }
  const std::string_view given = text.substr(bar + 1);
  for (std::size_t begin = 0; begin <= given.size();) {
    std::size_t end = std::min(given.find(',', begin), given.size());
    // A part without '=' belongs to the word before it.
    while (end < given.size()) {
      const std::size_t next = std::min(given.find(',', end + 1), given.size());
      if (given.substr(end, next - end).find('=') != std::string_view::npos) {
        break;
      }
      end = next;
    }
    take_evidence(trimmed(given.substr(begin, end - begin)), network, query);
    begin = end + 1;
  }
  return query;
}

std::string answer_text(const BeliefNetwork& network, const NetworkQuery& query,
                        const std::vector<double>& chances) {
  const std::vector<std::string>& words = network.variables[query.target].words;
  std::string given;
  for (std::size_t v = 0; v < query.evidence.size(); ++v) {
    if (query.evidence[v]) {
      given += (given.empty() ? " | " : ", ") + printable(network.variables[v].name) + "=" +
               printable(network.variables[v].words[*query.evidence[v]]);
    }
  }
  std::string text = "P(" + printable(network.variables[query.target].name) + given + ")\n";
  std::vector<std::size_t> order(words.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return chances[a] > chances[b]; });
  std::size_t width = 0;
  for (const std::string& word : words) {
    width = std::max(width, printable(word).size());
  }
  for (const std::size_t value : order) {
    const std::string word = printable(words[value]);
    text += "  " + word + std::string(width - word.size() + 2, ' ') + number_text(chances[value]) + "\n";
  }
  return text;
}

std::string answer_json(const BeliefNetwork& network, const NetworkQuery& query,
                        const std::vector<double>& chances) {
  using Json = nlohmann::ordered_json;
  Json evidence = Json::object();
  for (std::size_t v = 0; v < query.evidence.size(); ++v) {
    if (query.evidence[v]) {
      evidence[network.variables[v].name] = network.variables[v].words[*query.evidence[v]];
    }
  }
  Json probabilities = Json::object();
  for (std::size_t value = 0; value < chances.size(); ++value) {
    probabilities[network.variables[query.target].words[value]] = chances[value];
  }
  const Json answer = {{"target", network.variables[query.target].name},
                       {"evidence", std::move(evidence)},
                       {"probabilities", std::move(probabilities)}};
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hanse
