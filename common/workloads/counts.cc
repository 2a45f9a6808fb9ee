#include "common/workloads/counts.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/figure.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/test_rows.h"
#include "common/workloads/two_parts.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr double kBelieved = 4;  // Deviations of the noise that a count stands above it.
constexpr std::size_t kEntriesMax = 1u << 22;
constexpr double kCellsMax = 4096;
constexpr double kQuantiles[] = {0.05, 0.25, 0.5, 0.75, 0.95};

/// Columns that a row has one entry of.
double entries_of_a_row(const FeatureSpace& space) {
  const auto words = std::ranges::count_if(space.sparse_ranges,
                                           [](const ColumnRange& range) { return range.begin < range.end; });
  return 1 + static_cast<double>(space.numeric) + static_cast<double>(words);
}

Counts::Period period_of(const Configuration& configuration, const FeatureSpace& space,
                         const std::string& column) {
  const auto numbers = space.names.begin() + space.numeric;
  const auto found = std::find(space.names.begin(), numbers, column);
  if (found == numbers) {
    throw bad_input("workload.period_column = '" + column +
                    "' is not a column of data.numeric: name one of them, without a transform");
  }
  const OtherOptions& other = configuration.workload.other;
  Counts::Period period;
  period.column = static_cast<std::uint32_t>(found - space.names.begin());
  period.length = number_option(other, "period", 0);
  period.end = number_option(other, "period_end", space.range_high[period.column]);
  if (!(period.length > 0)) {
    throw bad_input("workload.period is missing: how long a period is, in units of " + column);
  }
  return period;
}

}  // namespace

Counts::Counts(Options options) : options_(std::move(options)) {
  check(options_.space.width > 0 && options_.cells > 0, "there is something to count");
}

Model Counts::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(entries(), 0.0);
  return model;
}

std::optional<PrivateSum> Counts::next_sum(const Model& model) const {
  if (model.step > 0) {
    return std::nullopt;
  }
  const double rows = TestRows{options_.unit, options_.rows_per_unit}.most(Unit::record);
  const double row_norm = std::sqrt(entries_of_a_row(options_.space));
  PrivateSum sum;
  sum.name = "counts";
  sum.length = exact() ? 4 * entries() : entries();
  // Of a merchant: its counts and as many marks of what it has.
  const double merchant =
      row_norm * std::max(options_.train_rows, 1.0) + std::sqrt(static_cast<double>(entries()));
  sum.clip_norm = exact()             ? 4 * power_of_two_above(merchant)
                  : options_.clip > 0 ? options_.clip
                                      : row_norm * rows;
  sum.without_privacy = Unit::merchant;
  return sum;
}

std::optional<PrivateSum> Counts::evaluation_sum(const Model&) const {
  return std::nullopt;
}

std::size_t Counts::cell_of(std::uint32_t column, double value) const {
  const double low = options_.space.range_low[column];
  const double high = options_.space.range_high[column];
  const double count = static_cast<double>(options_.cells);
  return static_cast<std::size_t>(
      std::clamp(std::floor((value - low) / (high - low) * count), 0.0, count - 1));
}

std::size_t Counts::period_of(const SparseRow& row) const {
  if (!options_.period) {
    return 0;
  }
  const double before = options_.period->end - static_cast<double>(row.values[options_.period->column]);
  if (before < 0) {
    return 2;  // Behind the end: in neither.
  }
  return before < options_.period->length ? 0 : before < 2 * options_.period->length ? 1 : 2;
}

Contributor Counts::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.step == 0, "there is one sum");
  const auto counts = std::make_shared<ContributionAccumulator>(0, entries(), 1);
  const auto add = [this](const Rows& rows, const auto& one) {
    const std::uint32_t numeric = options_.space.numeric;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const SparseRow row = rows.row(i);
      const std::size_t first = period_of(row) * block();
      one(first);
      for (std::size_t e = 0; e < row.columns.size(); ++e) {
        const std::uint32_t column = row.columns[e];
        if (column < numeric) {
          one(periods() * block() + column * options_.cells +
              cell_of(column, static_cast<double>(row.values[e])));
        } else if (column + 1 < options_.space.width) {
          one(first + 1 + column - numeric);
        }
      }
    }
  };
  if (!exact()) {
    return [counts, add](const UnitRows& unit, Contribution& out) {
      add(unit.train, [&](std::size_t entry) { (*counts)[entry] += 1; });
      counts->flush(out);
    };
  }
  return [add, this, bound = sum.clip_norm](const UnitRows& unit, Contribution& out) {
    if (unit.train.empty()) {
      return;
    }
    std::vector<double> both(2 * entries(), 0.0);
    add(unit.train, [&](std::size_t entry) {
      both[entry] += 1;
      both[entries() + entry] = 1;
    });
    split_in_two(both, bound);
    out.add_block(0, both);
  };
}

Metrics Counts::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length && model.step == 0, "a total is as long as its sum");
  ++model.step;
  if (!exact()) {
    model.parameters.assign(total.begin(), total.end());
    return {};
  }
  const std::vector<double> both = joined(total);
  for (std::size_t entry = 0; entry < entries(); ++entry) {
    const bool enough = both[entries() + entry] >= options_.merchants_needed - 0.5;
    model.parameters[entry] = enough ? std::round(both[entry]) : 0;
  }
  return {};
}

