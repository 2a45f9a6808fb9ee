#include "common/workloads/factorization_machine.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr double kUnclippedNorm =
    4096;                          // Without a unit of privacy, for a record's gradient or a merchant's step.
constexpr double kLossBound = 64;  // Of one record in the training loss, so that its lane is bounded.

ScoreTarget target_of(const FactorizationMachine::Options& options) {
  if (!options.regression) {
    return {};
  }
  return {.loss = ScoreTarget::Loss::squared,
          .middle = options.label_low + (options.label_high - options.label_low) / 2,
          .half_width = (options.label_high - options.label_low) / 2};
}

std::optional<RegressionErrors> errors_of(const FactorizationMachine::Options& options) {
  if (!options.regression) {
    return std::nullopt;
  }
  return RegressionErrors({.low = options.label_low,
                           .high = options.label_high,
                           .declared = options.label_declared,
                           .rows = {options.unit, options.test_rows_per_unit, options.max_units}});
}

double bounded_loss(const ScoreTarget& target, double score, float label) {
  return std::min(target.loss_of(score, label), kLossBound);
}

SparseRow without_intercept(const SparseRow& row) {
  const std::size_t count = row.columns.size() - 1;
  return {row.columns.first(count), row.values.first(count)};
}

/// A table of one model and the sums of a row's score in it.
struct Scorer {
  FactorTable table;
  double bias = 0;
  std::vector<float> sums = std::vector<float>(table.padded_rank());

  double score(const SparseRow& row) { return bias + table.score(without_intercept(row), sums); }
};

}  // namespace

FactorizationMachine::FactorizationMachine(Options options)
    : options_(std::move(options)),
      optimizer_(options_.server),
      histogram_(ScoreHistogram::for_privacy(options_.unit)),
      errors_(errors_of(options_)),
      target_(target_of(options_)) {
  check(options_.width > 0, "a factorization machine has an intercept at least");
  if (options_.rank == 0) {
    throw bad_input("workload.rank: expected at least 1");
  }
  if (!(options_.train_rows >= 1)) {
    throw bad_input("data.path: no training rows were counted, so there is nothing to train on");
  }
  if (options_.solver == Solver::local && options_.unit != Unit::none && options_.unit != Unit::merchant) {
    throw bad_input(
        "workload.solver=local sends one difference a merchant, so privacy.unit must be merchant or none; "
        "for records and customers use workload.solver=gradient");
  }
  if (options_.penalties.epochs == 0) {
    throw bad_input("workload.local_epochs: expected at least 1");
  }
}

Unit FactorizationMachine::natural_unit() const {
  return options_.solver == Solver::local ? Unit::merchant : Unit::record;
}

Model FactorizationMachine::initial_model(std::uint64_t seed) const {
  Model model;
  model.parameters.assign(parameters(), 0.0);
  model.server_state.assign(optimizer_.state_size(parameters()), 0.0);
  SeededGenerator generator{seed, 0x666du};
  const double scale = options_.init / std::sqrt(static_cast<double>(options_.rank));
  for (std::size_t j = 0; j < columns(); ++j) {
    for (std::size_t f = 1; f < block(); ++f) {
      model.parameters[1 + j * block() + f] = scale * generator.normal();
    }
  }
  return model;
}

/// New columns keep the small factors of an initial model.
void FactorizationMachine::start_from(const SavedModel& saved, Model& model) const {
  const std::size_t rank = options_.rank;
  const std::size_t columns = saved.columns.size() - 1;
  std::vector<double> weights = saved.values("weights", columns);
  std::vector<double> factors = saved.values("factors", columns * rank);
  weights.push_back(saved.values("intercept", 1)[0] - target_.middle);
  for (double& weight : weights) {
    weight /= target_.half_width;  // As arrays() has them, in units of the label.
  }
  for (double& factor : factors) {
    factor /= std::sqrt(target_.half_width);
  }
  const CarriedColumns carried(saved, options_.space, options_.mean, options_.deviation);
  const CarriedColumns::Factors now = carried.factors(weights, factors, rank);
  model.parameters[0] = now.weights.back();
  for (std::size_t j = 0; j < this->columns(); ++j) {
    const std::size_t first = 1 + j * block();
    model.parameters[first] = now.weights[j];
    if (carried.origin(j)) {
      std::copy_n(now.factors.begin() + static_cast<std::ptrdiff_t>(j * rank), rank,
                  model.parameters.begin() + static_cast<std::ptrdiff_t>(first + 1));
    }
  }
}

