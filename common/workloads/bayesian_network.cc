#include "common/workloads/bayesian_network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/distributions.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/network_structure.h"
#include "common/workloads/two_parts.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr std::size_t kMissing = std::numeric_limits<std::size_t>::max();
constexpr double kEntriesMax = 1 << 20;
constexpr double kLossMax = 16;
constexpr double kJointLossMax = 64;
constexpr std::size_t kTestEntries = 5;
constexpr double kNats = 1e-300;  // Probabilities below count as this in logarithms.

}  // namespace

BayesianNetwork::BayesianNetwork(Options options) : options_(std::move(options)) {
  const std::size_t count = options_.variables.size();
  check(count > 0 && options_.target < count, "a network has variables, one of which is the target");
  const auto add = [&](std::vector<std::size_t> variables) {
    const std::size_t begin = tables_.empty() ? 0 : length();
    double entries = 1;
    for (const std::size_t v : variables) {
      entries *= static_cast<double>(options_.variables[v].words.size());
    }
    if (static_cast<double>(begin) + entries > kEntriesMax) {
      throw bad_input(
          "workload.name=bayesian-network would add up tables of more than 2^20 counts: list fewer words in "
          "data.categorical, or give variables fewer parents in workload.structure");
    }
    tables_.push_back(
        {.variables = std::move(variables), .begin = begin, .size = static_cast<std::size_t>(entries)});
  };
  if (options_.parents) {
    for (std::size_t v = 0; v < count; ++v) {
      std::vector<std::size_t> family = (*options_.parents)[v];
      family.push_back(v);
      add(std::move(family));
    }
    return;
  }
  for (std::size_t u = 0; u < count; ++u) {
    for (std::size_t v = u + 1; v < count; ++v) {
      add({u, v});
    }
  }
  if (count == 1) {
    add({0});
  }
}

Model BayesianNetwork::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(length(), 0.0);
  return model;
}

double BayesianNetwork::clip_norm() const {
  const double row = std::sqrt(static_cast<double>(tables_.size()));
  if (exact()) {  // Of a merchant with all rows, and its marks. Whole counts lie on the grid.
    return 2 * power_of_two_above(std::max(options_.train_rows, 1.0) * row);
  }
  if (options_.unit == Unit::record) {
    return row;
  }
  return options_.clip > 0 ? options_.clip : (options_.unit == Unit::merchant ? 256 : 8) * row;
}

std::optional<PrivateSum> BayesianNetwork::next_sum(const Model& model) const {
  if (model.step > 0) {
    return std::nullopt;
  }
  PrivateSum sum;
  sum.name = "tables";
  sum.purpose = Purpose::update;
  sum.length = cells().length();
  sum.clip_norm = clip_norm();
  sum.without_privacy = Unit::merchant;
  return sum;
}

std::optional<PrivateSum> BayesianNetwork::evaluation_sum(const Model&) const {
  PrivateSum sum;
  sum.name = "test rows";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = exact() ? 2 * kTestEntries : kTestEntries;
  sum.without_privacy = Unit::merchant;
  const double norm = options_.test.most(Unit::merchant) * std::sqrt(static_cast<double>(kTestEntries));
  sum.clip_norm = exact() ? 4 * power_of_two_above(norm) : norm;
  return sum;
}

/// The value of each variable, or kMissing.
void BayesianNetwork::read_row(const Rows& rows, std::size_t i, std::vector<std::size_t>& values) const {
  values.assign(options_.variables.size(), kMissing);
  const SparseRow row = rows.row(i);
  std::size_t v = 0;
  for (const std::uint32_t column : row.columns) {
    while (v < values.size() &&
           (options_.variables[v].is_label ||
            column >= options_.variables[v].first + options_.variables[v].words.size())) {
      ++v;
    }
    if (v < values.size() && column >= options_.variables[v].first) {
      values[v] = column - options_.variables[v].first;
    }
  }
  if (options_.variables.back().is_label) {
    values.back() = rows.label(i) > 0.5F ? 1 : 0;
  }
}

