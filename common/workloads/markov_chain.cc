#include "common/workloads/markov_chain.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/distributions.h"
#include "common/numerics/linear.h"
#include "common/numerics/markov.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/two_parts.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr std::size_t kStatesMax = 1026;  // A million transitions.
constexpr double kLossMax = 16;
constexpr double kTestNorm = 2;
constexpr double kLeastSmoothing = 1e-9;
constexpr double kNoiseShown = 3;  // Deviations of noise, at least, that a transition in a table exceeds.
constexpr std::size_t kTestEntries = 4;
constexpr std::size_t kNoState = std::numeric_limits<std::size_t>::max();

/// Index of the largest; the first of equal ones.
std::size_t largest(std::span<const double> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

}  // namespace

MarkovChain::MarkovChain(Options options) : options_(std::move(options)) {
  check(!options_.states.empty() && options_.smoothing > 0, "a chain has states, and every state is left");
  check(!options_.target || *options_.target < size(), "the target is a state");
}

Model MarkovChain::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(size() * size(), 0.0);
  return model;
}

double MarkovChain::clip_norm() const {
  if (exact()) {  // With `outside`, a sequence has one transition more than rows; each may have a mark.
    return 4 * power_of_two_above(std::max(options_.train_rows, 1.0));
  }
  return options_.clip > 0 ? options_.clip : options_.unit == Unit::merchant ? 64 : 4;
}

std::optional<PrivateSum> MarkovChain::next_sum(const Model& model) const {
  if (model.step > 0) {
    return std::nullopt;
  }
  PrivateSum sum;
  sum.name = "transitions";
  sum.purpose = Purpose::update;
  sum.length = cells().length();
  sum.clip_norm = clip_norm();
  sum.without_privacy = Unit::merchant;
  return sum;
}

std::optional<PrivateSum> MarkovChain::evaluation_sum(const Model&) const {
  PrivateSum sum;
  sum.name = "test transitions";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = exact() ? 2 * kTestEntries : kTestEntries;
  sum.without_privacy = Unit::merchant;
  const double norm = options_.test.most(Unit::merchant) * kTestNorm;
  sum.clip_norm = exact() ? 8 * power_of_two_above(norm) : norm;  // Ends are one transition a row more.
  return sum;
}

std::size_t MarkovChain::state_of(const SparseRow& row) const {
  for (const std::uint32_t column : row.columns) {
    if (column >= options_.first && column - options_.first < options_.states.size()) {
      return column - options_.first;
    }
  }
  return kNoState;
}

template <class Use>
void MarkovChain::for_each_transition(const Rows& before, const Rows& rows, const Use& use) const {
  const std::size_t outside = options_.states.size();
  std::size_t at_before = 0;
  for (std::size_t i = 0; i < rows.size();) {
    const std::uint32_t customer = rows.customer(i);
    std::size_t from = options_.ends ? outside : kNoState;
    for (; at_before < before.size() && before.customer(at_before) <= customer; ++at_before) {
      if (!options_.ends && before.customer(at_before) == customer) {
        from = state_of(before.row(at_before));
      }
    }
    for (; i < rows.size() && rows.customer(i) == customer; ++i) {
      const std::size_t to = state_of(rows.row(i));
      if (from != kNoState && to != kNoState) {
        use(from, to);
      }
      from = to;
    }
    if (options_.ends && from != kNoState) {
      use(from, outside);
    }
  }
}

Contributor MarkovChain::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == size() * size(), "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return test_contributor(model, sum);
  }
  const auto counts = std::make_shared<ContributionAccumulator>(0, size() * size(), 1);
  return [this, counts](const UnitRows& unit, Contribution& out) {
    for_each_transition({}, unit.train,
                        [&](std::size_t from, std::size_t to) { (*counts)[from * size() + to] += 1; });
    counts->flush(out);
    cells().mark(out);
  };
}

Contributor MarkovChain::test_contributor(const Model& model, const PrivateSum& sum) const {
  struct Foreseen {
    std::vector<double> chain;
    std::vector<std::size_t> next;
    std::size_t base = 0;
  };
  Foreseen foreseen{.chain = transitions(model), .next = {}, .base = 0};
  std::vector<double> arrivals(size(), 0.0);
  for (std::size_t from = 0; from < size(); ++from) {
    foreseen.next.push_back(largest(std::span(foreseen.chain).subspan(from * size(), size())));
    for (std::size_t to = 0; to < size(); ++to) {
      arrivals[to] += model.parameters[from * size() + to];
    }
  }
  foreseen.base = largest(arrivals);
  return [this, foreseen = std::make_shared<const Foreseen>(std::move(foreseen)), bound = sum.clip_norm](
             const UnitRows& unit, Contribution& out) {
    std::vector<double> sums(kTestEntries, 0.0);
    for_each_transition(unit.train, unit.test, [&](std::size_t from, std::size_t to) {
      sums[0] += foreseen->next[from] == to ? 1 : 0;
      sums[1] += foreseen->base == to ? 1 : 0;
      sums[2] += std::min(-std::log(foreseen->chain[from * size() + to]), kLossMax) / kLossMax;
      sums[3] += 1;
    });
    if (sums[3] == 0) {
      return;
    }
    if (exact()) {
      split_in_two(sums, bound);
    }
    out.add_block(0, sums);
  };
}

