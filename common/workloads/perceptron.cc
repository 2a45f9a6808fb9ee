#include "common/workloads/perceptron.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/workloads/local_sgd.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr double kLossBound = 64;  // Of one record in the training loss, so that its lane is bounded.
constexpr std::size_t kParametersMax = 1u << 26;
constexpr std::uint64_t kDropout =
    0x64726F706F7574;  // "dropout": keeps its numbers apart from the order of rows.

GradientRounds::Options with_layout(GradientRounds::Options rounds, const PerceptronLayers& layers) {
  if (layers.parameters() > kParametersMax) {
    throw bad_input("workload.hidden: so many units have " + std::to_string(layers.parameters()) +
                    " weights, and at most " + std::to_string(kParametersMax) + " are possible");
  }
  rounds.parameters = layers.parameters();
  rounds.penalised.clear();
  for (std::size_t layer = 0; layer < layers.layers(); ++layer) {
    rounds.penalised.emplace_back(layers.begin(layer), layers.begin(layer + 1) - layers.outputs(layer));
  }
  rounds.unclipped = 16384;
  return rounds;
}

/// "128, 64". The table of keys lets counts through only.
std::vector<std::size_t> hidden_option(const OtherOptions& other) {
  std::vector<std::size_t> hidden;
  const auto found = other.find("hidden");
  const std::string text = found == other.end() ? "128" : found->second;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const long count = std::strtol(text.substr(begin, end - begin).c_str(), nullptr, 10);
    if (count < 1) {
      throw bad_input("workload.hidden: expected counts of units, for instance 128 or 128, 64; got '" + text +
                      "'");
    }
    hidden.push_back(static_cast<std::size_t>(count));
    begin = end + 1;
  }
  return hidden;
}

}  // namespace

Perceptron::Perceptron(Options options)
    : options_(std::move(options)),
      layers_(options_.width, options_.hidden, options_.classes.size()),
      rounds_(with_layout(options_.rounds, layers_)),
      confusion_(options_.classes, {options_.rounds.unit, options_.test_rows_per_unit, options_.max_units}) {
  if (!(options_.dropout >= 0 && options_.dropout < 1)) {
    throw bad_input("workload.dropout: expected a probability below 1");
  }
  if (options_.dropout > 0 && !rounds_.options().local) {
    throw bad_input("workload.dropout leaves out units in local epochs: set workload.solver=local");
  }
}

Model Perceptron::initial_model(std::uint64_t seed) const {
  Model model;
  model.parameters = layers_.initial(SeededGenerator{seed, 0x7065726365707472});
  model.server_state.assign(rounds_.state_size(), 0.0);
  return model;
}

std::optional<PrivateSum> Perceptron::next_sum(const Model&) const {
  PrivateSum sum = rounds_.sum();
  sum.without_privacy = Unit::merchant;
  return sum;
}

std::optional<PrivateSum> Perceptron::evaluation_sum(const Model&) const {
  return confusion_.sum();
}

Contributor Perceptron::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == layers_.parameters(), "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return confusion_.contributor(class_scorer(model));
  }
  return rounds_.options().local ? local_contributor(model) : gradient_contributor(model);
}

Contributor Perceptron::gradient_contributor(const Model& model) const {
  struct Scratch {
    PerceptronLayers::Pass pass;
    std::vector<double> gradient;
    std::vector<double> line;
  };
  const auto scratch = std::make_shared<Scratch>(Scratch{layers_.pass(), {}, {}});
  const double scale = rounds_.lanes() ? 1 / options_.rounds.train_rows : 1;
  return [this, scratch, scale, &weights = model.parameters](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    if (rows.empty()) {
      return;
    }
    const bool one = rows.size() == 1;
    const std::size_t first = layers_.first_layer();
    PerceptronLayers::Pass& pass = scratch->pass;
    scratch->gradient.assign(one ? layers_.parameters() - first : layers_.parameters(), 0.0);
    double loss = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      layers_.forward(rows.row(i), weights, pass);
      loss += std::min(layers_.backward(static_cast<std::size_t>(rows.label(i)), weights, pass), kLossBound);
      if (!one) {
        layers_.add_gradient(rows.row(i), pass, scale, scratch->gradient);
      }
    }
    if (one) {  // It touches the lines of its columns.
      const SparseRow row = rows.row(0);
      for (std::size_t e = 0; e < row.columns.size(); ++e) {
        scratch->line = pass.deltas[0];
        for (double& entry : scratch->line) {
          entry *= scale * static_cast<double>(row.values[e]);
        }
        out.add_block(row.columns[e] * scratch->line.size(), scratch->line);
      }
      layers_.add_upper_gradient(pass, scale, scratch->gradient);
      out.add_block(first, scratch->gradient);
    } else {
      out.add_block(0, scratch->gradient);
    }
    rounds_.write_lanes(scale * loss, scale * static_cast<double>(rows.size()), out);
  };
}

