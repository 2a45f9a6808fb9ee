#include "common/workloads/trend.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/two_parts.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr double kNormal95 = 1.959963984540054;  // The normal distribution's quantile of 97.5 %.
constexpr double kNoiseShown = 3;  // Deviations of noise that the mean week of a category exceeds.
constexpr double kEntriesMax = 1 << 20;
constexpr std::size_t kFewestBefore = 4;  // Weeks before those that choose and those that judge.

/// Index of the row's word among the columns from `first`, or `count`.
std::size_t word_of(const SparseRow& row, std::uint32_t first, std::size_t count) {
  for (const std::uint32_t column : row.columns) {
    if (column >= first && column - first < count) {
      return column - first;
    }
  }
  return count;
}

}  // namespace

Trend::Trend(Options options) : options_(std::move(options)) {
  check(!options_.weeks.empty() && options_.scale > 0 && options_.holdout >= 1 && options_.horizon >= 1 &&
            options_.lead_time >= 1,
        "a trend has weeks");
}

Model Trend::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(length(), 0.0);
  return model;
}

double Trend::clip_norm() const {
  if (exact()) {
    return 8 * power_of_two_above(std::max(options_.train_rows, 1.0));  // With marks.
  }
  if (options_.unit == Unit::record) {
    return 1;
  }
  return options_.clip > 0 ? options_.clip : options_.unit == Unit::merchant ? 256 : 8;
}

std::optional<PrivateSum> Trend::next_sum(const Model& model) const {
  if (model.step > 0) {
    return std::nullopt;
  }
  PrivateSum sum;
  sum.name = "weekly totals";
  sum.purpose = Purpose::update;
  sum.length = exact() ? 2 * cells().length() : length();
  sum.clip_norm = clip_norm();
  sum.without_privacy = Unit::merchant;
  return sum;
}

Contributor Trend::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == length(), "a model belongs to its workload");
  const auto add_rows = [this](const Rows& unit_rows, const auto& add) {
    const std::size_t weeks = options_.weeks.size();
    for (std::size_t i = 0; i < unit_rows.size(); ++i) {
      const SparseRow row = unit_rows.row(i);
      const std::size_t week = word_of(row, options_.first_week_column, weeks);
      const std::size_t category =
          options_.categories.empty() ? 0 : word_of(row, options_.first_category_column, rows());
      if (week < weeks && category < rows()) {
        const double amount = options_.labelled ? static_cast<double>(unit_rows.label(i)) : 1;
        add(category * weeks + week, std::clamp(amount / options_.scale, -1.0, 1.0));
      }
    }
  };
  if (exact()) {
    return [this, add_rows, bound = sum.clip_norm](const UnitRows& unit, Contribution& out) {
      if (unit.train.empty()) {
        return;
      }
      std::vector<double> totals(cells().length(), 0.0);
      add_rows(unit.train, [&](std::size_t cell, double amount) {
        totals[cell] += amount;
        if (cells().marked()) {
          totals[length() + cell] = 1;
        }
      });
      split_in_two(totals, bound);
      out.add_block(0, totals);
    };
  }
  const auto totals = std::make_shared<ContributionAccumulator>(0, length(), 1);
  return [add_rows, totals](const UnitRows& unit, Contribution& out) {
    add_rows(unit.train, [&](std::size_t cell, double amount) { (*totals)[cell] += amount; });
    totals->flush(out);
  };
}

Metrics Trend::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  model.parameters = cells().counts(joined(total, exact()));
  ++model.step;
  double square = 0;
  double naive = 0;
  const std::vector<Outlook> outlooks = this->outlooks(model);
  for (std::size_t category = 0; category < rows(); ++category) {
    square += outlooks[category].square / static_cast<double>(rows());
    naive += outlooks[category].square_naive / static_cast<double>(rows());
  }
  return {{"test_rmse", std::sqrt(square)}, {"test_rmse_naive", std::sqrt(naive)}};
}

Trend::Outlook Trend::outlook_of(std::string name, std::vector<double> series) const {
  Outlook outlook{.name = std::move(name), .series = std::move(series)};
  const std::span<const double> all(outlook.series);
  const std::size_t known = all.size() - options_.holdout;
  const SmoothingModel judged = chosen(all.first(known), options_.holdout, options_.season);
  outlook.square = mean_square_ahead(judged, all, known);
  outlook.square_naive = mean_square_ahead({.method = Smoothing::naive}, all, known);
  outlook.model = fitted(judged.method, all, options_.season);
  const std::size_t ahead = std::max(options_.horizon, options_.lead_time);
  outlook.forecasts = forecast(outlook.model, all, ahead);
  if (!options_.negative) {
    for (double& value : outlook.forecasts) {
      value = std::max(value, 0.0);
    }
  }
  outlook.growth = error_growth(outlook.model, ahead);
  outlook.deviation = std::sqrt(mean_square_ahead(outlook.model, all, 0));
  return outlook;
}