Metrics MarkovChain::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  if (sum.purpose == Purpose::update) {
    model.parameters = cells().counts(total);
    ++model.step;
    return {};
  }
  const std::vector<double> sums = joined(total, exact());
  const double count = sums[3];
  if (!(count >= 0.5)) {
    return {};
  }
  return {{"test_accuracy", std::clamp(sums[0] / count, 0.0, 1.0)},
          {"test_accuracy_base", std::clamp(sums[1] / count, 0.0, 1.0)},
          {"test_loss", std::clamp(kLossMax * sums[2] / count, 0.0, kLossMax)}};
}

std::vector<double> MarkovChain::transitions(const Model& model) const {
  std::vector<double> chain = model.parameters;
  const std::size_t outside = options_.states.size();
  for (std::size_t from = 0; from < size(); ++from) {
    const std::size_t to = from == outside ? outside : size();  // Nobody goes from outside to outside.
    counts_to_distribution(std::span(chain).subspan(from * size(), to), options_.smoothing);
  }
  if (options_.ends) {
    chain.back() = 0;
  }
  return chain;
}

/// Of the states without `outside`.
std::vector<double> MarkovChain::long_run(const std::vector<double>& chain) const {
  std::vector<double> shares = stationary_distribution(chain, size());
  shares.resize(options_.states.size());
  const double inside = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) {
    share /= inside;
  }
  return shares;
}

std::vector<NamedArray> MarkovChain::arrays(const Model& model) const {
  const std::vector<double> chain = transitions(model);
  std::vector<NamedArray> arrays = {
      {.name = "transitions", .shape = {size(), size()}, .values = chain},
      {.name = "stationary", .shape = {options_.states.size()}, .values = long_run(chain)}};
  if (options_.target) {
    arrays.push_back(
        {.name = "steps", .shape = {size()}, .values = expected_steps(chain, size(), *options_.target)});
  }
  return arrays;
}

std::string MarkovChain::name_of_state(std::size_t state) const {
  return state < options_.states.size() ? options_.states[state] : "(outside)";
}

InsightTable MarkovChain::state_table(const Model& model, const std::vector<double>& chain) const {
  const std::vector<double> shares = long_run(chain);
  const std::size_t outside = options_.states.size();
  InsightTable table{.name = "states",
                     .title = "States",
                     .columns = {"state", "times left", "long-run share", "stays", "then most often", "in"},
                     .rows = {}};
  std::vector<double> steps;
  std::vector<double> chances;
  if (options_.target) {
    steps = expected_steps(chain, size(), *options_.target);
    table.columns.push_back("steps to " + name_of_state(*options_.target));
    if (options_.ends && *options_.target != outside) {
      chances = reached_before(chain, size(), *options_.target, outside);
      table.columns.push_back("reaches it before leaving");
    }
  }
  for (std::size_t state = 0; state < size(); ++state) {
    const std::span<const double> row = std::span(chain).subspan(state * size(), size());
    const std::span<const double> counts = std::span(model.parameters).subspan(state * size(), size());
    const double left = std::accumulate(counts.begin(), counts.end(), 0.0);
    std::vector<double> others(row.begin(), row.end());
    others[state] = -1;
    const std::size_t next = largest(others);
    table.rows.push_back({name_of_state(state), std::round(std::max(left, 0.0)),
                          state == outside ? std::nan("") : shares[state], row[state],
                          size() > 1 ? name_of_state(next) : std::string("-"), size() > 1 ? row[next] : 0.0});
    if (!steps.empty()) {
      table.rows.back().emplace_back(steps[state]);
    }
    if (!chances.empty()) {
      // From outside, of those who come in: there it counts from the first step.
      double reached = state == outside ? 0 : chances[state];
      for (std::size_t to = 0; state == outside && to < outside; ++to) {
        reached += row[to] * chances[to];
      }
      table.rows.back().emplace_back(reached);
    }
  }
  return table;
}

/// What a released count exceeds that is more than noise: with s its deviation, none of n cells of noise is above s sqrt(2 ln n), mostly.
double MarkovChain::noise_bound() const {
  const double cells = static_cast<double>(size() * size());
  const double deviations = std::max(kNoiseShown, std::sqrt(2 * std::log(cells)));
  return exact() ? 1 : std::max(deviations * options_.noise * clip_norm(), 1.0);
}

InsightTable MarkovChain::transition_table(const Model& model, const std::vector<double>& chain) const {
  const double least = noise_bound();
  std::vector<std::size_t> order;
  for (std::size_t entry = 0; entry < chain.size(); ++entry) {
    if (model.parameters[entry] >= least - 0.5) {
      order.push_back(entry);
    }
  }
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return model.parameters[a] > model.parameters[b]; });
  InsightTable table{.name = "transitions",
                     .title = "What follows what, most frequent first",
                     .columns = {"from", "to", "times", "probability"},
                     .rows = {}};
  for (const std::size_t entry : order) {
    table.rows.push_back({name_of_state(entry / size()), name_of_state(entry % size()),
                          std::round(model.parameters[entry]), chain[entry]});
  }
  return table;
}