Contributor BayesianNetwork::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == length(), "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return test_contributor(model, sum);
  }
  const auto counts = std::make_shared<ContributionAccumulator>(0, length(), 1);
  return
      [this, counts, values = std::vector<std::size_t>()](const UnitRows& unit, Contribution& out) mutable {
        for (std::size_t i = 0; i < unit.train.size(); ++i) {
          read_row(unit.train, i, values);
          for (const Table& table : tables_) {
            std::size_t cell = 0;
            bool complete = true;
            for (const std::size_t v : table.variables) {
              complete = complete && values[v] != kMissing;
              cell = cell * options_.variables[v].words.size() + values[v];
            }
            if (complete) {
              (*counts)[table.begin + cell] += 1;
            }
          }
        }
        counts->flush(out);
        cells().mark(out);
      };
}

Contributor BayesianNetwork::test_contributor(const Model& model, const PrivateSum& sum) const {
  const auto network = std::make_shared<const BeliefNetwork>(this->network(model));
  const std::vector<double> usual =
      *posterior(*network, options_.target, Evidence(options_.variables.size()));
  const auto base = static_cast<std::size_t>(std::ranges::max_element(usual) - usual.begin());
  return [this, network, base, bound = sum.clip_norm, values = std::vector<std::size_t>()](
             const UnitRows& unit, Contribution& out) mutable {
    std::vector<double> sums(kTestEntries, 0.0);
    const auto loss = [](double probability) { return -std::log(std::max(probability, kNats)); };
    for (std::size_t i = 0; i < unit.test.size(); ++i) {
      read_row(unit.test, i, values);
      if (std::ranges::find(values, kMissing) != values.end()) {
        continue;
      }
      const std::size_t truth = values[options_.target];
      const std::vector<double> chances = given_all_others(*network, options_.target, values);
      const auto foreseen = static_cast<std::size_t>(std::ranges::max_element(chances) - chances.begin());
      double joint = 0;
      for (std::size_t v = 0; v < values.size(); ++v) {
        joint += loss(network->factor(v, values));
      }
      sums[0] += foreseen == truth ? 1 : 0;
      sums[1] += base == truth ? 1 : 0;
      sums[2] += std::min(loss(chances[truth]), kLossMax) / kLossMax;
      sums[3] += std::min(joint, kJointLossMax) / kJointLossMax;
      sums[4] += 1;
    }
    if (sums[4] == 0) {
      return;
    }
    if (exact()) {
      split_in_two(sums, bound);
    }
    out.add_block(0, sums);
  };
}

Metrics BayesianNetwork::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  if (sum.purpose == Purpose::update) {
    model.parameters = cells().counts(total);
    ++model.step;
    return {};
  }
  const std::vector<double> sums = joined(total, exact());
  const double rows = sums[4];
  if (!(rows >= 0.5)) {
    return {};
  }
  return {{"test_accuracy", std::clamp(sums[0] / rows, 0.0, 1.0)},
          {"test_accuracy_base", std::clamp(sums[1] / rows, 0.0, 1.0)},
          {"test_loss", std::clamp(kLossMax * sums[2] / rows, 0.0, kLossMax)},
          {"test_joint_loss", std::clamp(kJointLossMax * sums[3] / rows, 0.0, kJointLossMax)}};
}

/// Counts of a table, none of them negative.
std::vector<double> BayesianNetwork::counts_of(const Model& model, const Table& table) const {
  const auto begin = model.parameters.begin() + static_cast<std::ptrdiff_t>(table.begin);
  std::vector<double> counts(begin, begin + static_cast<std::ptrdiff_t>(table.size));
  if (!exact()) {
    project_to_simplex(counts, std::accumulate(counts.begin(), counts.end(), 0.0));
  }
  return counts;
}