std::vector<Trend::Outlook> Trend::outlooks(const Model& model) const {
  const auto begin =
      std::ranges::find_if(options_.weeks, [&](auto week) { return week >= options_.first_week; });
  const auto skipped = static_cast<std::size_t>(begin - options_.weeks.begin());
  const std::size_t weeks = options_.weeks.size();
  std::vector<Outlook> outlooks;
  std::vector<double> together(weeks - skipped, 0.0);
  for (std::size_t category = 0; category < rows(); ++category) {
    std::vector<double> series;
    for (std::size_t week = skipped; week < weeks; ++week) {
      series.push_back(options_.scale * model.parameters[category * weeks + week]);
      together[week - skipped] += series.back();
    }
    outlooks.push_back(
        outlook_of(options_.categories.empty() ? "all" : options_.categories[category], std::move(series)));
  }
  if (rows() > 1) {
    outlooks.push_back(outlook_of("all", std::move(together)));
    outlooks.back().of_all = true;
  }
  return outlooks;
}

std::vector<NamedArray> Trend::arrays(const Model& model) const {
  NamedArray totals{.name = "totals", .shape = {rows(), options_.weeks.size()}, .values = model.parameters};
  for (double& value : totals.values) {
    value *= options_.scale;
  }
  NamedArray forecasts{.name = "forecasts", .shape = {0, options_.horizon}, .values = {}};
  for (const Outlook& outlook : outlooks(model)) {
    ++forecasts.shape[0];
    forecasts.values.insert(forecasts.values.end(), outlook.forecasts.begin(),
                            outlook.forecasts.begin() + static_cast<std::ptrdiff_t>(options_.horizon));
  }
  return {std::move(totals), std::move(forecasts)};
}

bool Trend::hidden_by_noise(const Outlook& outlook) const {
  double sum = 0;
  for (const double value : outlook.series) {
    sum += value;
  }
  const double mean = sum / static_cast<double>(outlook.series.size());
  // The last adds up all categories.
  const double series = outlook.of_all ? std::sqrt(static_cast<double>(rows())) : 1;
  return !exact() && std::abs(mean) < kNoiseShown * options_.noise * clip_norm() * options_.scale * series;
}

Insights Trend::insights(const Model& model) const {
  if (model.step == 0) {
    return {};
  }
  const std::string percent = std::to_string(std::lround(100 * options_.service_level));
  const std::string weeks =
      options_.lead_time == 1 ? "1 week" : std::to_string(options_.lead_time) + " weeks";
  InsightTable demand{.name = "demand",
                      .title = "Next week's " + options_.amount + ", and stock for a lead time of " + weeks +
                               " at a service level of " + percent + " %",
                      .columns = {"category", "method", "next week", "low", "high", "error",
                                  "error of last value", "safety stock", "reorder point"},
                      .rows = {}};
  InsightTable ahead{.name = "forecasts",
                     .title = "Forecasts, with intervals of 95 %",
                     .columns = {"category", "week", "forecast", "low", "high"},
                     .rows = {}};
  std::size_t hidden = 0;
  std::size_t better = 0;
  std::size_t compared = 0;
  for (const Outlook& outlook : outlooks(model)) {
    if (hidden_by_noise(outlook)) {
      ++hidden;
      continue;
    }
    const auto interval = [&](std::size_t h, double sign) {
      const double bound =
          outlook.forecasts[h] + sign * kNormal95 * outlook.deviation * std::sqrt(outlook.growth.one[h]);
      return options_.negative ? bound : std::max(bound, 0.0);
    };
    const ReorderPoint point = reorder_point(outlook.forecasts, outlook.growth, outlook.deviation,
                                             options_.lead_time, options_.service_level);
    demand.rows.push_back({outlook.name, std::string(name_of(outlook.model.method)), outlook.forecasts[0],
                           interval(0, -1), interval(0, 1), std::sqrt(outlook.square),
                           std::sqrt(outlook.square_naive), point.safety_stock, point.reorder_point});
    for (std::size_t h = 0; h < options_.horizon; ++h) {
      const std::int64_t week = options_.weeks.back() + static_cast<std::int64_t>(h) + 1;
      ahead.rows.push_back(
          {outlook.name, static_cast<double>(week), outlook.forecasts[h], interval(h, -1), interval(h, 1)});
    }
    ++compared;
    better += outlook.square < outlook.square_naive ? 1u : 0u;
  }
  Insights insights;
  insights.sentences.push_back(
      "In the last " + std::to_string(options_.holdout) +
      " weeks, which were held back, the forecast beats the value of the week before for " +
      std::to_string(better) + " of " + std::to_string(compared) + " series.");
  if (hidden > 0) {
    insights.sentences.push_back(std::to_string(hidden) + (hidden == 1 ? " category is" : " categories are") +
                                 " not shown: a mean week is less than three deviations of the noise.");
  }
  insights.tables = {std::move(demand), std::move(ahead)};
  return insights;
}

