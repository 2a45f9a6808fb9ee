#include "common/workloads/personalised.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/linear.h"

namespace hanse {
namespace {

const std::vector<std::string> kModels = {"", "_own", "_alone"};
constexpr double kLeastPenalty = 1e-6;  // A row, of the model that is alone: columns depend on each other.

OwnPart::Options own_options(const Personalised::Options& options) {
  return {.kind = options.kind,
          .loss = options.numeric_label ? OwnLoss::squares : OwnLoss::logistic,
          .l2 = options.l2,
          .width = options.width};
}

TestRows rows_of(const Personalised::Options& options) {
  return {options.unit, options.test_rows_per_unit, options.max_units};
}

RegressionErrors::Options error_options(const Personalised::Options& options) {
  return {.low = options.numeric_label ? options.label_low : -1,
          .high = options.numeric_label ? options.label_high : 1,
          .declared = options.label_declared || !options.numeric_label,
          .rows = rows_of(options),
          .models = kModels};
}

}  // namespace

Personalised::Personalised(std::unique_ptr<Workload> inner, const Options& options)
    : inner_(std::move(inner)),
      options_(options),
      own_(own_options(options)),
      alone_(own_options(options)),
      errors_(error_options(options)),
      histogram_(ScoreHistogram::for_privacy(options.unit)) {
  if (!inner_->scorer(inner_->initial_model(0))) {
    throw bad_input("workload.own: " + std::string(inner_->name()) +
                    " has no own part of a merchant: leave it out, or use linear, logistic or "
                    "factorization-machine");
  }
  if (options_.numeric_label) {
    middle_ = options_.label_low + (options_.label_high - options_.label_low) / 2;
    half_width_ = (options_.label_high - options_.label_low) / 2;
  }
  alone_.kind = OwnKind::all;
  alone_.free_intercept = true;
}

std::optional<PrivateSum> Personalised::evaluation_sum(const Model& model) const {
  if (!summed()) {
    return inner_->evaluation_sum(model);
  }
  PrivateSum sum = options_.numeric_label ? errors_.sum()
                                          : histogram_.sum(rows_of(options_), Unit::merchant, kModels.size());
  sum.without_privacy = Unit::merchant;
  sum.name = "test figures";
  return sum;
}

double Personalised::score_of(const RowScorer& scorer, const SparseRow& row) const {
  const double score = scorer(row);
  return options_.numeric_label ? scaled(score) : score;
}

Personalised::Fitted Personalised::fit(const RowScorer& scorer, const Rows& train) const {
  std::vector<double> labels(train.size());
  std::vector<double> scores(train.size());
  for (std::size_t i = 0; i < train.size(); ++i) {
    const double label = static_cast<double>(train.label(i));
    labels[i] = options_.numeric_label ? scaled(label) : label;
    scores[i] = score_of(scorer, train.row(i));
  }
  OwnPart::Options alone = alone_;
  alone.l2 = std::max(options_.alone_l2, kLeastPenalty) * static_cast<double>(train.size());
  return {.own = own_.fit(train, labels, scores),
          .alone = OwnPart(alone).fit(train, labels, std::vector<double>(train.size(), 0.0))};
}

/// The vector of these test rows in the evaluation sum.
std::vector<double> Personalised::compare(const RowScorer& scorer, const Fitted& fitted,
                                          const Rows& test) const {
  std::vector<double> sums(options_.numeric_label ? errors_.entries() : kModels.size() * histogram_.length());
  for (std::size_t i = 0; i < test.size(); ++i) {
    const SparseRow row = test.row(i);
    const double label = static_cast<double>(test.label(i));
    const double common = score_of(scorer, row);
    std::array<double, 3> scores = {common, own_.score(fitted.own, row, common), dot(row, fitted.alone)};
    if (options_.numeric_label) {
      for (double& score : scores) {
        score = middle_ + half_width_ * score;
      }
      errors_.add(scores, label, sums);
      continue;
    }
    for (std::size_t k = 0; k < scores.size(); ++k) {
      const std::span<double> own = std::span(sums).subspan(k * histogram_.length(), histogram_.length());
      own[histogram_.index_of(scores[k], label)] += 1;
      own[histogram_.loss_index()] += ScoreHistogram::loss_entry(scores[k], label);
    }
  }
  return sums;
}

Contributor Personalised::contributor(const Model& model, const PrivateSum& sum) const {
  if (sum.purpose != Purpose::evaluation || !summed()) {
    return inner_->contributor(model, sum);
  }
  return [this, scorer = inner_->scorer(model)](const UnitRows& unit, Contribution& out) {
    if (unit.test.empty()) {
      return;
    }
    std::vector<double> sums = compare(scorer, fit(scorer, unit.train), unit.test);
    if (options_.numeric_label) {
      errors_.write(sums, out);
    } else {
      out.add_block(0, sums);
    }
  };
}

Metrics Personalised::figures(std::span<const double> sums) const {
  if (options_.numeric_label) {
    return errors_.figures(sums);
  }
  Metrics all;
  for (std::size_t k = 0; k < kModels.size(); ++k) {
    for (const auto& [name, value] :
         histogram_.metrics(sums.subspan(k * histogram_.length(), histogram_.length()))) {
      all[name == "test_rows" ? name : name + kModels[k]] = value;
    }
  }
  return all;
}

Metrics Personalised::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  if (sum.purpose != Purpose::evaluation || !summed()) {
    return inner_->apply(model, sum, total);
  }
  check(total.size() == sum.length, "a total is as long as its sum");
  return options_.numeric_label ? errors_.metrics(total) : figures(total);
}

std::optional<OwnResult> Personalised::own_part(const Model& model, const UnitRows& merchant) const {
  const RowScorer scorer = inner_->scorer(model);
  Fitted fitted = fit(scorer, merchant.train);
  OwnResult result;
  if (!merchant.test.empty()) {
    result.figures = figures(compare(scorer, fitted, merchant.test));
  }
  // In units of the label. A scale of scores taken to [-1, 1], m + h ((1 + a) (s - m) / h + b), is
  // (1 + a) s + (h b - a m): its factor has no unit, and its offset takes in the middle m.
  const double factor = options_.kind == OwnKind::scale ? fitted.own[0] : 0;
  for (double& number : fitted.own) {
    number *= half_width_;
  }
  if (options_.kind == OwnKind::scale) {
    fitted.own[0] = factor;
    fitted.own[1] -= factor * middle_;
  }
  result.own = {.name = "own", .shape = {fitted.own.size()}, .values = std::move(fitted.own)};
  return result;
}

}  // namespace hanse
