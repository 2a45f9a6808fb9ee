#include "common/workloads/preparation.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"

namespace hanse {
namespace {

// A magnitude histogram has a bin for zero in its middle and, for each sign, one for each binary exponent
// from -31 to 32: bin kExponents + e holds 2^(e - 33) <= x < 2^(e - 32), the last everything beyond.
constexpr int kExponents = 64;
constexpr int kLowestExponent = -32;
constexpr std::size_t kMagnitudeBins = 2 * kExponents + 1;

// A noisy count is believed when it stands this many standard deviations of its noise above zero: with 4, one
// bin in 30,000 is believed wrongly.
constexpr double kBelieved = 4;

constexpr double kOutlierLimitNoisy = 5;   // Bounds ||x||, so that clipping touches fewer gradients.
constexpr double kOutlierLimitExact = 20;  // Far beyond what moves a fit; keeps the unclipped norm unclipped.
constexpr double kSmallestDeviation =
    0x1p-12;  // Of the range's half-width; below it the column is a constant.

std::size_t magnitude_bin(double x) {
  if (x == 0) {
    return kExponents;
  }
  int exponent = 0;
  std::frexp(x, &exponent);  // |x| in [2^(exponent - 1), 2^exponent).
  const int magnitude = std::clamp(exponent - kLowestExponent, 0, kExponents);
  return static_cast<std::size_t>(x > 0 ? kExponents + magnitude : kExponents - magnitude);
}

/// The largest magnitude a histogram's half shows; 0 when it shows none.
double largest_magnitude(std::span<const double> histogram, int direction, double believed) {
  for (int magnitude = kExponents; magnitude > 0; --magnitude) {
    if (histogram[static_cast<std::size_t>(kExponents + direction * magnitude)] > believed) {
      return std::ldexp(1.0, magnitude + kLowestExponent);
    }
  }
  return 0;
}

struct Range {
  double middle;
  double half_width;
};

/// Distinct words of a text that surely count in full, with a unit of privacy.
constexpr double kWordsOfText = 32;

std::vector<std::uint32_t> columns_in(const std::vector<ColumnRange>& ranges) {
  std::vector<std::uint32_t> columns;
  for (const ColumnRange& range : ranges) {
    for (std::uint32_t c = range.begin; c < range.end; ++c) {
      columns.push_back(c);
    }
  }
  return columns;
}

Range range_of(double low, double high) {
  const double half = (high - low) / 2;
  return {.middle = low + half, .half_width = half > 0 ? half : 1};
}

}  // namespace

Preparation::Preparation(Options options) : options_(std::move(options)) {
  const FeatureSpace& space = options_.space;
  if (options_.standardise) {
    for (std::uint32_t c = 0; c < space.numeric; ++c) {
      if (std::isnan(space.range_low[c]) || std::isnan(space.range_high[c])) {
        undeclared_.push_back(c);
      }
    }
  }
  label_undeclared_ =
      space.label == LabelKind::number && (std::isnan(space.label_low) || std::isnan(space.label_high));
  documents_ = columns_in(space.texts);
  counted_ = columns_in(space.counted_ranges);
  std::erase_if(counted_,
                [this](std::uint32_t column) { return std::ranges::binary_search(documents_, column); });
  if (options_.unit == Unit::none && options_.min_contributors > 1) {
    sparse_ = columns_in(space.sparse_ranges);
  }
  // Nothing clips without a unit of privacy, whatever a merchant has; with one, most units surely do not.
  const bool exact = options_.unit == Unit::none;
  const bool merchants = counted_unit() == Unit::merchant;
  const double many = merchants ? (exact ? static_cast<double>(options_.max_units) : 1024) : 32;
  const bool one_row =
      counted_unit() == Unit::record || (options_.kind == RowKind::customer && is_customer(counted_unit()));
  if (options_.rows_per_unit <= 0 || exact) {
    options_.rows_per_unit = one_row ? 1 : many;
  }
  if (options_.words_per_unit <= 0) {
    // Texts have their own count.
    const auto counted_columns =
        static_cast<std::size_t>(std::ranges::count_if(space.counted_ranges, [&](const ColumnRange& range) {
          return std::ranges::find(space.texts, range.begin, &ColumnRange::begin) == space.texts.end();
        }));
    const double words = options_.kind == RowKind::customer
                             ? 64
                             : static_cast<double>(std::max<std::size_t>(counted_columns, 1));
    options_.words_per_unit = words * options_.rows_per_unit;
  }
  if (magnitudes() > 0) {
    stages_.push_back(Stage::magnitudes);
  }
  if (!sparse_.empty()) {
    stages_.push_back(Stage::contributors);
  }
  // What enough merchants have, as many units have: no second count where it could say nothing new.
  if (!counted_.empty() && (sparse_.empty() || options_.kept_at_least > contributors_needed())) {
    stages_.push_back(Stage::vocabulary);
  }
  if (!documents_.empty()) {
    stages_.push_back(Stage::documents);
  }
  stages_.push_back(Stage::moments);
}

Unit Preparation::natural_unit() const {
  return options_.kind == RowKind::customer ? Unit::customer : Unit::record;
}

// Parameters: low of each numeric column, high of each, mean of each, deviation of each, 1 or 0 for each counted column
// (kept), 1 or 0 for each sparse one (enough merchants have it), document frequency of each word of a text (0: too small to be
// believed), low and high of a numeric label, number of training rows.
Model Preparation::initial_model(std::uint64_t) const {
  const FeatureSpace& space = options_.space;
  Model model;
  for (const std::vector<double>* bound : {&space.range_low, &space.range_high}) {
    for (std::uint32_t c = 0; c < space.numeric; ++c) {
      const double unknown = bound == &space.range_low ? -1 : 1;
      model.parameters.push_back(std::isnan((*bound)[c]) ? unknown : (*bound)[c]);
    }
  }
  model.parameters.insert(model.parameters.end(), space.numeric, 0.0);
  model.parameters.insert(model.parameters.end(), space.numeric, 1.0);
  model.parameters.insert(model.parameters.end(), counted_.size() + sparse_.size(), 1.0);
  model.parameters.insert(model.parameters.end(), documents_.size(), 0.0);
  if (space.label == LabelKind::number) {
    model.parameters.push_back(label_undeclared_ ? -1 : space.label_low);
    model.parameters.push_back(label_undeclared_ ? 1 : space.label_high);
  }
  model.parameters.push_back(0.0);
  return model;
}

std::size_t Preparation::size() const {
  return first_document() + documents_.size() + (options_.space.label == LabelKind::number ? 2u : 0u) + 1;
}

std::size_t Preparation::first_document() const {
  return 4 * std::size_t{options_.space.numeric} + counted_.size() + sparse_.size();
}

std::optional<Preparation::Stage> Preparation::stage_at(std::uint64_t step) const {
  return step < stages_.size() ? std::optional(stages_[step]) : std::nullopt;
}

PrivateSum Preparation::sum_of(Stage stage) const {
  const bool exact = options_.unit == Unit::none;
  const double rows = options_.rows_per_unit;
  const double columns = options_.standardise ? options_.space.numeric : 0;
  PrivateSum sum;
  sum.purpose = Purpose::statistics;
  double norm = 1;
  switch (stage) {
    case Stage::magnitudes:
      sum.name = "magnitudes";
      sum.length = magnitudes() * kMagnitudeBins;
      norm = rows * std::sqrt(static_cast<double>(magnitudes()));
      break;
    case Stage::contributors:
      sum.name = "contributors";
      sum.without_privacy = Unit::merchant;
      sum.length = sparse_.size();
      norm = std::sqrt(static_cast<double>(sparse_.size()));
      break;
    case Stage::vocabulary:
      sum.name = "vocabulary";
      sum.length = counted_.size();
      norm = std::sqrt(exact ? static_cast<double>(counted_.size()) : options_.words_per_unit);
      break;
    case Stage::documents: {
      const double texts = static_cast<double>(options_.space.texts.size());
      sum.name = "documents";
      sum.length = documents_.size();
      norm = rows * std::sqrt(exact ? static_cast<double>(documents_.size()) : kWordsOfText * texts);
      break;
    }
    case Stage::moments:
      sum.name = "moments";
      sum.length = 1 + 3 * static_cast<std::size_t>(columns);
      norm = rows * std::sqrt(1 + 1.25 * columns);
      break;
  }
  sum.clip_norm = exact ? power_of_two_above(norm) : norm;
  return sum;
}

std::optional<PrivateSum> Preparation::next_sum(const Model& model) const {
  const std::optional<Stage> stage = stage_at(model.step);
  return stage ? std::optional(sum_of(*stage)) : std::nullopt;
}

std::optional<PrivateSum> Preparation::evaluation_sum(const Model&) const {
  return std::nullopt;
}

Contributor Preparation::contributor(const Model& model, const PrivateSum& sum) const {
  const std::optional<Stage> stage = stage_at(model.step);
  check(stage && sum.name == sum_of(*stage).name, "a contributor is asked for the next sum");
  switch (*stage) {
    case Stage::magnitudes:
      return magnitudes_contributor();
    case Stage::contributors:
    case Stage::vocabulary:
      return presence_contributor(model, *stage);
    case Stage::documents:
      return documents_contributor(model);
    case Stage::moments:
      break;
  }
  return moments_contributor(model);
}

Contributor Preparation::magnitudes_contributor() const {
  const auto sums = std::make_shared<ContributionAccumulator>(0, magnitudes() * kMagnitudeBins, 1);
  return [this, sums](const UnitRows& unit, Contribution& out) {
    for (std::size_t i = 0; i < unit.train.size(); ++i) {
      const SparseRow row = unit.train.row(i);
      for (std::size_t k = 0; k < undeclared_.size(); ++k) {
        const double x = static_cast<double>(row.values[undeclared_[k]]);
        if (!std::isnan(x)) {
          (*sums)[k * kMagnitudeBins + magnitude_bin(x)] += 1.0;
        }
      }
      if (label_undeclared_) {
        const double y = static_cast<double>(unit.train.label(i));
        (*sums)[undeclared_.size() * kMagnitudeBins + magnitude_bin(y)] += 1.0;
      }
    }
    sums->flush(out);
  };
}

/// A 1 for each column that the unit has in a training row, once however often.
Contributor Preparation::presence_contributor(const Model& model, Stage stage) const {
  const bool vocabulary = stage == Stage::vocabulary;
  const std::vector<std::uint32_t>& lanes = vocabulary ? counted_ : sparse_;
  constexpr std::uint32_t kNone = kDropped;
  std::vector<std::uint32_t> lane_of(options_.space.width, kNone);
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    lane_of[lanes[lane]] = static_cast<std::uint32_t>(lane);
  }
  // How many units have what too few merchants have, is not asked.
  const std::vector<bool> hidden = vocabulary ? hidden_columns(model) : std::vector<bool>();
  for (std::size_t column = 0; column < hidden.size(); ++column) {
    lane_of[column] = hidden[column] ? kNone : lane_of[column];
  }
  const auto sums = std::make_shared<ContributionAccumulator>(0, lanes.size(), 1);
  return [lane_of = std::move(lane_of), sums](const UnitRows& unit, Contribution& out) {
    for (std::size_t i = 0; i < unit.train.size(); ++i) {
      for (const std::uint32_t column : unit.train.row(i).columns) {
        if (lane_of[column] != kNone) {
          (*sums)[lane_of[column]] = 1.0;
        }
      }
    }
    sums->flush(out);
  };
}