Contributor Perceptron::local_contributor(const Model& model) const {
  struct Scratch {
    std::vector<PerceptronLayers::Pass> passes;  // Of the rows of a batch.
    std::vector<double> weights;
    std::vector<std::uint32_t> order;
  };
  const auto scratch = std::make_shared<Scratch>();
  return [this, scratch, &model](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    if (rows.empty()) {
      return;
    }
    const GradientRounds::Options& rounds = rounds_.options();
    const LocalEpochs& epochs = rounds.epochs;
    const std::vector<double>& here = model.parameters;
    std::vector<double>& weights = scratch->weights;
    weights = here;
    scratch->passes.resize(std::min<std::size_t>(epochs.batch, rows.size()), layers_.pass());

    double loss = 0;
    for (std::size_t i = 0; rounds_.lanes() && i < rows.size(); ++i) {
      layers_.forward(rows.row(i), here, scratch->passes[0]);
      loss += std::min(layers_.backward(static_cast<std::size_t>(rows.label(i)), here, scratch->passes[0]),
                       kLossBound);
    }
    const double pull = epochs.learning_rate * epochs.proximal_mu;
    const double decay = epochs.learning_rate * rounds.l2;
    SeededGenerator dropout{rounds.seed, model.step, unit.merchant, kDropout};
    const auto step = [&](std::span<const std::uint32_t> batch) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        PerceptronLayers::Pass& pass = scratch->passes[i];
        layers_.forward(rows.row(batch[i]), weights, pass, options_.dropout, &dropout);
        layers_.backward(static_cast<std::size_t>(rows.label(batch[i])), weights, pass);
      }
      for (std::size_t i = 0; pull > 0 && i < weights.size(); ++i) {
        weights[i] += pull * (here[i] - weights[i]);
      }
      for (const auto& [begin, end] : rounds.penalised) {
        for (std::size_t i = begin; decay > 0 && i < end; ++i) {
          weights[i] *= 1 - decay;
        }
      }
      for (std::size_t i = 0; i < batch.size(); ++i) {
        layers_.add_gradient(rows.row(batch[i]), scratch->passes[i],
                             -epochs.learning_rate / static_cast<double>(batch.size()), weights);
      }
    };
    for_each_batch(rows.size(), epochs.epochs, epochs.batch, epochs.shuffle,
                   SeededGenerator{rounds.seed, model.step, unit.merchant}, scratch->order, step);

    rounds_.write_difference(weights, here, loss, rows.size(), out);
  };
}

Metrics Perceptron::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  return sum.purpose == Purpose::evaluation ? confusion_.metrics(total) : rounds_.apply(model, total);
}

ClassScorer Perceptron::class_scorer(const Model& model) const {
  const auto pass = std::make_shared<PerceptronLayers::Pass>(layers_.pass());
  return [this, pass, &weights = model.parameters](const SparseRow& row, std::span<double> probabilities) {
    layers_.forward(row, weights, *pass);
    std::copy(pass->outputs.back().begin(), pass->outputs.back().end(), probabilities.begin());
  };
}

std::vector<NamedArray> Perceptron::arrays(const Model& model) const {
  std::vector<NamedArray> arrays;
  for (std::size_t layer = 0; layer < layers_.layers(); ++layer) {
    const auto begin = model.parameters.begin();
    arrays.push_back({.name = "layer_" + std::to_string(layer + 1),
                      .shape = {layers_.inputs(layer), layers_.outputs(layer)},
                      .values = {begin + static_cast<std::ptrdiff_t>(layers_.begin(layer)),
                                 begin + static_cast<std::ptrdiff_t>(layers_.begin(layer + 1))}});
  }
  return arrays;
}

Insights Perceptron::evaluation_insights(const PrivateSum&, std::span<const double> total,
                                         double noise) const {
  return confusion_.insights(total, noise);
}

std::unique_ptr<Workload> make_perceptron(const Configuration& configuration, const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::one_of_many});
  const OtherOptions& other = configuration.workload.other;
  Perceptron::Options options;
  options.classes = facts.space.classes;
  options.width = facts.width;
  options.hidden = hidden_option(other);
  options.dropout = number_option(other, "dropout", 0);
  options.rounds = gradient_rounds_options(configuration, facts);
  options.test_rows_per_unit = number_option(other, "test_rows_per_unit", 0);
  options.max_units = configuration.data.max_units;
  return std::make_unique<Perceptron>(std::move(options));
}

}  // namespace hanse
