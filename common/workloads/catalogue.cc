#include "common/workloads/catalogue.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <utility>

#include "common/base/failure.h"
#include "common/data/cleaning.h"
#include "common/workloads/factorization_machine.h"
#include "common/workloads/implicit_factorization.h"
#include "common/workloads/linear_regression.h"
#include "common/workloads/logistic_regression.h"
#include "common/workloads/matrix_factorization.h"
#include "common/workloads/personalised.h"
#include "common/workloads/preparation.h"

namespace hanse {
namespace {

using Other = std::map<std::string, std::string>;

double number_option(const Other& other, const std::string& key, double fallback) {
  const auto found = other.find(key);
  if (found == other.end()) {
    return fallback;
  }
  const std::string& text = found->second;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0)) {
    throw bad_input("workload." + key + ": expected a number that is not negative; got '" + text + "'");
  }
  return value;
}

template <class Count>
Count count_option(const Other& other, const std::string& key, Count fallback) {
  const double value = number_option(other, key, static_cast<double>(fallback));
  if (value != std::floor(value) || value > 4e9) {
    throw bad_input("workload." + key + ": expected a whole number below 4e9");
  }
  return static_cast<Count>(value);
}

/// The table of keys lets true and false through only.
bool flag_option(const Other& other, const std::string& key, bool fallback) {
  const auto found = other.find(key);
  return found == other.end() ? fallback : found->second == "true";
}

/// workload.solver, by the names that the workload knows.
template <class Solver>
Solver solver_option(const Configuration::WorkloadOptions& workload,
                     std::initializer_list<std::pair<const char*, Solver>> known) {
  std::string names;
  std::size_t left = known.size();
  for (const auto& [name, solver] : known) {
    if (workload.solver == name) {
      return solver;
    }
    --left;
    names += std::string(name) + (left > 1 ? ", " : left == 1 ? " or " : "");
  }
  throw bad_input("workload.solver: expected " + names + " for " + workload.name + "; got '" +
                  workload.solver + "'");
}

ServerOptimizer::Options server_options(const Configuration& configuration) {
  ServerOptimizer::Options options;
  options.name = configuration.server.optimizer;
  options.learning_rate = configuration.server.learning_rate;
  options.momentum = configuration.server.momentum;
  return options;
}

/// Part of the units that a training sum is likely to have.
double expected_share(const Configuration& configuration) {
  return configuration.federation.cohort * configuration.privacy.sampling_rate / configuration.privacy.turns;
}

/// Whether merchants weigh the same in an average of local steps, whatever their rows.
bool equal_weights(const Configuration& configuration, bool local) {
  const Unit unit = configuration.privacy.unit;
  std::string weights = unit == Unit::none ? "rows" : "equal";
  const Other& other = configuration.workload.other;
  if (const auto found = other.find("weights"); found != other.end()) {
    weights = found->second;
  }
  if (weights != "rows" && weights != "equal") {
    throw bad_input("workload.weights: expected rows or equal; got '" + weights + "'");
  }
  if (weights == "rows" && unit == Unit::merchant && local) {
    throw bad_input(
        "workload.weights=rows would let one merchant weigh more than privacy.clip allows: with "
        "privacy.unit=merchant use workload.weights=equal");
  }
  return weights == "equal";
}

/// For workloads of records: throws bad_input where there are none, or where their label is of another kind than it needs.
void needs_records(const Configuration& configuration, const WorkloadFacts& facts,
                   std::initializer_list<LabelKind> labels) {
  const std::string who = "workload.name=" + configuration.workload.name;
  if (facts.kind != RowKind::record) {
    throw bad_input(who + " needs records: set data.format to csv or libsvm");
  }
  if (std::ranges::find(labels, facts.label) != labels.end()) {
    return;
  }
  switch (facts.label) {
    case LabelKind::none:
      throw bad_input("data.label is missing: name the column that " + who + " predicts");
    case LabelKind::number:
      throw bad_input("workload.task=regression: " + who + " does not predict numbers; linear does");
    case LabelKind::one_of_many:
      throw bad_input("workload.task=multiclass: " + who + " does not tell many classes apart; softmax does");
    case LabelKind::binary:
      throw bad_input("workload.task=classification: " + who + " does not tell 0 from 1; logistic does");
  }
}