Contributor Preparation::documents_contributor(const Model& model) const {
  std::vector<std::uint32_t> lane_of(options_.space.width, kDropped);
  for (std::size_t lane = 0; lane < documents_.size(); ++lane) {
    lane_of[documents_[lane]] = static_cast<std::uint32_t>(lane);
  }
  const std::vector<bool> hidden = hidden_columns(model);
  for (std::size_t column = 0; column < hidden.size(); ++column) {
    lane_of[column] = hidden[column] ? kDropped : lane_of[column];
  }
  const auto sums = std::make_shared<ContributionAccumulator>(0, documents_.size(), 1);
  return [lane_of = std::move(lane_of), sums](const UnitRows& unit, Contribution& out) {
    for (std::size_t i = 0; i < unit.train.size(); ++i) {
      for (const std::uint32_t column : unit.train.row(i).columns) {
        if (lane_of[column] != kDropped) {
          (*sums)[lane_of[column]] += 1.0;
        }
      }
    }
    sums->flush(out);
  };
}

Contributor Preparation::moments_contributor(const Model& model) const {
  const std::size_t numeric = options_.standardise ? options_.space.numeric : 0;
  struct Scratch {
    std::vector<Range> ranges;
    std::vector<double> lanes;
  };
  const auto scratch = std::make_shared<Scratch>();
  for (std::size_t c = 0; c < numeric; ++c) {
    scratch->ranges.push_back(range_of(model.parameters[c], model.parameters[options_.space.numeric + c]));
  }
  return [scratch, numeric](const UnitRows& unit, Contribution& out) {
    if (unit.train.empty()) {
      return;
    }
    std::vector<double>& lanes = scratch->lanes;
    lanes.assign(1 + 3 * numeric, 0.0);
    for (std::size_t i = 0; i < unit.train.size(); ++i) {
      const SparseRow row = unit.train.row(i);
      lanes[0] += 1;
      for (std::size_t c = 0; c < numeric; ++c) {
        const double x = static_cast<double>(row.values[c]);
        if (std::isnan(x)) {
          lanes[3 + 3 * c] += 1;
          continue;
        }
        const Range range = scratch->ranges[c];
        const double u = std::clamp((x - range.middle) / range.half_width, -1.0, 1.0);
        lanes[1 + 3 * c] += u;
        lanes[2 + 3 * c] += u * u - 0.5;
      }
    }
    out.add_block(0, lanes);
  };
}