/// The parent of each variable, its own index for the root; and the information of all pairs.
std::vector<std::size_t> BayesianNetwork::learnt_tree(const Model& model,
                                                      std::vector<double>& information) const {
  const std::size_t count = options_.variables.size();
  information.assign(count * count, 0.0);
  for (const Table& table : tables_) {
    if (table.variables.size() == 2) {
      const std::size_t u = table.variables[0];
      const std::size_t v = table.variables[1];
      std::vector<double> joint = counts_of(model, table);
      counts_to_distribution(joint, 0);
      information[u * count + v] = information[v * count + u] =
          mutual_information(joint, options_.variables[u].words.size(), options_.variables[v].words.size());
    }
  }
  return maximum_spanning_tree(information, count, options_.target);
}

/// Counts of two variables, row-major by the parent.
std::vector<double> BayesianNetwork::pair_counts(const Model& model, std::size_t parent,
                                                 std::size_t child) const {
  const auto table = std::ranges::find_if(tables_, [&](const Table& one) {
    return one.variables == std::vector{std::min(parent, child), std::max(parent, child)};
  });
  check(table != tables_.end(), "each pair has a table");
  const std::vector<double> counts = counts_of(model, *table);
  if (parent < child) {
    return counts;
  }
  const std::size_t rows = options_.variables[parent].words.size();
  const std::size_t columns = options_.variables[child].words.size();
  std::vector<double> turned(counts.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      turned[i * columns + j] = counts[j * rows + i];
    }
  }
  return turned;
}

/// The mean of the root's counts in all its tables.
std::vector<double> BayesianNetwork::root_counts(const Model& model, std::size_t root) const {
  const std::size_t count = options_.variables.size();
  if (count == 1) {
    return counts_of(model, tables_[0]);
  }
  std::vector<double> counts(options_.variables[root].words.size(), 0.0);
  for (std::size_t other = 0; other < count; ++other) {
    if (other != root) {
      const std::vector<double> pair = pair_counts(model, root, other);
      const std::size_t columns = pair.size() / counts.size();
      for (std::size_t cell = 0; cell < pair.size(); ++cell) {
        counts[cell / columns] += pair[cell] / static_cast<double>(count - 1);
      }
    }
  }
  return counts;
}

BeliefNetwork BayesianNetwork::network(const Model& model) const {
  BeliefNetwork network;
  std::vector<double> information;
  const std::vector<std::size_t> tree =
      options_.parents ? std::vector<std::size_t>() : learnt_tree(model, information);
  for (std::size_t v = 0; v < options_.variables.size(); ++v) {
    BeliefNetwork::Variable variable{
        .name = options_.variables[v].name, .words = options_.variables[v].words, .parents = {}, .table = {}};
    if (options_.parents) {
      variable.parents = (*options_.parents)[v];
      variable.table = counts_of(model, tables_[v]);
    } else if (tree[v] == v) {
      variable.table = root_counts(model, v);
    } else {
      variable.parents = {tree[v]};
      variable.table = pair_counts(model, tree[v], v);
    }
    for (std::size_t at = 0; at < variable.table.size(); at += variable.words.size()) {
      counts_to_distribution(std::span(variable.table).subspan(at, variable.words.size()),
                             options_.smoothing);
    }
    network.variables.push_back(std::move(variable));
  }
  return network;
}

RowScorer BayesianNetwork::scorer(const Model& model) const {
  if (!options_.variables.back().is_label) {
    return {};
  }
  return [this, network = std::make_shared<const BeliefNetwork>(network(model))](const SparseRow& row) {
    const std::size_t label = options_.variables.size() - 1;
    Evidence evidence(options_.variables.size());
    for (const std::uint32_t column : row.columns) {
      for (std::size_t v = 0; v < label; ++v) {
        const Variable& variable = options_.variables[v];
        if (column >= variable.first && column - variable.first < variable.words.size()) {
          evidence[v] = column - variable.first;
        }
      }
    }
    const auto chances = posterior(*network, label, evidence);
    return chances ? std::log(std::max((*chances)[1], kNats)) - std::log(std::max((*chances)[0], kNats))
                   : 0.0;
  };
}

