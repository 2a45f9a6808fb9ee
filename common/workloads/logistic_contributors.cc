// What a unit contributes to the sums of logistic regression.

#include <algorithm>
#include <cmath>
#include <memory>

#include "common/base/failure.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/local_sgd.h"
#include "common/workloads/logistic_regression.h"
#include "common/workloads/logistic_sums.h"
#include "common/workloads/two_parts.h"

namespace hanse {
namespace {

constexpr double kLossBound = 64;  // Of one record in the training loss, so that its lane is bounded.

/// The order that Contribution wants, and nothing for rows of a triangle that no row of the data touched.
void add_touched_lines(std::size_t first, std::span<const double> lower, std::size_t order,
                       Contribution& out) {
  for (std::size_t i = 0; i < order; ++i) {
    const std::span<const double> line = lower.subspan(triangle_size(i), i + 1);
    if (std::any_of(line.begin(), line.end(), [](double entry) { return entry != 0; })) {
      out.add_block(first + triangle_size(i), line);
    }
  }
}

}  // namespace

Contributor LogisticRegression::gradient_contributor(const Model& model) const {
  struct Scratch {
    ContributionAccumulator touched;
    std::vector<double> dense;
  };
  const std::size_t width = options_.width;
  const auto scratch = std::make_shared<Scratch>(Scratch{{0, width, 1}, std::vector<double>(width)});
  const LogisticSums sums{.positive_weight = options_.positive_weight, .with_loss = lanes()};
  return [&weights = model.parameters, scratch, width, sums](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    double loss = 0;
    if (rows.size() == 1) {
      const SparseRow row = rows.row(0);
      const auto [logit, norm] = dot_and_norm(row, weights);
      const LogisticSums::Row terms = sums.of_row(logit, static_cast<double>(rows.label(0)));
      out.set_scaled_row(terms.residual, row, norm);
      loss = std::min(terms.loss, kLossBound);
    } else if (!rows.empty() && rows.size() * rows.row(0).columns.size() >= width) {
      std::fill(scratch->dense.begin(), scratch->dense.end(), 0.0);
      loss = sums.add(rows, weights, scratch->dense);
      out.add_block(0, scratch->dense);
    } else {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const SparseRow row = rows.row(i);
        const LogisticSums::Row terms = sums.of_row(dot(row, weights), static_cast<double>(rows.label(i)));
        for (std::size_t entry = 0; entry < row.columns.size(); ++entry) {
          scratch->touched[row.columns[entry]] += terms.residual * static_cast<double>(row.values[entry]);
        }
        loss += std::min(terms.loss, kLossBound);
      }
      scratch->touched.flush(out);
    }
    if (sums.with_loss && !rows.empty()) {
      const double entries[] = {loss, static_cast<double>(rows.size())};
      out.add_block(width, entries);
    }
  };
}

Contributor LogisticRegression::local_contributor(const Model& model) const {
  struct Scratch {
    std::vector<double> weights;
    std::vector<double> gradient;
    std::vector<double> correction;
    std::vector<std::uint32_t> order;
  };
  const auto scratch = std::make_shared<Scratch>();
  return [this, &model, scratch](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    if (rows.empty()) {
      return;
    }
    const std::size_t width = options_.width;
    const std::span<const double> here = std::span(model.parameters).first(width);
    const double count = static_cast<double>(rows.size());
    const double weight = options_.equal_weights ? 1.0 : count * options_.merchants / options_.train_rows;

    double loss = 0;
    const LogisticSums sums{.positive_weight = options_.positive_weight, .with_loss = lanes()};
    if (options_.scaffold) {
      scratch->gradient.assign(width, 0.0);
      loss = sums.add(rows, here, scratch->gradient);
    } else if (lanes()) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        loss += sums.of_row(dot(rows.row(i), here), static_cast<double>(rows.label(i))).loss;
      }
    }
    scratch->correction.clear();
    if (options_.scaffold && model.parameters.back() > 0) {  // c is known, of the model before this one.
      const LogisticSums gradient_only{.positive_weight = options_.positive_weight, .with_loss = false};
      scratch->correction.assign(width, 0.0);
      gradient_only.add(rows, std::span(model.parameters).subspan(width, width), scratch->correction);
      for (std::size_t i = 0; i < width; ++i) {
        scratch->correction[i] = model.parameters[2 * width + i] - scratch->correction[i] / count;
      }
    }

    scratch->weights.assign(here.begin(), here.end());
    const LocalSgd sgd{.epochs = options_.local_epochs,
                       .batch = options_.batch,
                       .learning_rate = options_.learning_rate,
                       .l2 = options_.l2,
                       .proximal_mu = options_.proximal_mu,
                       .positive_weight = options_.positive_weight,
                       .shuffle = options_.shuffle,
                       .correction = scratch->correction};
    run_local_sgd(sgd, rows, SeededGenerator{options_.seed, model.step, unit.merchant}, scratch->weights,
                  scratch->order);
    for (std::size_t i = 0; i < width; ++i) {
      scratch->weights[i] = weight * (scratch->weights[i] - here[i]);
    }
    out.add_block(0, scratch->weights);
    if (options_.scaffold) {
      for (double& entry : scratch->gradient) {
        entry *= options_.learning_rate * weight / count;
      }
      out.add_block(width, scratch->gradient);
    }
    if (lanes()) {
      const double entries[] = {weight * std::min(loss / count, kLossBound), weight};
      out.add_block(update_length() - 2, entries);
    }
  };
}

Contributor LogisticRegression::newton_contributor(const Model& model, double clip_norm) const {
  struct Scratch {
    std::vector<double>
        sums;  // Gradient; without a unit of privacy then loss and rows, and all in two parts.
    std::vector<double> lower;
  };
  const auto scratch = std::make_shared<Scratch>();
  const double loss_weight = std::max(1.0, options_.positive_weight);
  return [this, &model, scratch, clip_norm, loss_weight](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    if (rows.empty()) {
      return;
    }
    const std::size_t width = options_.width;
    std::vector<double>& own = scratch->sums;
    own.assign(width + (lanes() ? 2 : 0), 0.0);
    scratch->lower.assign(triangle_size(width), 0.0);
    const LogisticSums sums{.positive_weight = options_.positive_weight, .with_loss = lanes()};
    const double loss =
        sums.add(rows, std::span(model.parameters).first(width), std::span(own).first(width), scratch->lower);
    if (!lanes()) {
      for (double& entry : scratch->lower) {
        entry /= clip_norm;
      }
      out.add_block(0, own);
      add_touched_lines(width, scratch->lower, width, out);
      return;
    }
    // A step that overshot is told from a better one by far less.
    own[width] = std::min(loss, 8 * loss_weight * static_cast<double>(rows.size()));
    own[width + 1] = static_cast<double>(rows.size());
    for (double& entry : own) {
      entry /= options_.train_rows;
    }
    double square = 0;
    for (double& entry : scratch->lower) {
      entry /= options_.train_rows;
      square += entry * entry;
    }
    if (options_.clip == 0 && !(std::sqrt(square) <= clip_norm / 2)) {
      throw bad_input(
          "data.numeric: some values are so large that a merchant's mean curvature does not fit into the "
          "sum; set "
          "data.standardise=true, or declare ranges as COLUMN[LOW..HIGH]");
    }
    // The gradient is within a quarter of the clip norm, the loss within half of it: with the curvature there is room for both
    // parts.
    split_in_two(own, clip_norm);
    out.add_block(0, own);
    add_touched_lines(own.size(), scratch->lower, width, out);
  };
}

}  // namespace hanse
