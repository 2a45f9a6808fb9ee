#include "common/workloads/logistic_regression.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/local_sgd.h"

namespace hanse {
namespace {

constexpr std::size_t kFineBins = 4096;  // Without noise: ties within a bin cost the AUC less than 1e-4.
constexpr std::size_t kCoarseBins =
    16;  // With noise: each bin costs a noise term, and ties 0.005 of the AUC.
constexpr double kUnclippedNorm = 1024;  // Without a unit of privacy, for one record's gradient.
constexpr double kUnclippedStep = 4096;  // Likewise for one merchant's weighted difference.
constexpr double kLossBound = 64;        // Of one record in the training loss, so that its lane is bounded.

double bounded_loss(double logit, double label) {
  return std::min(logistic_loss(logit, label), kLossBound);
}

}  // namespace

LogisticRegression::LogisticRegression(Options options)
    : options_(std::move(options)),
      optimizer_(options_.server),
      histogram_(options_.unit == Unit::none ? kFineBins : kCoarseBins) {
  check(options_.width > 0, "logistic regression has an intercept at least");
  if (!(options_.train_rows >= 1)) {
    throw bad_input("data.path: no training rows were counted, so there is nothing to train on");
  }
  if (options_.solver == Solver::local && options_.unit != Unit::none && options_.unit != Unit::merchant) {
    throw bad_input(
        "workload.solver=local sends one difference a merchant, so privacy.unit must be merchant or none; "
        "for records and customers use workload.solver=gradient");
  }
  if (options_.batch == 0 || options_.local_epochs == 0) {
    throw bad_input("workload.batch and workload.local_epochs: expected at least 1");
  }
}

Unit LogisticRegression::natural_unit() const {
  return options_.solver == Solver::local ? Unit::merchant : Unit::record;
}

Model LogisticRegression::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(options_.width, 0.0);
  model.server_state.assign(optimizer_.state_size(options_.width), 0.0);
  return model;
}

std::optional<PrivateSum> LogisticRegression::next_sum(const Model&) const {
  const bool local = options_.solver == Solver::local;
  const double unclipped = local ? kUnclippedStep : kUnclippedNorm;
  PrivateSum sum;
  sum.name = local ? "local steps" : "gradient";
  sum.purpose = Purpose::update;
  sum.length = options_.width + (lanes() ? 2u : 0u);
  sum.clip_norm = options_.clip > 0 ? options_.clip : lanes() ? unclipped : 1.0;
  return sum;
}

std::optional<PrivateSum> LogisticRegression::evaluation_sum(const Model&) const {
  PrivateSum sum;
  sum.name = "test scores";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = histogram_.length();
  const Unit unit = options_.unit == Unit::none ? natural_unit() : options_.unit;
  double rows = options_.test_rows_per_unit;
  if (lanes()) {
    rows = unit == Unit::merchant ? static_cast<double>(options_.max_units) : 1;
  } else if (rows <= 0) {
    rows = unit == Unit::record ? 1 : is_customer(unit) ? 8 : 256;
  }
  const double norm = rows * ScoreHistogram::record_norm();
  sum.clip_norm = lanes() ? power_of_two_above(norm) : norm;
  return sum;
}

Contributor LogisticRegression::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == options_.width, "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return score_contributor(model);
  }
  return options_.solver == Solver::local ? local_contributor(model) : gradient_contributor(model);
}

Contributor LogisticRegression::gradient_contributor(const Model& model) const {
  const bool with_loss = lanes();
  const std::size_t width = options_.width;
  const auto sums = std::make_shared<ContributionAccumulator>(0, width, 1);
  return [&weights = model.parameters, sums, with_loss, width](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    double loss = 0;
    if (rows.size() == 1) {
      const SparseRow row = rows.row(0);
      const double label = static_cast<double>(rows.label(0));
      const auto [logit, norm] = dot_and_norm(row, weights);
      out.set_scaled_row(sigmoid(logit) - label, row, norm);
      loss = with_loss ? bounded_loss(logit, label) : 0;
    } else {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const SparseRow row = rows.row(i);
        const double label = static_cast<double>(rows.label(i));
        const double logit = dot(row, weights);
        const double residual = sigmoid(logit) - label;
        for (std::size_t entry = 0; entry < row.columns.size(); ++entry) {
          (*sums)[row.columns[entry]] += residual * static_cast<double>(row.values[entry]);
        }
        loss += with_loss ? bounded_loss(logit, label) : 0;
      }
      sums->flush(out);
    }
    if (with_loss && !rows.empty()) {
      const double entries[] = {loss, static_cast<double>(rows.size())};
      out.add_block(width, entries);
    }
  };
}

