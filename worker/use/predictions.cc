#include "worker/use/predictions.h"

#include <cmath>

#include "common/base/figure.h"
#include "worker/use/csv_text.h"

namespace hanse {
namespace {

constexpr int kDigits = 9;  // Those of a float, in which values of rows are held.

std::string header_of(const RowModel& model, const PredictionWishes& wishes) {
  const std::string figure = model.is_logit() ? "probability" : "prediction";
  std::string header = "row," + figure + (wishes.own ? "," + figure + "_own" : "");
  for (std::size_t n = 1; n <= wishes.explain; ++n) {
    const std::string number = std::to_string(n);
    header += ",reason_" + number + ",effect_" + number + (model.is_logit() ? ",odds_" + number : "");
  }
  return header + "\n";
}

std::string effects_text(const RowModel& model, const std::vector<std::string>& names, const SparseRow& row,
                         std::size_t most) {
  const std::vector<Effect> effects = model.effects(row, most);
  std::string text;
  for (std::size_t n = 0; n < most; ++n) {
    const bool there = n < effects.size();
    text += "," + (there ? csv_cell(names[effects[n].column]) : "");
    text += "," + (there ? rough_figure(effects[n].value) : "");
    if (model.is_logit()) {
      text += "," + (there ? rough_figure(std::exp(effects[n].value)) : "");
    }
  }
  return text;
}

}  // namespace

std::string predictions_csv(const AppliedModel& model, const std::filesystem::path& rows,
                            const PredictionWishes& wishes) {
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
    text += effects_text(scorer, model.published.columns, row, wishes.explain) + "\n";
  }
  return text;
}

}  // namespace hanse