Metrics Preparation::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  const std::optional<Stage> stage = stage_at(model.step);
  check(stage && total.size() == sum.length && sum.length == sum_of(*stage).length,
        "a total is applied to the model that asked for it");
  ++model.step;
  switch (*stage) {
    case Stage::magnitudes:
      apply_magnitudes(model, sum, total);
      return {};
    case Stage::contributors:
      apply_contributors(model, total);
      return {};
    case Stage::vocabulary:
      apply_vocabulary(model, sum, total);
      return {};
    case Stage::documents:
      apply_documents(model, sum, total);
      return {};
    case Stage::moments:
      break;
  }
  return apply_moments(model, sum, total);
}

void Preparation::apply_magnitudes(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  const double believed = std::max(kBelieved * noise_deviation(sum), 0.5);
  for (std::size_t k = 0; k < magnitudes(); ++k) {
    const std::span<const double> histogram = total.subspan(k * kMagnitudeBins, kMagnitudeBins);
    const double low = -largest_magnitude(histogram, -1, believed);
    const double high = largest_magnitude(histogram, 1, believed);
    const bool shown = low < high;
    const bool label = k == undeclared_.size();
    model.parameters[label ? size() - 3 : undeclared_[k]] = shown ? low : -1;
    model.parameters[label ? size() - 2 : options_.space.numeric + undeclared_[k]] = shown ? high : 1;
  }
}