Insights MarkovChain::insights(const Model& model) const {
  if (model.step == 0) {
    return {};
  }
  const double counted = std::accumulate(model.parameters.begin(), model.parameters.end(), 0.0);
  Insights insights;
  const double noise_in_all = options_.noise * clip_norm() * static_cast<double>(size());
  if (counted < (exact() ? 0.5 : 4 * noise_in_all)) {
    insights.sentences.emplace_back(exact() ? "There is no transition that enough merchants have."
                                            : "There are too few transitions: the noise hides them all.");
    return insights;
  }
  const std::vector<double> chain = transitions(model);
  const std::vector<double> shares = long_run(chain);
  insights.sentences.push_back("A chain of " + std::to_string(options_.states.size()) + " states, from " +
                               std::to_string(std::llround(std::max(counted, 0.0))) +
                               (exact() ? " transitions." : " transitions, about: the counts carry noise."));
  insights.sentences.push_back("In the long run most are at " + options_.states[largest(shares)] + ".");
  insights.tables.push_back(state_table(model, chain));
  insights.tables.push_back(transition_table(model, chain));
  return insights;
}

namespace {

/// The index of workload.target.
std::optional<std::size_t> target_of(const OtherOptions& other, const MarkovChain::Options& options) {
  const auto given = other.find("target");
  if (given == other.end()) {
    return std::nullopt;
  }
  const auto found = std::ranges::find(options.states, given->second);
  if (found != options.states.end()) {
    return static_cast<std::size_t>(found - options.states.begin());
  }
  if (given->second == "outside" && options.ends) {
    return options.states.size();
  }
  throw bad_input(
      "workload.target: '" + given->second +
      "' is none of the states that are kept; list it in data.categorical as COLUMN{a|b|c}" +
      (options.ends ? "" : ", or for the end of a sequence set workload.ends=true and write outside"));
}

}  // namespace

std::unique_ptr<Workload> make_markov_chain(const Configuration& configuration, const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::none, LabelKind::binary});
  const OtherOptions& other = configuration.workload.other;
  const bool one_column = configuration.data.categorical.size() == 1 || facts.space.sparse_ranges.size() == 1;
  if (!one_column || facts.space.numeric > 0 || configuration.data.format != "csv") {
    throw bad_input(
        "workload.name=markov-chain has one column of states: name it, and no other, in data.categorical, "
        "with data.format=csv and without data.numeric");
  }
  if (configuration.data.customer.empty()) {
    throw bad_input("data.customer is missing: markov-chain follows the rows of one customer or session");
  }
  if (configuration.privacy.unit == Unit::record) {
    throw bad_input(
        "privacy.unit=record: a transition has two rows, so markov-chain protects customers or merchants");
  }
  refuse_small_ring(configuration, "workload.name=markov-chain");
  if (configuration.privacy.turns > 1 || configuration.privacy.adaptive_clip) {
    throw bad_input(
        "workload.name=markov-chain has one round: leave out privacy.turns and privacy.adaptive_clip");
  }
  if (own_kind(configuration) != OwnKind::none) {
    throw bad_input("workload.own: markov-chain has no part that stays at the merchant; leave it out");
  }
  refuse_small_ring(configuration, "workload.name=markov-chain");
  MarkovChain::Options options;
  const ColumnRange range =
      facts.space.sparse_ranges.empty() ? ColumnRange() : facts.space.sparse_ranges.front();
  options.first = range.begin;
  for (std::uint32_t column = range.begin; column < range.end; ++column) {
    const std::string& name = facts.space.names[column];
    const bool word = name.starts_with(range.name + "=");
    options.states.push_back(word ? name.substr(range.name.size() + 1) : name);
  }
  if (options.states.empty()) {
    throw bad_input("data.categorical: no state is at enough merchants; lower privacy.min_contributors");
  }
  if (options.states.size() + 1 >= kStatesMax) {
    throw bad_input("data.categorical: " + std::to_string(options.states.size()) +
                    " states are too many for a table of all their transitions; at most 1024");
  }
  options.ends = flag_option(other, "ends", false);
  options.target = target_of(other, options);
  options.smoothing = number_option(other, "smoothing", options.smoothing);
  if (!(options.smoothing >= kLeastSmoothing)) {
    throw bad_input(
        "workload.smoothing: expected at least 1e-9, because states that nothing follows have no long run");
  }
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.noise = facts.update_noise;
  options.train_rows = facts.train_rows;
  options.min_contributors = facts.merchants == 1 ? 1 : configuration.privacy.min_contributors;
  options.test = {options.unit, number_option(other, "test_rows_per_unit", 0), configuration.data.max_units};
  return std::make_unique<MarkovChain>(std::move(options));
}

}  // namespace hanse