std::unique_ptr<Workload> make_logistic(const Configuration& configuration, const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::binary});
  const Configuration::WorkloadOptions& workload = configuration.workload;
  const Unit unit = configuration.privacy.unit;
  LogisticRegression::Options options;
  using Solver = LogisticRegression::Solver;
  options.solver = solver_option<Solver>(
      workload, {{"gradient", Solver::gradient}, {"newton", Solver::newton}, {"local", Solver::local}});
  if (options.solver == Solver::newton && unit == Unit::none && configuration.aggregation.ring == "32") {
    throw bad_input(
        "aggregation.ring=32 has too few digits for workload.solver=newton without a unit of privacy: leave "
        "it "
        "at auto");
  }
  options.width = facts.width;
  options.train_rows = facts.train_rows;
  options.merchants = facts.merchants;
  options.unit = unit;
  options.clip = configuration.privacy.clip;
  options.expected_share = expected_share(configuration);
  options.l1 = number_option(workload.other, "l1", 0);
  options.l2 = workload.l2;
  options.positive_weight = number_option(workload.other, "positive_weight", options.positive_weight);
  options.tolerance = number_option(workload.other, "tolerance", options.tolerance);
  options.noise_multiplier = facts.update_noise;
  options.proximal_mu = number_option(workload.other, "proximal_mu", 0);
  options.scaffold = flag_option(workload.other, "scaffold", options.scaffold);
  options.shuffle = flag_option(workload.other, "shuffle", options.shuffle);
  options.local_epochs = workload.local_epochs;
  options.batch = workload.batch;
  options.learning_rate = workload.learning_rate;
  options.equal_weights = equal_weights(configuration, options.solver == Solver::local);
  options.seed = configuration.federation.seed;
  options.test_rows_per_unit = number_option(workload.other, "test_rows_per_unit", 0);
  options.max_units = configuration.data.max_units;
  options.server = server_options(configuration);
  return std::make_unique<LogisticRegression>(std::move(options));
}

OwnKind own_kind(const Configuration& configuration) {
  const auto found = configuration.workload.other.find("own");
  return found == configuration.workload.other.end() ? OwnKind::none : own_kind_of(found->second);
}

std::unique_ptr<Workload> make_linear(const Configuration& configuration, const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::number});
  if (configuration.privacy.turns > 1 || configuration.privacy.adaptive_clip) {
    throw bad_input("workload.name=linear has one round: leave out privacy.turns and privacy.adaptive_clip");
  }
  LinearRegression::Options options;
  options.width = facts.width;
  options.train_rows = facts.train_rows;
  options.label_low = facts.label_low;
  options.label_high = facts.label_high;
  options.label_declared = facts.label_declared;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.l2 = configuration.workload.l2;
  options.own = own_kind(configuration);
  options.own_l2 = number_option(configuration.workload.other, "own_l2", options.own_l2);
  options.test_rows_per_unit = number_option(configuration.workload.other, "test_rows_per_unit", 0);
  options.max_units = configuration.data.max_units;
  return std::make_unique<LinearRegression>(std::move(options));
}

/// Where units take turns, all training sums are rows of one kind; and parts of the model that took turns as well would meet
/// the same units again and again.
void refuse_turns_of_parts(const Configuration& configuration, std::size_t sums_a_pass) {
  if (configuration.privacy.turns > 1 && sums_a_pass > 1) {
    throw bad_input(
        "privacy.turns needs training sums that are all alike, but the equations of all items take " +
        std::to_string(sums_a_pass) +
        " sums: raise workload.entries_per_sum, lower workload.rank, or leave out privacy.turns");
  }
}