void Preparation::apply_contributors(Model& model, std::span<const double> total) const {
  const std::size_t first = 4 * std::size_t{options_.space.numeric} + counted_.size();
  for (std::size_t k = 0; k < sparse_.size(); ++k) {
    model.parameters[first + k] = total[k] >= contributors_needed() - 0.5 ? 1 : 0;
  }
}

/// One a raw column; empty when no merchants are counted.
std::vector<bool> Preparation::hidden_columns(const Model& model) const {
  std::vector<bool> hidden(sparse_.empty() ? 0 : options_.space.width, false);
  const std::size_t first = 4 * std::size_t{options_.space.numeric} + counted_.size();
  for (std::size_t k = 0; k < sparse_.size(); ++k) {
    hidden[sparse_[k]] = !(model.parameters[first + k] > 0.5);
  }
  return hidden;
}

void Preparation::apply_vocabulary(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  // Half a unit of slack: a released count may be a grid step short of its integer.
  const double believed = std::max({kBelieved * noise_deviation(sum), options_.kept_at_least - 0.5, 0.5});
  const std::size_t first = 4 * std::size_t{options_.space.numeric};
  for (std::size_t k = 0; k < counted_.size(); ++k) {
    model.parameters[first + k] = total[k] >= believed ? 1 : 0;
  }
}

void Preparation::apply_documents(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  const double believed = std::max({kBelieved * noise_deviation(sum), options_.kept_at_least - 0.5, 0.5});
  for (std::size_t k = 0; k < documents_.size(); ++k) {
    model.parameters[first_document() + k] = total[k] >= believed ? std::round(total[k]) : 0;
  }
}

