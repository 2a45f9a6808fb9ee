#include "common/workloads/softmax_regression.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/row_table.h"
#include "common/numerics/softmax.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/local_sgd.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr double kLossBound = 64;  // Of one record in the training loss, so that its lane is bounded.
constexpr std::size_t kParametersMax = 1u << 26;
constexpr std::size_t kTellingColumns = 5;  // Shown for each class.

/// Makes logits residuals p - e_y; the record's log-loss.
double residuals_of(std::span<double> logits, float label) {
  const auto truth = static_cast<std::size_t>(label);
  check(truth < logits.size(), "a label is one of the classes");
  const double own = logits[truth];
  const double loss = softmax(logits) - own;
  logits[truth] -= 1;
  return std::min(loss, kLossBound);
}

GradientRounds::Options with_layout(GradientRounds::Options rounds, std::size_t columns,
                                    std::size_t classes) {
  check(columns > 0 && classes > 0, "softmax regression has an intercept and a class at least");
  if (columns * classes > kParametersMax) {
    throw bad_input("workload.name=softmax has a weight for each column and class, and " +
                    std::to_string(columns) + " columns for " + std::to_string(classes) +
                    " classes are too many: hash words into fewer buckets");
  }
  rounds.parameters = columns * classes;
  rounds.penalised = {{0, (columns - 1) * classes}};
  rounds.unclipped = rounds.local ? 16384 : 4096;
  return rounds;
}

}  // namespace

SoftmaxRegression::SoftmaxRegression(Options options)
    : options_(std::move(options)),
      rounds_(with_layout(options_.rounds, options_.columns.size(), options_.classes.size())),
      confusion_(options_.classes, {options_.rounds.unit, options_.test_rows_per_unit, options_.max_units}) {}

Model SoftmaxRegression::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(rounds_.options().parameters, 0.0);
  model.server_state.assign(rounds_.state_size(), 0.0);
  return model;
}

std::optional<PrivateSum> SoftmaxRegression::next_sum(const Model&) const {
  return rounds_.sum();
}

std::optional<PrivateSum> SoftmaxRegression::evaluation_sum(const Model&) const {
  return confusion_.sum();
}

Contributor SoftmaxRegression::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == rounds_.options().parameters, "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return confusion_.contributor(class_scorer(model));
  }
  return rounds_.options().local ? local_contributor(model) : gradient_contributor(model);
}

Contributor SoftmaxRegression::gradient_contributor(const Model& model) const {
  struct Scratch {
    ContributionAccumulator lines;
    std::vector<double> residuals;
    std::vector<double> line;
  };
  const auto scratch = std::make_shared<Scratch>(Scratch{{0, options_.columns.size(), classes()},
                                                         std::vector<double>(classes()),
                                                         std::vector<double>(classes())});
  return [this, scratch, &weights = model.parameters](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    if (rows.empty()) {
      return;
    }
    double loss = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const SparseRow row = rows.row(i);
      multiply_row(row, weights, scratch->residuals);
      loss += residuals_of(scratch->residuals, rows.label(i));
      for (std::size_t e = 0; e < row.columns.size(); ++e) {
        const double x = static_cast<double>(row.values[e]);
        if (rows.size() > 1) {
          add_scaled(scratch->residuals, x, scratch->lines.block(row.columns[e]));
          continue;
        }
        for (std::size_t k = 0; k < scratch->line.size(); ++k) {
          scratch->line[k] = x * scratch->residuals[k];
        }
        out.add_block(std::size_t{row.columns[e]} * scratch->line.size(), scratch->line);
      }
    }
    scratch->lines.flush(out);
    rounds_.write_lanes(loss, static_cast<double>(rows.size()), out);
  };
}