std::unique_ptr<Workload> make_matrix_factorization(const Configuration& configuration,
                                                    const WorkloadFacts& facts) {
  if (facts.kind != RowKind::customer) {
    throw bad_input("workload.name=matrix-factorization needs ratings: set data.format=ratings");
  }
  const Configuration::WorkloadOptions& workload = configuration.workload;
  MatrixFactorization::Options options;
  using Solver = MatrixFactorization::Solver;
  options.solver = solver_option<Solver>(
      workload, {{"gradient", Solver::gradient}, {"als", Solver::als}, {"local", Solver::local}});
  options.block = count_option(workload.other, "block", options.block);
  options.entries_per_sum = count_option(workload.other, "entries_per_sum", options.entries_per_sum);
  options.items = facts.width;
  options.rank = workload.rank;
  options.rating_low = facts.rating_low;
  options.rating_high = facts.rating_high;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.expected_share = expected_share(configuration);
  options.l2 = workload.l2 > 0 ? workload.l2 : options.l2;
  options.l2_bias = number_option(workload.other, "l2_bias", options.l2_bias);
  options.init = number_option(workload.other, "init", options.init);
  options.ratings_per_unit = number_option(workload.other, "ratings_per_unit", 0);
  options.local_epochs = workload.local_epochs;
  options.learning_rate = workload.learning_rate;
  options.seed = configuration.federation.seed;
  options.server = server_options(configuration);
  auto made = std::make_unique<MatrixFactorization>(std::move(options));
  refuse_turns_of_parts(configuration, made->sums_a_pass());
  return made;
}

std::unique_ptr<Workload> make_factorization_machine(const Configuration& configuration,
                                                     const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::binary, LabelKind::number});
  const Configuration::WorkloadOptions& workload = configuration.workload;
  const Unit unit = configuration.privacy.unit;
  FactorizationMachine::Options options;
  using Solver = FactorizationMachine::Solver;
  options.solver =
      solver_option<Solver>(workload, {{"gradient", Solver::gradient}, {"local", Solver::local}});
  options.width = facts.width;
  options.rank = workload.rank;
  options.train_rows = facts.train_rows;
  options.merchants = facts.merchants;
  options.unit = unit;
  options.clip = configuration.privacy.clip;
  options.expected_share = expected_share(configuration);
  options.init = number_option(workload.other, "init", options.init);
  options.regression = facts.label == LabelKind::number;
  if (facts.label == LabelKind::number) {
    options.label_low = facts.label_low;
    options.label_high = facts.label_high;
    options.label_declared = facts.label_declared;
  }
  options.penalties = {.epochs = workload.local_epochs,
                       .learning_rate = workload.learning_rate,
                       .l2 = workload.l2,
                       .l2_factors = number_option(workload.other, "l2_factors", workload.l2)};
  options.equal_weights = equal_weights(configuration, options.solver == Solver::local);
  options.seed = configuration.federation.seed;
  options.test_rows_per_unit = number_option(workload.other, "test_rows_per_unit", 0);
  options.max_units = configuration.data.max_units;
  options.server = server_options(configuration);
  return std::make_unique<FactorizationMachine>(std::move(options));
}

std::unique_ptr<Workload> make_implicit_factorization(const Configuration& configuration,
                                                      const WorkloadFacts& facts) {
  if (facts.kind != RowKind::customer) {
    throw bad_input(
        "workload.name=implicit-matrix-factorization needs customers and items: set data.format=ratings");
  }
  const Configuration::WorkloadOptions& workload = configuration.workload;
  if (workload.solver != "gradient" && workload.solver != "als") {
    throw bad_input("workload.solver: implicit-matrix-factorization knows als only; got '" + workload.solver +
                    "'");
  }
  ImplicitFactorization::Options options;
  options.items = facts.width;
  options.rank = workload.rank;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.expected_share = expected_share(configuration);
  options.l2 = workload.l2 > 0 ? workload.l2 : options.l2;
  options.exponent = number_option(workload.other, "exponent", options.exponent);
  options.unobserved = number_option(workload.other, "unobserved", options.unobserved);
  options.confidence = number_option(workload.other, "confidence", options.confidence);
  options.init = number_option(workload.other, "init", options.init);
  options.block = count_option(workload.other, "block", options.block);
  options.entries_per_sum = count_option(workload.other, "entries_per_sum", options.entries_per_sum);
  options.items_per_customer = count_option(workload.other, "items_per_customer", options.items_per_customer);
  options.items_kept = count_option(workload.other, "items_kept", options.items_kept);
  options.factor_bound = number_option(workload.other, "factor_bound", options.factor_bound);
  options.customers_per_unit =
      number_option(workload.other, "customers_per_unit", options.customers_per_unit);
  options.seed = configuration.federation.seed;
  auto made = std::make_unique<ImplicitFactorization>(options);
  refuse_turns_of_parts(configuration, made->sums_a_pass());
  return made;
}