double Counts::believed() const {
  const double noise = exact() ? 0 : options_.noise_multiplier * next_sum(Model())->clip_norm;
  return std::max(kBelieved * noise, 0.5);
}

double Counts::rows_of(const Model& model, std::size_t period) const {
  return std::max(model.parameters[period * block()], 0.0);
}

double Counts::count_of_word(const Model& model, std::size_t word, std::optional<std::size_t> period) const {
  double count = 0;
  double believed = this->believed();
  if (period) {
    count = model.parameters[*period * block() + 1 + word];
  } else {
    for (std::size_t q = 0; q < periods(); ++q) {
      count += model.parameters[q * block() + 1 + word];
    }
    believed *= std::sqrt(static_cast<double>(periods()));
  }
  return count > believed ? count : 0;
}

std::optional<double> Counts::growth(const Model& model, std::size_t word) const {
  const double now = count_of_word(model, word, 0);
  const double before = count_of_word(model, word, 1);
  return now > 0 && before > 0 ? std::optional(now / before - 1) : std::nullopt;
}

double Counts::quantile(const Model& model, std::uint32_t column, double share) const {
  const double* const cells = model.parameters.data() + periods() * block() + column * options_.cells;
  std::vector<double> cumulated{0.0};  // Noisy cells may be negative, and their sums fall.
  double sum = 0;
  for (std::size_t i = 0; i < options_.cells; ++i) {
    sum += cells[i];
    cumulated.push_back(std::max(cumulated.back(), sum));
  }
  const double rows = cumulated.back();
  if (!(rows > believed() * std::sqrt(static_cast<double>(options_.cells)))) {
    return std::nan("");
  }
  const double low = options_.space.range_low[column];
  const double width = (options_.space.range_high[column] - low) / static_cast<double>(options_.cells);
  const auto reached = std::ranges::lower_bound(cumulated, share * rows);
  if (reached == cumulated.begin()) {
    return low;
  }
  const double within = (share * rows - *(reached - 1)) / (*reached - *(reached - 1));
  return low + width * (static_cast<double>(reached - cumulated.begin() - 1) + within);
}

std::vector<NamedArray> Counts::arrays(const Model& model) const {
  NamedArray rows{.name = "rows", .shape = {periods()}, .values = {}};
  NamedArray words{.name = "words", .shape = {periods(), this->words()}, .values = {}};
  for (std::size_t q = 0; q < periods(); ++q) {
    rows.values.push_back(rows_of(model, q));
    for (std::size_t word = 0; word < this->words(); ++word) {
      words.values.push_back(count_of_word(model, word, q));
    }
  }
  const auto cells = model.parameters.begin() + static_cast<std::ptrdiff_t>(periods() * block());
  return {std::move(rows),
          std::move(words),
          {.name = "cells",
           .shape = {options_.space.numeric, options_.cells},
           .values = {cells, model.parameters.end()}}};
}

