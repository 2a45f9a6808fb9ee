#include "common/workloads/linear_insights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/base/failure.h"

namespace hanse {
namespace {

constexpr double kNormal95 = 1.959963984540054;  // The normal distribution's quantile of 97.5 %.
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct Estimate {
  double value = 0;
  double error = kUnknown;  ///< Standard error.

  double low() const { return value - kNormal95 * error; }
  double high() const { return value + kNormal95 * error; }
};

const CrossRange* cross_of(const FeatureSpace& space, std::size_t column) {
  const auto found = std::ranges::find_if(
      space.crosses, [&](const CrossRange& cross) { return column >= cross.begin && column < cross.end; });
  return found == space.crosses.end() ? nullptr : &*found;
}

/// The deviation of a column's values: what one unit of the model's is in the file's.
double unit_of(const LinearModel& model, std::size_t column) {
  if (column < model.space.numeric) {
    return model.deviation[column];
  }
  const CrossRange* cross = cross_of(model.space, column);
  return cross == nullptr ? 1 : model.deviation[cross->number];
}

Estimate effect_of(const LinearModel& model, std::size_t column) {
  const double unit = unit_of(model, column);
  Estimate effect{.value = model.weights[column] / unit,
                  .error = model.errors.empty() ? kUnknown : model.errors[column] / unit};
  // The model has the effect of a crossed word at the number's mean; told is that at the number's zero, where slopes begin.
  for (const CrossRange& cross : model.space.crosses) {
    const std::uint32_t words = cross.end - cross.begin;
    if (column >= cross.words_begin && column < cross.words_begin + words) {
      const double weight = model.weights[cross.begin + (column - cross.words_begin)];
      effect.value -= weight * model.mean[cross.number] / model.deviation[cross.number];
      effect.error = model.mean[cross.number] == 0 ? effect.error : kUnknown;
    }
  }
  return effect;
}

/// The effect of the number `cross.number` for the word `word` of the cross: the common one and its own together.
Estimate slope_of(const LinearModel& model, const CrossRange& cross, std::uint32_t word) {
  const Estimate common = effect_of(model, cross.number);
  const Estimate own = effect_of(model, cross.begin + word);
  Estimate slope{.value = common.value + own.value, .error = kUnknown};
  if (!model.cross_covariances.empty()) {
    std::size_t place = word;
    for (const CrossRange& before : model.space.crosses) {
      place += before.begin < cross.begin ? before.end - before.begin : 0;
    }
    const double unit = model.deviation[cross.number];
    const double covariance = model.cross_covariances[place] / (unit * unit);
    slope.error =
        std::sqrt(std::max(common.error * common.error + own.error * own.error + 2 * covariance, 0.0));
  }
  return slope;
}

/// The intercept of the file's units: what is predicted where all numbers are 0 and no word is there.
double intercept_of(const LinearModel& model) {
  double intercept = model.weights.back();
  for (std::size_t c = 0; c < model.space.numeric; ++c) {
    intercept -= model.weights[c] * model.mean[c] / model.deviation[c];
  }
  return intercept;
}

const CrossRange& cross_with(const FeatureSpace& space, const std::string& number) {
  for (const CrossRange& cross : space.crosses) {
    if (space.names[cross.number] == number && cross.end > cross.begin) {
      return cross;
    }
  }
  throw bad_input("workload.prices: '" + number +
                  "' is crossed with no column of words; write for instance data.numeric = log:price, "
                  "brand*log:price and workload.prices = log:price");
}

std::vector<const CrossRange*> crosses_of(const FeatureSpace& space, const PriceQuestion& question) {
  std::vector<const CrossRange*> crosses;
  for (const std::string& price : question.prices) {
    crosses.push_back(&cross_with(space, price));
  }
  const CrossRange& first = *crosses.at(0);
  const std::uint32_t words = first.end - first.begin;
  for (const CrossRange* cross : crosses) {
    if (cross->words_begin != first.words_begin || cross->end - cross->begin != words) {
      throw bad_input("workload.prices: all prices must be crossed with the same column of words");
    }
  }
  if (crosses.size() != 1 && crosses.size() != words) {
    throw bad_input("workload.prices: expected the row's own price, or one for each of the " +
                    std::to_string(words) + " words it is crossed with, in their order; got " +
                    std::to_string(crosses.size()));
  }
  return crosses;
}

/// c e / (1 + e), without bound where demand is not elastic.
double best_price(double cost, double elasticity) {
  return elasticity < -1 ? cost * elasticity / (1 + elasticity) : std::numeric_limits<double>::infinity();
}

InsightTable own_table(const LinearModel& model, const std::vector<const CrossRange*>& crosses,
                       const PriceQuestion& question) {
  const CrossRange& first = *crosses.front();
  InsightTable table{.name = "own_price_elasticities",
                     .title = "By how many per cent units change where the own price grows by one",
                     .columns = {"product", "elasticity", "standard error", "95 % from", "to"},
                     .rows = {}};
  const std::vector<std::string> best =
      question.unit_cost ? std::vector<std::string>{"best price", "best from", "best to"}
                         : std::vector<std::string>{"best price / cost", "best from", "best to"};
  table.columns.insert(table.columns.end(), best.begin(), best.end());
  const double cost = question.unit_cost.value_or(1);
  for (std::uint32_t word = 0; word < first.end - first.begin; ++word) {
    const CrossRange& cross = crosses.size() == 1 ? first : *crosses[word];
    const Estimate slope = slope_of(model, cross, word);
    const bool known = std::isfinite(slope.error);
    table.rows.push_back({model.space.names[first.words_begin + word], slope.value, slope.error, slope.low(),
                          slope.high(), best_price(cost, slope.value),
                          known ? best_price(cost, slope.low()) : kUnknown,
                          known ? best_price(cost, slope.high()) : kUnknown});
  }
  return table;
}

InsightTable cross_table(const LinearModel& model, const std::vector<const CrossRange*>& crosses,
                         const PriceQuestion& question) {
  InsightTable table{.name = "price_elasticities",
                     .title = "By how many per cent a product's units change where a price grows by one",
                     .columns = {"product"},
                     .rows = {}};
  table.columns.insert(table.columns.end(), question.prices.begin(), question.prices.end());
  const CrossRange& first = *crosses.front();
  for (std::uint32_t word = 0; word < first.end - first.begin; ++word) {
    std::vector<InsightCell> row = {model.space.names[first.words_begin + word]};
    for (const CrossRange* cross : crosses) {
      row.emplace_back(slope_of(model, *cross, word).value);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

InsightTable coefficient_table(const LinearModel& model, bool odds) {
  InsightTable table{.name = "coefficients",
                     .title = odds ? "What one unit more of a column does to the odds"
                                   : "What one unit more of a column adds to the prediction",
                     .columns = {"column", "effect", "standard error"},
                     .rows = {}};
  if (odds) {
    table.columns.insert(table.columns.end(), {"odds ratio", "95 % from", "to"});
  }
  for (std::size_t c = 0; c < model.weights.size(); ++c) {
    Estimate effect = effect_of(model, c);
    if (c + 1 ==
        model.weights.size()) {  // Its error is of the standardised columns' intercept, not of this one.
      effect = {.value = intercept_of(model), .error = model.space.numeric == 0 ? effect.error : kUnknown};
    }
    std::vector<InsightCell> row = {model.space.names[c], effect.value, effect.error};
    if (odds) {
      row.insert(row.end(), {std::exp(effect.value), std::exp(effect.low()), std::exp(effect.high())});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

InsightTable largest_effects(const LinearModel& model, bool odds) {
  constexpr std::size_t kMost = 20;
  InsightTable table{
      .name = "largest_effects",
      .title = "What matters most, by one standard deviation of a number or a word's being there",
      .columns = {"column", "effect"},
      .rows = {}};
  if (odds) {
    table.columns.push_back("odds ratio");
  }
  std::vector<std::size_t> order(model.weights.size() - 1);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return std::abs(model.weights[a]) > std::abs(model.weights[b]);
  });
  for (const std::size_t c : std::span(order).first(std::min(order.size(), kMost))) {
    std::vector<InsightCell> row = {model.space.names[c], model.weights[c]};
    if (odds) {
      row.push_back(std::exp(model.weights[c]));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

void check_prices(const FeatureSpace& space, const PriceQuestion& question) {
  crosses_of(space, question);
}

Insights price_insights(const LinearModel& model, const PriceQuestion& question) {
  const std::vector<const CrossRange*> crosses = crosses_of(model.space, question);
  Insights insights;
  insights.tables.push_back(own_table(model, crosses, question));
  if (crosses.size() > 1) {
    insights.tables.push_back(cross_table(model, crosses, question));
  }
  return insights;
}

}  // namespace hanse