/// With the merchants' own part where it is asked for.
std::unique_ptr<Workload> with_own_part(std::unique_ptr<Workload> workload,
                                        const Configuration& configuration, const WorkloadFacts& facts) {
  const Other& other = configuration.workload.other;
  const OwnKind kind = own_kind(configuration);
  if (kind == OwnKind::none) {
    return workload;
  }
  Personalised::Options options;
  options.kind = kind;
  options.l2 = number_option(other, "own_l2", options.l2);
  options.alone_l2 = number_option(other, "alone_l2", options.alone_l2);
  options.width = facts.width;
  options.numeric_label = facts.label == LabelKind::number;
  options.label_low = facts.label_low;
  options.label_high = facts.label_high;
  options.label_declared = facts.label_declared;
  options.unit = configuration.privacy.unit;
  options.test_rows_per_unit = number_option(other, "test_rows_per_unit", 0);
  options.max_units = configuration.data.max_units;
  return std::make_unique<Personalised>(std::move(workload), options);
}

struct Entry {
  const char* name;
  std::unique_ptr<Workload> (*make)(const Configuration&, const WorkloadFacts&);
};
constexpr Entry kCatalogue[] = {
    {"logistic", make_logistic},
    {"linear", make_linear},
    {"matrix-factorization", make_matrix_factorization},
    {"implicit-matrix-factorization", make_implicit_factorization},
    {"factorization-machine", make_factorization_machine},
};

}  // namespace

WorkloadFacts facts_of(const FeatureSpace& space, RowKind kind, const Encoding& encoding,
                       std::uint32_t merchants) {
  return {.kind = kind,
          .space = encoded_space(space, encoding),
          .mean = encoding.mean,
          .deviation = encoding.deviation,
          .width = encoding.width,
          .train_rows = encoding.train_rows,
          .merchants = merchants,
          .rating_low = space.rating_low,
          .rating_high = space.rating_high,
          .label = space.label,
          .label_low = encoding.label_low,
          .label_high = encoding.label_high,
          .label_declared = !std::isnan(space.label_low)};
}

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kCatalogue) {
    names.emplace_back(entry.name);
  }
  return names;
}

std::unique_ptr<Workload> make_workload(const Configuration& configuration, const WorkloadFacts& facts) {
  // Numbers are summed exactly in two parts (common/workloads/two_parts.h), on a grid that 32 bits do not have.
  if (facts.label == LabelKind::number && configuration.privacy.unit == Unit::none &&
      configuration.aggregation.ring == "32") {
    throw bad_input(
        "aggregation.ring=32 has too few digits for a label that is a number without a unit of privacy: "
        "leave it at auto");
  }
  std::string names;
  for (const Entry& entry : kCatalogue) {
    if (configuration.workload.name == entry.name) {
      return with_own_part(entry.make(configuration, facts), configuration, facts);
    }
    names += (names.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw bad_input("workload.name: expected one of " + names + "; got '" + configuration.workload.name + "'");
}

Preparation make_preparation(const Configuration& configuration, const FeatureSpace& space, RowKind kind,
                             std::uint32_t merchants, double noise_multiplier) {
  const Other& other = configuration.workload.other;
  Preparation::Options options;
  options.space = space;
  options.kind = kind;
  options.unit = configuration.privacy.unit;
  options.standardise = configuration.data.standardise;
  options.noise_multiplier = noise_multiplier;
  options.min_contributors = configuration.privacy.min_contributors;
  options.alone = merchants == 1;
  options.kept_at_least = number_option(other, "kept_at_least", 1);
  options.rows_per_unit = number_option(other, "rows_per_unit", 0);
  options.words_per_unit = number_option(other, "words_per_unit", 0);
  options.outlier_limit = read_cleaning(configuration.data.clean).outlier_limit;
  options.max_units = configuration.data.max_units;
  return Preparation(std::move(options));
}

std::vector<PrivateSum> planned_sums(const Workload& workload, std::uint64_t seed, std::uint32_t rounds) {
  std::vector<PrivateSum> sums;
  Model model = workload.initial_model(seed);
  std::uint32_t updates = 0;
  while (const std::optional<PrivateSum> sum = workload.next_sum(model)) {
    updates += sum->purpose == Purpose::update ? 1u : 0u;
    if (updates > rounds) {
      break;
    }
    sums.push_back(*sum);
    ++model.step;
  }
  return sums;
}

}  // namespace hanse