InsightTable Counts::words_table(const Model& model, const ColumnRange& range) const {
  InsightTable table{.name = range.name,
                     .title = "Most frequent: " + range.name,
                     .columns = {range.name, "rows", "share %"},
                     .rows = {}};
  if (options_.period) {
    table.columns.insert(table.columns.end(), {"last period", "before", "growth %"});
  }
  double rows = 0;
  for (std::size_t q = 0; q < periods(); ++q) {
    rows += rows_of(model, q);
  }
  std::vector<std::size_t> words(range.end - range.begin);
  std::iota(words.begin(), words.end(), std::size_t{range.begin - options_.space.numeric});
  const auto count = [&](std::size_t word) { return count_of_word(model, word, std::nullopt); };
  std::ranges::stable_sort(words, std::ranges::greater{}, count);
  words.resize(std::min(words.size(), options_.top));
  for (const std::size_t word : words) {
    if (count(word) > 0) {
      const std::string& name = options_.space.names[options_.space.numeric + word];
      std::vector<InsightCell> row{name.substr(std::min(name.find('=') + 1, name.size())),
                                   std::round(count(word)), 100 * count(word) / std::max(rows, 1.0)};
      if (options_.period) {
        const std::optional<double> grown = growth(model, word);
        row.insert(row.end(),
                   {std::round(count_of_word(model, word, 0)), std::round(count_of_word(model, word, 1)),
                    grown ? InsightCell(100 * *grown) : InsightCell(std::string("-"))});
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

InsightTable Counts::growth_table(const Model& model) const {
  std::vector<std::pair<double, std::size_t>> grown;
  for (std::size_t word = 0; word < words(); ++word) {
    if (const std::optional<double> rate = growth(model, word)) {
      grown.emplace_back(*rate, word);
    }
  }
  std::ranges::stable_sort(grown, std::ranges::greater{}, &std::pair<double, std::size_t>::first);
  InsightTable table{.name = "growth",
                     .title = "What grew most and shrank most since the period before",
                     .columns = {"what", "last period", "before", "growth %"},
                     .rows = {}};
  const std::size_t each = std::max<std::size_t>(options_.top / 2, 1);
  for (std::size_t i = 0; i < grown.size(); ++i) {
    if (i < each || i + each >= grown.size()) {
      const std::size_t word = grown[i].second;
      table.rows.push_back({options_.space.names[options_.space.numeric + word],
                            std::round(count_of_word(model, word, 0)),
                            std::round(count_of_word(model, word, 1)), 100 * grown[i].first});
    }
  }
  return table;
}

InsightTable Counts::quantiles_table(const Model& model) const {
  InsightTable table{.name = "quantiles",
                     .title = "Below which number so many of the rows are",
                     .columns = {"column"},
                     .rows = {}};
  for (const double share : kQuantiles) {
    table.columns.push_back(figure(100 * share, 3) + " %");
  }
  for (std::uint32_t column = 0; column < options_.space.numeric; ++column) {
    std::vector<InsightCell> row{options_.space.names[column]};
    for (const double share : kQuantiles) {
      row.emplace_back(quantile(model, column, share));
    }
    if (!std::isnan(std::get<double>(row.back()))) {
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Insights Counts::insights(const Model& model) const {
  double rows = 0;
  for (std::size_t q = 0; q < periods(); ++q) {
    rows += rows_of(model, q);
  }
  if (!(rows > believed())) {
    return {.sentences = {"No count stands above the noise."}, .tables = {}};
  }
  Insights insights{.sentences = {"Of " + figure(std::round(rows), 9) + " rows:"}, .tables = {}};
  for (const ColumnRange& range : options_.space.sparse_ranges) {
    InsightTable table = words_table(model, range);
    if (!table.rows.empty()) {
      const std::vector<InsightCell>& first = table.rows[0];
      insights.sentences.push_back("The most frequent " + range.name + " is " +
                                   std::get<std::string>(first[0]) + ", " +
                                   figure(std::get<double>(first[2]), 3) + " % of the rows.");
      insights.tables.push_back(std::move(table));
    }
  }
  if (options_.period) {
    InsightTable table = growth_table(model);
    if (rows_of(model, 0) > believed() && rows_of(model, 1) > believed()) {
      insights.sentences.push_back("All together changed by " +
                                   figure(100 * (rows_of(model, 0) / rows_of(model, 1) - 1), 3) +
                                   " % since the period before.");
    }
    if (!table.rows.empty()) {
      insights.tables.push_back(std::move(table));
    }
  }
  if (InsightTable table = quantiles_table(model); !table.rows.empty()) {
    insights.tables.push_back(std::move(table));
  }
  return insights;
}

std::unique_ptr<Workload> make_counts(const Configuration& configuration, const WorkloadFacts& facts) {
  needs_records(configuration, facts,
                {LabelKind::none, LabelKind::binary, LabelKind::number, LabelKind::one_of_many});
  refuse_more_rounds(configuration);
  refuse_small_ring(configuration, "workload.name=counts");
  if (!facts.space.texts.empty()) {
    throw bad_input(
        "data.text: workload.name=counts counts words of columns, of which a row has one each; leave texts "
        "out");
  }
  const FeatureSpace& space = facts.space;
  if (configuration.data.format != "csv") {
    throw bad_input("data.format: workload.name=counts needs csv, whose columns are words or numbers");
  }
  if (space.numeric > 0 && configuration.data.standardise) {
    throw bad_input(
        "workload.name=counts counts numbers as they are in the file: set data.standardise=false");
  }
  if (!space.crosses.empty()) {
    throw bad_input(
        "data.numeric: workload.name=counts counts single columns, and WORDS*NUMBER is two: leave it out");
  }
  for (std::uint32_t column = 0; column < space.numeric; ++column) {
    if (!(space.range_low[column] < space.range_high[column])) {
      throw bad_input("data.numeric: workload.name=counts needs a public range of " + space.names[column] +
                      ": write " + space.names[column] + "[LOW..HIGH]");
    }
  }
  const OtherOptions& other = configuration.workload.other;
  Counts::Options options;
  options.space = space;
  options.train_rows = facts.train_rows;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.rows_per_unit = number_option(other, "rows_per_unit", 0);
  options.noise_multiplier = facts.update_noise;
  options.merchants_needed = facts.merchants == 1 ? 1 : configuration.privacy.min_contributors;
  options.cells = count_option<std::size_t>(other, "cells", options.cells);
  options.top = count_option<std::size_t>(other, "top", options.top);
  if (options.cells < 1 || static_cast<double>(options.cells) > kCellsMax) {
    throw bad_input("workload.cells: expected 1 to 4096");
  }
  if (const auto column = other.find("period_column"); column != other.end()) {
    options.period = period_of(configuration, space, column->second);
  }
  if (4 * (3 * std::size_t{space.width} + space.numeric * options.cells) > kEntriesMax) {
    throw bad_input("workload.name=counts: " + std::to_string(space.width) +
                    " columns are too many for one sum; hash data.categorical into fewer buckets");
  }
  return std::make_unique<Counts>(std::move(options));
}

}  // namespace hanse