Metrics Preparation::apply_moments(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  const double noise = noise_deviation(sum);
  const double rows = std::max(std::round(total[0]), 0.0);
  model.parameters.back() = rows;
  const std::size_t numeric = options_.space.numeric;
  for (std::size_t c = 0; options_.standardise && c < numeric; ++c) {
    const Range range = range_of(model.parameters[c], model.parameters[numeric + c]);
    const double released_missing = total[3 + 3 * c];
    const double missing = released_missing > std::max(kBelieved * noise, 0.5) ? released_missing : 0;
    const double present = rows - missing;
    double mean = 0;
    double deviation = 1;
    if (present >= 1) {
      mean = std::clamp(total[1 + 3 * c] / present, -1.0, 1.0);
      const double variance = total[2 + 3 * c] / present + 0.5 - mean * mean;
      const double floor = std::max(kSmallestDeviation * kSmallestDeviation, 2 * noise / present);
      deviation = std::sqrt(std::clamp(variance, std::min(floor, 1.0), 1.0));
    }
    model.parameters[2 * numeric + c] = range.middle + range.half_width * mean;
    model.parameters[3 * numeric + c] = range.half_width * deviation;
  }
  return {{"train_rows", rows}};
}

Encoding Preparation::encoding(const Model& model) const {
  const FeatureSpace& space = options_.space;
  const std::size_t numeric = space.numeric;
  check(model.parameters.size() == size() && !next_sum(model),
        "an encoding is asked of a finished preparation");
  std::vector<bool> kept(space.width, true);
  for (std::size_t k = 0; k < counted_.size(); ++k) {
    kept[counted_[k]] = model.parameters[4 * numeric + k] > 0.5;
  }
  // A word too rare to be believed is taken to be as frequent as the rarest that is.
  const double rows = model.parameters.back();
  double rarest = 0;
  for (std::size_t k = 0; k < documents_.size(); ++k) {
    const double frequency = model.parameters[first_document() + k];
    kept[documents_[k]] = frequency > 0;
    rarest = frequency > 0 && (rarest == 0 || frequency < rarest) ? frequency : rarest;
  }
  Encoding encoding = thinned_encoding(space, options_.kind, kept, hidden_columns(model));
  for (std::size_t k = 0; k < documents_.size(); ++k) {
    const double frequency = std::max(model.parameters[first_document() + k], rarest);
    encoding.idf[k] = std::log((1 + std::max(rows, frequency)) / (1 + frequency)) + 1;
  }
  if (options_.standardise && numeric > 0) {
    const auto at = [&](std::size_t i) {
      return model.parameters.begin() + static_cast<std::ptrdiff_t>(i * numeric);
    };
    encoding.mean.assign(at(2), at(3));
    encoding.deviation.assign(at(3), at(4));
    encoding.outlier_limit = options_.outlier_limit > 0    ? options_.outlier_limit
                             : options_.unit == Unit::none ? kOutlierLimitExact
                                                           : kOutlierLimitNoisy;
  }
  if (space.label == LabelKind::number) {
    encoding.label_low = model.parameters[size() - 3];
    encoding.label_high = model.parameters[size() - 2];
  }
  encoding.train_rows = model.parameters.back();
  return encoding;
}

std::vector<NamedArray> Preparation::arrays(const Model& model) const {
  const std::size_t numeric = options_.space.numeric;
  const auto part = [&](std::size_t begin, std::size_t count) {
    const auto first = model.parameters.begin() + static_cast<std::ptrdiff_t>(begin);
    return std::vector<double>(first, first + static_cast<std::ptrdiff_t>(count));
  };
  std::vector<NamedArray> arrays = {
      {.name = "range_low", .shape = {numeric}, .values = part(0, numeric)},
      {.name = "range_high", .shape = {numeric}, .values = part(numeric, numeric)},
      {.name = "mean", .shape = {numeric}, .values = part(2 * numeric, numeric)},
      {.name = "deviation", .shape = {numeric}, .values = part(3 * numeric, numeric)},
      {.name = "kept", .shape = {counted_.size()}, .values = part(4 * numeric, counted_.size())},
      {.name = "shared",
       .shape = {sparse_.size()},
       .values = part(4 * numeric + counted_.size(), sparse_.size())},
      {.name = "documents",
       .shape = {documents_.size()},
       .values = part(first_document(), documents_.size())},
      {.name = "train_rows", .shape = {1}, .values = part(size() - 1, 1)}};
  if (options_.space.label == LabelKind::number) {
    arrays.push_back({.name = "label_range", .shape = {2}, .values = part(size() - 3, 2)});
  }
  return arrays;
}

}  // namespace hanse