std::vector<NamedArray> BayesianNetwork::arrays(const Model& model) const {
  const BeliefNetwork network = this->network(model);
  const std::size_t count = network.variables.size();
  NamedArray variables{.name = "variables", .shape = {count, 2}, .values = {}};
  NamedArray parents{.name = "parents", .shape = {count, count}, .values = std::vector(count * count, 0.0)};
  std::vector<NamedArray> arrays;
  for (std::size_t v = 0; v < count; ++v) {
    const Variable& variable = options_.variables[v];
    variables.values.push_back(variable.is_label ? -1 : static_cast<double>(variable.first));
    variables.values.push_back(static_cast<double>(variable.words.size()));
    NamedArray table{.name = "table_" + std::to_string(v), .shape = {}, .values = network.variables[v].table};
    for (const std::size_t parent : network.variables[v].parents) {
      parents.values[v * count + parent] = 1;
      table.shape.push_back(network.size_of(parent));
    }
    table.shape.push_back(network.size_of(v));
    arrays.push_back(std::move(table));
  }
  arrays.insert(arrays.begin(), {std::move(variables), std::move(parents)});
  return arrays;
}

std::unique_ptr<Workload> make_bayesian_network(const Configuration& configuration,
                                                const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::none, LabelKind::binary});
  if (facts.space.numeric > 0 || facts.space.counted || facts.space.sparse_ranges.empty() ||
      configuration.data.format != "csv") {
    throw bad_input(
        "workload.name=bayesian-network has variables with listed words: name them in data.categorical as "
        "COLUMN{a|b|c} or COLUMN[1..12], with data.format=csv and without data.numeric");
  }
  refuse_small_ring(configuration, "workload.name=bayesian-network");
  if (configuration.privacy.turns > 1 || configuration.privacy.adaptive_clip) {
    throw bad_input(
        "workload.name=bayesian-network has one round: leave out privacy.turns and privacy.adaptive_clip");
  }
  if (configuration.privacy.unit == Unit::record && configuration.privacy.clip > 0) {
    throw bad_input(
        "privacy.clip: with privacy.unit=record a row's norm is known, the square root of the number of "
        "tables; "
        "leave it out");
  }
  refuse_small_ring(configuration, "workload.name=bayesian-network");
  BayesianNetwork::Options options;
  std::vector<std::string> names;
  for (const ColumnRange& range : facts.space.sparse_ranges) {
    BayesianNetwork::Variable variable{.name = range.name, .words = {}, .first = range.begin};
    for (std::uint32_t column = range.begin; column < range.end; ++column) {
      variable.words.push_back(facts.space.names[column].substr(range.name.size() + 1));
    }
    if (variable.words.empty()) {
      throw bad_input("data.categorical: no word of '" + range.name +
                      "' is at enough merchants; lower privacy.min_contributors");
    }
    names.push_back(variable.name);
    options.variables.push_back(std::move(variable));
  }
  if (facts.label == LabelKind::binary) {
    names.push_back(configuration.data.label.empty() ? "label" : configuration.data.label);
    options.variables.push_back({.name = names.back(), .words = {"0", "1"}, .first = 0, .is_label = true});
  }
  const OtherOptions& other = configuration.workload.other;
  if (const auto structure = other.find("structure"); structure != other.end()) {
    options.parents = read_structure(structure->second, names);
  }
  options.target = facts.label == LabelKind::binary ? names.size() - 1 : 0;
  if (const auto target = other.find("target"); target != other.end()) {
    options.target = variable_index(target->second, names, "workload.target");
  }
  options.smoothing = number_option(other, "smoothing", options.smoothing);
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.noise = facts.update_noise;
  options.train_rows = facts.train_rows;
  options.min_contributors = facts.merchants == 1 ? 1 : configuration.privacy.min_contributors;
  options.test = {options.unit, number_option(other, "test_rows_per_unit", 0), configuration.data.max_units};
  return std::make_unique<BayesianNetwork>(std::move(options));
}

}  // namespace hanse