Contributor LogisticRegression::local_contributor(const Model& model) const {
  struct Scratch {
    std::vector<double> weights;
    std::vector<std::uint32_t> order;
  };
  const auto scratch = std::make_shared<Scratch>();
  return [this, &model, scratch](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    if (rows.empty()) {
      return;
    }
    double loss = 0;
    for (std::size_t i = 0; lanes() && i < rows.size(); ++i) {
      loss += bounded_loss(dot(rows.row(i), model.parameters), static_cast<double>(rows.label(i)));
    }
    const double count = static_cast<double>(rows.size());
    const double weight = options_.equal_weights ? 1.0 : count * options_.merchants / options_.train_rows;

    scratch->weights = model.parameters;
    const LocalSgd sgd{.epochs = options_.local_epochs,
                       .batch = options_.batch,
                       .learning_rate = options_.learning_rate,
                       .l2 = options_.l2};
    run_local_sgd(sgd, rows, SeededGenerator{options_.seed, model.step, unit.merchant}, scratch->weights,
                  scratch->order);
    for (std::size_t i = 0; i < scratch->weights.size(); ++i) {
      scratch->weights[i] = weight * (scratch->weights[i] - model.parameters[i]);
    }
    out.add_block(0, scratch->weights);
    if (lanes()) {
      const double entries[] = {weight * loss / count, weight};
      out.add_block(options_.width, entries);
    }
  };
}

Contributor LogisticRegression::score_contributor(const Model& model) const {
  const auto sums = std::make_shared<ContributionAccumulator>(0, histogram_.length(), 1);
  return
      [&weights = model.parameters, histogram = histogram_, sums](const UnitRows& unit, Contribution& out) {
        const Rows& rows = unit.test;
        if (rows.size() == 1) {
          const double label = static_cast<double>(rows.label(0));
          const double logit = dot(rows.row(0), weights);
          out.add(histogram.index_of(logit, label), 1.0);
          out.add(histogram.loss_index(), ScoreHistogram::loss_entry(logit, label));
          return;
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const double label = static_cast<double>(rows.label(i));
          const double logit = dot(rows.row(i), weights);
          (*sums)[histogram.index_of(logit, label)] += 1.0;
          (*sums)[histogram.loss_index()] += ScoreHistogram::loss_entry(logit, label);
        }
        sums->flush(out);
      };
}

Metrics LogisticRegression::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  if (sum.purpose == Purpose::evaluation) {
    return histogram_.metrics(total);
  }
  const std::size_t width = options_.width;
  const bool local = options_.solver == Solver::local;
  const double expected = (local ? static_cast<double>(options_.merchants) : options_.train_rows);
  const double divisor = lanes() ? total[width + 1] : expected * options_.expected_share;
  ++model.step;
  if (!(divisor > 0)) {
    return {};  // Nobody took part.
  }
  std::vector<double> gradient(total.begin(), total.begin() + static_cast<std::ptrdiff_t>(width));
  for (double& entry : gradient) {
    entry /= local ? -divisor : divisor;
  }
  if (!local) {
    for (std::size_t i = 0; i + 1 < width; ++i) {
      gradient[i] += options_.l2 * model.parameters[i];
    }
  }
  optimizer_.apply(model.step, gradient, model.parameters, model.server_state);
  if (lanes()) {
    return {{"train_loss", total[width] / divisor}};
  }
  return {};
}

std::vector<NamedArray> LogisticRegression::arrays(const Model& model) const {
  const auto intercept = model.parameters.end() - 1;
  return {
      {.name = "weights", .shape = {options_.width - 1u}, .values = {model.parameters.begin(), intercept}},
      {.name = "intercept", .shape = {1}, .values = {*intercept}}};
}

}  // namespace hanse