std::optional<PrivateSum> FactorizationMachine::next_sum(const Model&) const {
  PrivateSum sum;
  sum.name = options_.solver == Solver::local ? "local steps" : "gradient";
  sum.purpose = Purpose::update;
  sum.length = parameters() + (lanes() ? 2u : 0u);
  sum.clip_norm = options_.clip > 0 ? options_.clip : lanes() ? kUnclippedNorm : 1.0;
  return sum;
}

std::optional<PrivateSum> FactorizationMachine::evaluation_sum(const Model&) const {
  return errors_ ? errors_->sum()
                 : histogram_.sum({options_.unit, options_.test_rows_per_unit, options_.max_units},
                                  natural_unit());
}

std::span<const double> FactorizationMachine::column(const Model& model, std::size_t j) const {
  return std::span(model.parameters).subspan(1 + j * block(), block());
}

FactorTable FactorizationMachine::table_of(const Model& model) const {
  FactorTable table(columns(), options_.rank);
  for (std::size_t j = 0; j < columns(); ++j) {
    table.set(j, column(model, j));
  }
  return table;
}

Contributor FactorizationMachine::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == parameters(), "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return errors_ ? errors_->contributor(scorer(model)) : histogram_.contributor(scorer(model));
  }
  return options_.solver == Solver::local ? local_contributor(model) : gradient_contributor(model);
}

Contributor FactorizationMachine::gradient_contributor(const Model& model) const {
  struct Scratch {
    Scorer scorer;
    ContributionAccumulator sums;
  };
  const auto scratch = std::make_shared<Scratch>(
      Scratch{{table_of(model), model.parameters[0]}, ContributionAccumulator(1, columns(), block())});
  return [scratch, target = target_, with_loss = lanes(), end = parameters()](const UnitRows& unit,
                                                                              Contribution& out) {
    const Rows& rows = unit.train;
    if (rows.empty()) {
      return;
    }
    Scorer& scorer = scratch->scorer;
    double loss = 0;
    double bias = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const SparseRow row = without_intercept(rows.row(i));
      const double score = scorer.bias + scorer.table.score(row, scorer.sums);
      const double residual = target.residual(score, rows.label(i));
      bias += residual;
      for (std::size_t e = 0; e < row.columns.size(); ++e) {
        scorer.table.add_gradient(row.columns[e], row.values[e], residual, scorer.sums,
                                  scratch->sums.block(row.columns[e]));
      }
      loss += with_loss ? bounded_loss(target, score, rows.label(i)) : 0;
    }
    out.add(0, bias);
    scratch->sums.flush(out);
    if (with_loss) {
      const double entries[] = {loss, static_cast<double>(rows.size())};
      out.add_block(end, entries);
    }
  };
}