Contributor SoftmaxRegression::local_contributor(const Model& model) const {
  struct Scratch {
    std::vector<double> weights;
    std::vector<double> residuals;  // Of the rows of a batch.
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
    const std::size_t width = classes();
    std::vector<double>& weights = scratch->weights;
    weights = here;
    scratch->residuals.resize(width * std::min<std::size_t>(epochs.batch, rows.size()));
    const auto residuals = [&](std::size_t i) {
      return std::span(scratch->residuals).subspan(i * width, width);
    };

    double loss = 0;
    for (std::size_t i = 0; rounds_.lanes() && i < rows.size(); ++i) {
      multiply_row(rows.row(i), here, residuals(0));
      loss += residuals_of(residuals(0), rows.label(i));
    }
    const double pull = epochs.learning_rate * epochs.proximal_mu;
    const double keep = 1 - epochs.learning_rate * rounds.l2 - pull;
    const std::size_t penalised = weights.size() - width;
    const auto step = [&](std::span<const std::uint32_t> batch) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        multiply_row(rows.row(batch[i]), weights, residuals(i));
        residuals_of(residuals(i), rows.label(batch[i]));
      }
      for (std::size_t i = 0; keep != 1 && i < weights.size(); ++i) {
        weights[i] = (i < penalised ? keep : 1 - pull) * weights[i] + pull * here[i];
      }
      const double rate = epochs.learning_rate / static_cast<double>(batch.size());
      for (std::size_t i = 0; i < batch.size(); ++i) {
        add_outer(rows.row(batch[i]), -rate, residuals(i), weights);
      }
    };
    for_each_batch(rows.size(), epochs.epochs, epochs.batch, epochs.shuffle,
                   SeededGenerator{rounds.seed, model.step, unit.merchant}, scratch->order, step);

    rounds_.write_difference(weights, here, loss, rows.size(), out);
  };
}

Metrics SoftmaxRegression::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  return sum.purpose == Purpose::evaluation ? confusion_.metrics(total) : rounds_.apply(model, total);
}

ClassScorer SoftmaxRegression::class_scorer(const Model& model) const {
  return [&weights = model.parameters](const SparseRow& row, std::span<double> probabilities) {
    multiply_row(row, weights, probabilities);
    softmax(probabilities);
  };
}

std::vector<NamedArray> SoftmaxRegression::arrays(const Model& model) const {
  const auto intercepts = model.parameters.end() - static_cast<std::ptrdiff_t>(classes());
  return {{.name = "weights",
           .shape = {options_.columns.size() - 1, classes()},
           .values = {model.parameters.begin(), intercepts}},
          {.name = "intercepts", .shape = {classes()}, .values = {intercepts, model.parameters.end()}}};
}

Insights SoftmaxRegression::insights(const Model& model) const {
  const std::size_t columns = options_.columns.size() - 1;
  // Nobody knows which words are in a bucket, and the classes have the same weights but for a common shift.
  std::vector<std::size_t> named;
  for (std::size_t j = 0; j < columns; ++j) {
    if (options_.columns[j].find('#') == std::string::npos && !options_.columns[j].ends_with("=other")) {
      named.push_back(j);
    }
  }
  Insights insights;
  if (named.empty()) {
    return insights;
  }
  InsightTable table{.name = "telling_columns",
                     .title = "What speaks most for each class",
                     .columns = {"class", "column", "weight above the mean of all classes"},
                     .rows = {}};
  std::vector<double> means(columns, 0.0);
  for (const std::size_t j : named) {
    const auto line = model.parameters.begin() + static_cast<std::ptrdiff_t>(j * classes());
    means[j] = std::accumulate(line, line + static_cast<std::ptrdiff_t>(classes()), 0.0) /
               static_cast<double>(classes());
  }
  for (std::size_t k = 0; k < classes(); ++k) {
    const auto above = [&](std::size_t j) { return model.parameters[j * classes() + k] - means[j]; };
    std::vector<std::size_t> order = named;
    const std::size_t shown = std::min(kTellingColumns, order.size());
    std::partial_sort(
        order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
        [&](std::size_t a, std::size_t b) { return above(a) != above(b) ? above(a) > above(b) : a < b; });
    for (std::size_t i = 0; i < shown && above(order[i]) > 0; ++i) {
      table.rows.push_back({options_.classes[k], options_.columns[order[i]], above(order[i])});
    }
  }
  insights.tables.push_back(std::move(table));
  return insights;
}

Insights SoftmaxRegression::evaluation_insights(const PrivateSum&, std::span<const double> total,
                                                double noise) const {
  return confusion_.insights(total, noise);
}

std::unique_ptr<Workload> make_softmax_regression(const Configuration& configuration,
                                                  const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::one_of_many});
  SoftmaxRegression::Options options;
  options.classes = facts.space.classes;
  options.columns = facts.space.names;
  options.rounds = gradient_rounds_options(configuration, facts);
  options.test_rows_per_unit = number_option(configuration.workload.other, "test_rows_per_unit", 0);
  options.max_units = configuration.data.max_units;
  return std::make_unique<SoftmaxRegression>(std::move(options));
}

}  // namespace hanse
