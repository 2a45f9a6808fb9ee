#include "worker/use/predictions.h"

#include <algorithm>
#include <cmath>

#include "common/base/failure.h"
#include "common/base/figure.h"
#include "worker/use/class_model.h"
#include "worker/use/csv_text.h"

namespace hanse {
namespace {

constexpr int kDigits = 9;  // Those of a float, in which values of rows are held.

std::string reasons_header(std::size_t most, bool factors) {
  std::string header;
  for (std::size_t n = 1; n <= most; ++n) {
    const std::string number = std::to_string(n);
    header += ",reason_" + number + ",effect_" + number + (factors ? ",odds_" + number : "");
  }
  return header;
}

std::string header_of(const RowModel& model, const PredictionWishes& wishes) {
  const std::string figure = model.is_logit() ? "probability" : "prediction";
  const std::string header = "row," + figure + (wishes.own ? "," + figure + "_own" : "");
  return header + reasons_header(wishes.explain, model.is_logit()) + "\n";
}

/// `factors`: with the factor on the odds.
std::string effects_text(const std::vector<Effect>& effects, const std::vector<std::string>& names,
                         std::size_t most, bool factors) {
  std::string text;
  for (std::size_t n = 0; n < most; ++n) {
    const bool there = n < effects.size();
    text += "," + (there ? csv_cell(names[effects[n].column]) : "");
    text += "," + (there ? rough_figure(effects[n].value) : "");
    if (factors) {
      text += "," + (there ? rough_figure(std::exp(effects[n].value)) : "");
    }
  }
  return text;
}

std::string classes_csv(const AppliedModel& model, const std::filesystem::path& rows,
                        const PredictionWishes& wishes) {
  const ClassModel scorer(model, rows.parent_path());
  if (wishes.own) {
    throw bad_input("--own: a model of softmax has no part that stays at a merchant; leave it out");
  }
  const Dataset data = read_own_rows(model, rows);
  std::string text = "row,class,probability" + reasons_header(wishes.explain, true) + "\n";
  for (std::size_t r = 0; r < data.train.features.rows(); ++r) {
    const SparseRow row = data.train.features.row(r);
    const std::vector<double> probabilities = scorer.probabilities(row);
    const auto best =
        static_cast<std::size_t>(std::ranges::max_element(probabilities) - probabilities.begin());
    text += std::to_string(r + 1) + "," + csv_cell(scorer.classes()[best]) + "," +
            figure(probabilities[best], kDigits) +
            effects_text(scorer.effects(row, best, wishes.explain), model.published.columns, wishes.explain,
                         true) +
            "\n";
  }
  return text;
}

}  // namespace

std::string predictions_csv(const AppliedModel& model, const std::filesystem::path& rows,
                            const PredictionWishes& wishes) {
  if (model.workload() == "softmax") {
    return classes_csv(model, rows, wishes);
  }
  const RowModel scorer(model);
  const std::optional<OwnScore> own =
      wishes.own ? std::optional(read_own_score(*wishes.own, model)) : std::nullopt;
  const Dataset data = read_own_rows(model, rows);
  const auto shown = [&](double score) {
    return figure(scorer.is_logit() ? 1 / (1 + std::exp(-score)) : score, kDigits);
  };
  std::string text = header_of(scorer, wishes);
  for (std::size_t r = 0; r < data.train.features.rows(); ++r) {
    const SparseRow row = data.train.features.row(r);
    const double score = scorer.score(row);
    text += std::to_string(r + 1) + "," + shown(score);
    if (own) {
      text += "," + shown(own->score(row, score));
    }
    text += effects_text(scorer.effects(row, wishes.explain), model.published.columns, wishes.explain,
                         scorer.is_logit()) +
            "\n";
  }
  return text;
}

}  // namespace hanse