Contributor FactorizationMachine::local_contributor(const Model& model) const {
  struct Scratch {
    Scorer local;
    ContributionAccumulator differences;
    std::vector<std::uint32_t> order;
    std::vector<std::uint32_t> columns;  ///< That the merchant's rows have.
    std::vector<bool> met;
  };
  const auto scratch = std::make_shared<Scratch>(Scratch{{table_of(model), model.parameters[0]},
                                                         ContributionAccumulator(1, columns(), block()),
                                                         {},
                                                         {},
                                                         std::vector<bool>(columns(), false)});
  return [this, &model, scratch](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    if (rows.empty()) {
      return;
    }
    Scorer& local = scratch->local;
    double loss = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const SparseRow row = rows.row(i);
      if (lanes()) {
        loss += bounded_loss(target_, local.score(row), rows.label(i));
      }
      for (const std::uint32_t j : without_intercept(row).columns) {
        if (!scratch->met[j]) {
          scratch->met[j] = true;
          scratch->columns.push_back(j);
        }
      }
    }

    std::vector<std::uint32_t>& order = scratch->order;
    order.resize(rows.size());
    std::iota(order.begin(), order.end(), 0u);
    SeededGenerator generator{options_.seed, model.step, unit.merchant};
    double bias_memory = FactorTable::kFirstMemory;
    for (std::uint32_t epoch = 0; epoch < options_.penalties.epochs; ++epoch) {
      shuffle(std::span(order), generator);
      local.table.descend(rows, order, target_, options_.penalties, local.bias, bias_memory);
    }

    // What the merchant has moved, and the table as it was for the next merchant.
    const double count = static_cast<double>(rows.size());
    const double weight = options_.equal_weights ? 1.0 : count * options_.merchants / options_.train_rows;
    out.add(0, weight * (local.bias - model.parameters[0]));
    local.bias = model.parameters[0];
    const auto moved = [weight](float here, double there) {
      return weight * (static_cast<double>(here) - static_cast<double>(static_cast<float>(there)));
    };
    for (const std::uint32_t j : scratch->columns) {
      const std::span<const double> global = column(model, j);
      const std::span<double> difference = scratch->differences.block(j);
      difference[0] = moved(local.table.weight(j), global[0]);
      for (std::size_t f = 1; f < global.size(); ++f) {
        difference[f] = moved(local.table.factors(j)[f - 1], global[f]);
      }
      local.table.set(j, global);
      scratch->met[j] = false;
    }
    scratch->columns.clear();
    scratch->differences.flush(out);
    if (lanes()) {
      const double entries[] = {weight * loss / count, weight};
      out.add_block(parameters(), entries);
    }
  };
}

Metrics FactorizationMachine::apply(Model& model, const PrivateSum& sum,
                                    std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  if (sum.purpose == Purpose::evaluation) {
    if (errors_) {
      return errors_->metrics(total);
    }
    Metrics metrics = histogram_.metrics(total);
    metrics.merge(histogram_.further_metrics(total));
    return metrics;
  }
  const bool local = options_.solver == Solver::local;
  const double expected = local ? static_cast<double>(options_.merchants) : options_.train_rows;
  const double divisor = lanes() ? total[parameters() + 1] : expected * options_.expected_share;
  ++model.step;
  if (!(divisor > 0)) {
    return {};  // Nobody took part.
  }
  std::vector<double> gradient(total.begin(), total.begin() + static_cast<std::ptrdiff_t>(parameters()));
  for (double& entry : gradient) {
    entry /= local ? -divisor : divisor;
  }
  for (std::size_t i = 1; !local && i < gradient.size(); ++i) {
    const bool is_weight = (i - 1) % block() == 0;
    gradient[i] += (is_weight ? options_.penalties.l2 : options_.penalties.l2_factors) * model.parameters[i];
  }
  optimizer_.apply(model.step, gradient, model.parameters, model.server_state);
  if (lanes()) {
    // Of numbers the mean square of errors, in units of the label.
    const double unit = options_.regression ? 2 * target_.half_width * target_.half_width : 1;
    return {{"train_loss", unit * total[parameters()] / divisor}};
  }
  return {};
}

RowScorer FactorizationMachine::scorer(const Model& model) const {
  const auto scorer = std::make_shared<Scorer>(Scorer{table_of(model), model.parameters[0]});
  return [scorer, target = target_](const SparseRow& row) {
    return target.middle + target.half_width * scorer->score(row);
  };
}

std::vector<NamedArray> FactorizationMachine::arrays(const Model& model) const {
  const double scale = target_.half_width;  // A product of two factors has the scale of a weight.
  const double root = std::sqrt(scale);
  NamedArray weights{.name = "weights", .shape = {columns()}, .values = {}};
  NamedArray factors{.name = "factors", .shape = {columns(), options_.rank}, .values = {}};
  for (std::size_t j = 0; j < columns(); ++j) {
    const std::span<const double> own = column(model, j);
    weights.values.push_back(scale * own[0]);
    for (const double factor : own.subspan(1)) {
      factors.values.push_back(root * factor);
    }
  }
  const double intercept = target_.middle + scale * model.parameters[0];
  return {std::move(weights), std::move(factors), {.name = "intercept", .shape = {1}, .values = {intercept}}};
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
  options.space = facts.space;
  options.mean = facts.mean;
  options.deviation = facts.deviation;
  return std::make_unique<FactorizationMachine>(std::move(options));
}

}  // namespace hanse