namespace {

/// The whole numbers that the words of a column are, one after the other.
std::vector<std::int64_t> weeks_of(const FeatureSpace& space, const ColumnRange& range) {
  std::vector<std::int64_t> weeks;
  for (std::uint32_t column = range.begin; column < range.end; ++column) {
    const std::string word =
        space.names[column].substr(std::min(range.name.size() + 1, space.names[column].size()));
    std::int64_t week = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), week);
    if (error != std::errc{} || end != word.data() + word.size()) {
      throw bad_input(
          "data.categorical: the first column of workload.name=trend is the week, a whole number: write " +
          range.name + "[1..53]");
    }
    if (!weeks.empty() && week != weeks.back() + 1) {
      throw bad_input(
          "data.categorical: between weeks " + std::to_string(weeks.back()) + " and " + std::to_string(week) +
          " of '" + range.name +
          "' are weeks of too few merchants; lower privacy.min_contributors or leave out early weeks");
    }
    weeks.push_back(week);
  }
  return weeks;
}

}  // namespace

std::unique_ptr<Workload> make_trend(const Configuration& configuration, const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::none, LabelKind::number});
  if (!facts.space.texts.empty()) {
    throw bad_input(
        "data.text: workload.name=trend counts words of columns, of which a row has one each; leave texts "
        "out");
  }
  const std::vector<ColumnRange>& words = facts.space.sparse_ranges;
  if (words.empty() || words.size() > 2 || facts.space.numeric > 0 || configuration.data.format != "csv") {
    throw bad_input(
        "workload.name=trend needs the week, and may have a category, in data.categorical = week[1..53], "
        "category{a|b}, with data.format=csv and without data.numeric");
  }
  refuse_small_ring(configuration, "workload.name=trend");
  if (configuration.data.test != "none") {
    throw bad_input(
        "data.test: workload.name=trend holds back its last weeks by workload.holdout; leave it out");
  }
  if (configuration.privacy.turns > 1 || configuration.privacy.adaptive_clip) {
    throw bad_input("workload.name=trend has one round: leave out privacy.turns and privacy.adaptive_clip");
  }
  if (own_kind(configuration) != OwnKind::none) {
    throw bad_input("workload.own: trend has no part that stays at the merchant; leave it out");
  }
  if (configuration.privacy.unit == Unit::record && configuration.privacy.clip > 0) {
    throw bad_input(
        "privacy.clip: with privacy.unit=record a row is at most the label's range; leave it out");
  }
  Trend::Options options;
  options.first_week_column = words[0].begin;
  options.weeks = weeks_of(facts.space, words[0]);
  if (words.size() == 2) {
    options.first_category_column = words[1].begin;
    for (std::uint32_t column = words[1].begin; column < words[1].end; ++column) {
      const std::string& name = facts.space.names[column];
      options.categories.push_back(
          name.starts_with(words[1].name + "=") ? name.substr(words[1].name.size() + 1) : name);
    }
  }
  if (options.weeks.empty() || (words.size() == 2 && options.categories.empty())) {
    throw bad_input("data.categorical: no word is at enough merchants; lower privacy.min_contributors");
  }
  const double entries = static_cast<double>(options.weeks.size()) *
                         static_cast<double>(std::max<std::size_t>(options.categories.size(), 1));
  if (entries > kEntriesMax) {
    throw bad_input("data.categorical: more than 2^20 totals of categories and weeks; list fewer categories");
  }
  if (facts.label == LabelKind::number) {
    options.labelled = true;
    options.amount = configuration.data.label.substr(0, configuration.data.label.find('['));
    options.scale = std::max({std::abs(facts.label_low), std::abs(facts.label_high), 1e-12});
    options.negative = facts.label_low < 0;
  }
  const OtherOptions& other = configuration.workload.other;
  options.first_week = other.contains("first_week") ? count_option<std::int64_t>(other, "first_week", 0)
                                                    : options.weeks.front();
  options.holdout = count_option<std::uint32_t>(other, "holdout", 8);
  options.horizon = count_option<std::uint32_t>(other, "horizon", 4);
  options.season = count_option<std::uint32_t>(other, "season", 0);
  options.lead_time = count_option<std::uint32_t>(other, "lead_time", 1);
  options.service_level = number_option(other, "service_level", options.service_level);
  if (options.holdout < 1 || options.horizon < 1 || options.horizon > 520 || options.lead_time < 1 ||
      options.lead_time > 520) {
    throw bad_input(
        "workload.holdout, workload.horizon and workload.lead_time are weeks: at least 1, at most 520");
  }
  if (!(options.service_level >= 0.5 && options.service_level < 1)) {
    throw bad_input("workload.service_level: expected a probability from 0.5 to below 1");
  }
  const auto used =
      std::ranges::count_if(options.weeks, [&](auto week) { return week >= options.first_week; });
  if (used < static_cast<std::ptrdiff_t>(2 * options.holdout + kFewestBefore)) {
    throw bad_input("workload.holdout: " + std::to_string(used) + " weeks are too few to hold back " +
                    std::to_string(options.holdout) + " to judge and " + std::to_string(options.holdout) +
                    " to choose by");
  }
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.noise = facts.update_noise;
  options.train_rows = facts.train_rows;
  options.min_contributors = facts.merchants == 1 ? 1 : configuration.privacy.min_contributors;
  return std::make_unique<Trend>(std::move(options));
}

}  // namespace hanse
