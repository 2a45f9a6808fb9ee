#include "common/workloads/segments.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/numerics/kmeans.h"
#include "common/numerics/linear.h"
#include "common/numerics/symmetric.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/segment_words.h"
#include "common/workloads/two_parts.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr std::uint32_t kWidthMax = 1024;  // Half a million products of pairs.
constexpr std::size_t kSegmentsMax = 256;
// Without noise a fine grid costs nothing; with it, each cell's count carries noise of its own.
constexpr double kCells = 4096;
constexpr std::size_t kAxes = 6;
constexpr std::size_t kCellsEachNoisy = 10;
constexpr std::size_t kAxesNoisy = 2;
constexpr std::size_t kSets = 8;    // Of centres, without noise.
constexpr int kStarts = 50;         // Of k-means++ in the sketch, for the first set,
constexpr int kStartsOfOthers = 3;  // and for the others, which are to differ.
constexpr double kBelieved = 4;     // Deviations of the noise that a published count stands above it,
constexpr double kSketched = 2;     // and a cell's, which nobody reads by itself.
constexpr double kStill = 1e-7;     // Longest move of a centre that stands still.
constexpr double kNarrowest =
    1e-3;  // Least deviation that a column of rfm is standardised by, and an axis is cut by.

double points_of(const Segments::Options& options, bool rfm) {
  if (options.points_per_unit > 0) {
    return options.points_per_unit;
  }
  if (rfm) {
    return options.unit == Unit::merchant ? 64 : 1;
  }
  return TestRows{options.unit, 0}.most(Unit::record);
}

ProductSum::Options product_options(const Segments::Options& options, const CustomerPoints& points) {
  ProductSum::Options products;
  products.width = points.columns() + 1;
  products.rows = options.train_rows;
  products.exact = options.unit == Unit::none;
  products.clip = (points.rfm() ? 4 : 3 * (1 + points.expected_square())) * points_of(options, points.rfm());
  products.rows_of = points.rows_of();
  return products;
}

}  // namespace

struct Segments::Places {
  std::size_t scale, deviation, axes, along, centres, counts, points, best, finished, size;
};

Segments::Segments(Options options, CustomerPoints points)
    : options_(std::move(options)),
      points_(std::move(points)),
      products_(product_options(options_, points_)),
      errors_(points_, {options_.unit, options_.test_points_per_unit, options_.max_units}) {}

Segments::Places Segments::places() const {
  const std::size_t p = columns();
  Places places{};
  places.scale = p;
  places.deviation = 2 * p;
  places.axes = 3 * p;
  places.along = places.axes + axes() * p;
  places.centres = places.along + axes();
  places.counts = places.centres + sets() * options_.segments * p;
  places.points = places.counts + sets() * options_.segments;
  places.best = places.points + 1;
  places.finished = places.best + 1;
  places.size = places.finished + 1;
  return places;
}

std::size_t Segments::axes() const {
  return std::min(columns(), exact() ? kAxes : kAxesNoisy);
}

std::size_t Segments::cells_an_axis() const {
  const double each = std::floor(std::pow(kCells, 1 / static_cast<double>(axes())) + 1e-9);
  return exact() ? static_cast<std::size_t>(std::min(each, 64.0)) : kCellsEachNoisy;
}

std::size_t Segments::sets() const {
  return exact() ? kSets : 1;
}

CellGrid Segments::grid(const Model& model) const {
  const std::span<const double> parameters(model.parameters);
  return CellGrid(parameters.subspan(places().axes, axes() * columns()),
                  parameters.subspan(places().along, axes()), cells_an_axis());
}

std::span<const double> Segments::centres_of(const Model& model, std::size_t set) const {
  const std::size_t size = options_.segments * columns();
  return std::span(model.parameters).subspan(places().centres + set * size, size);
}

std::span<const double> Segments::counts_of(const Model& model, std::size_t set) const {
  return std::span(model.parameters).subspan(places().counts + set * options_.segments, options_.segments);
}

std::size_t Segments::best_set(const Model& model) const {
  return static_cast<std::size_t>(model.parameters[places().best]);
}

Model Segments::initial_model(std::uint64_t) const {
  const Places at = places();
  Model model;
  model.parameters.assign(at.size, 0.0);
  std::fill_n(model.parameters.begin() + static_cast<std::ptrdiff_t>(at.scale), 2 * columns(), 1.0);
  std::fill_n(model.parameters.begin() + static_cast<std::ptrdiff_t>(at.along), axes(), 1.0);
  return model;
}

PrivateSum Segments::cells_sum() const {
  PrivateSum sum;
  sum.name = "cells";
  sum.length = CellGrid::cells(axes(), cells_an_axis());
  sum.clip_norm = exact() ? 1 : points_of(options_, points_.rfm());  // Each point is one 1.
  return sum;
}

PrivateSum Segments::clusters_sum() const {
  const std::size_t k = options_.segments;
  const double points = static_cast<double>(sets()) * (options_.train_rows + static_cast<double>(k));
  const double expected = std::sqrt(1 + points_.expected_square()) * points_of(options_, points_.rfm());
  PrivateSum sum;
  sum.name = "clusters";
  sum.length = exact() ? 2 * sets() * (k * (columns() + 2) + 1) : k * (columns() + 1);
  sum.clip_norm = exact()             ? 4 * kUnclippedSquare * power_of_two_above(points)
                  : options_.clip > 0 ? options_.clip
                                      : expected;
  sum.without_privacy = Unit::merchant;
  return sum;
}

std::optional<PrivateSum> Segments::next_sum(const Model& model) const {
  if (model.step < 2) {
    return model.step == 0 ? products_.sum() : cells_sum();
  }
  const bool finished = model.parameters[places().finished] > 0.5;
  return finished ? std::nullopt : std::optional(clusters_sum());
}

std::optional<PrivateSum> Segments::evaluation_sum(const Model&) const {
  return errors_.sum();
}

void Segments::standardise(const Model& model, std::span<const double> point, std::span<double> into) const {
  for (std::size_t c = 0; c < point.size(); ++c) {
    into[c] = (point[c] - model.parameters[c]) / model.parameters[places().scale + c];
  }
}

template <class Take>
void Segments::for_each_point(const Model& model, const Rows& rows, const Take& take) const {
  std::vector<double> standardised(columns());
  points_.for_each(rows, [&](std::span<const double> point) {
    standardise(model, point, standardised);
    take(std::span<const double>(standardised));
  });
}

Contributor Segments::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == places().size, "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return errors_.contributor([this, &model](std::span<const double> point,
                                              std::span<double> into) { standardise(model, point, into); },
                               centres_of(model, best_set(model)));
  }
  return model.step == 0   ? products_.contributor()
         : model.step == 1 ? cells_contributor(model)
         : exact()         ? exact_contributor(model)
                           : clusters_contributor(model);
}

Contributor Segments::cells_contributor(const Model& model) const {
  const auto counts = std::make_shared<ContributionAccumulator>(0, cells_sum().length, 1);
  return [this, counts, grid = grid(model), &model](const UnitRows& unit, Contribution& out) {
    for_each_point(model, unit.train, [&](std::span<const double> s) { (*counts)[grid.cell_of(s)] += 1; });
    counts->flush(out);
  };
}

void Segments::add_point(std::span<const double> s, std::span<const double> centre, std::span<double> block) {
  block[0] += 1;
  for (std::size_t c = 0; c < s.size(); ++c) {
    block[1 + c] += s[c] - centre[c];
  }
}

// Of each centre: count, sum of s - c.
Contributor Segments::clusters_contributor(const Model& model) const {
  const auto sums = std::make_shared<ContributionAccumulator>(0, options_.segments, columns() + 1);
  return [this, sums, centres = centres_of(model, 0), &model](const UnitRows& unit, Contribution& out) {
    for_each_point(model, unit.train, [&](std::span<const double> s) {
      const std::size_t j = nearest_centre(s, centres).index;
      add_point(s, centres.subspan(j * s.size(), s.size()), sums->block(j));
    });
    sums->flush(out);
  };
}

// Of each centre of each set: count, sum of s - c, and whether the merchant has any. Last the squares of each set.
Contributor Segments::exact_contributor(const Model& model) const {
  return [this, &model](const UnitRows& unit, Contribution& out) {
    const std::size_t k = options_.segments;
    const std::size_t block = columns() + 2;
    std::vector<double> sums(sets() * (k * block + 1), 0.0);
    double size = 0;
    for_each_point(model, unit.train, [&](std::span<const double> s) {
      for (std::size_t set = 0; set < sets(); ++set) {
        const std::span<const double> centres = centres_of(model, set);
        const NearestCentre nearest = nearest_centre(s, centres);
        const std::span<double> into = std::span(sums).subspan((set * k + nearest.index) * block, block);
        add_point(s, centres.subspan(nearest.index * s.size(), s.size()), into);
        into.back() = 1;
        sums[sets() * k * block + set] += nearest.square;
        size += 1 + nearest.square;
      }
    });
    if (size > 0) {
      refuse_beyond(size, clusters_sum().clip_norm / 8);
      split_in_two(sums, clusters_sum().clip_norm);
      out.add_block(0, sums);
    }
  };
}

Metrics Segments::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  if (sum.purpose == Purpose::evaluation) {
    return errors_.metrics(total);
  }
  const std::uint64_t step = model.step++;
  if (step == 0) {
    return apply_products(model, total);
  }
  if (step == 1) {
    apply_cells(model, sum, total);
    return {};
  }
  return apply_clusters(model, sum, total);
}

Metrics Segments::apply_products(Model& model, std::span<const double> total) const {
  const std::size_t p = columns();
  const std::size_t n = p + 1;
  const Places at = places();
  std::vector<double> moments = products_.matrix(total);
  if (!exact()) {
    moments = from_eigen(symmetric_eigen(moments, n), [](double value) { return std::max(value, 0.0); });
  }
  const double count = moments[p * n + p];
  std::vector<double> covariance(p * p, 0.0);
  double variance = 0;
  if (count > 0.5) {
    model.parameters[at.points] = count;
    for (std::size_t i = 0; i < p; ++i) {
      const double mean = moments[p * n + i] / count;
      const double deviation = std::sqrt(std::max(moments[i * n + i] / count - mean * mean, 0.0));
      model.parameters[i] = points_.rfm() ? std::clamp(mean, -1.0, 1.0) : mean;
      model.parameters[at.deviation + i] = std::max(deviation, kNarrowest);
      model.parameters[at.scale + i] = points_.rfm() ? std::max(deviation, kNarrowest) : 1;
    }
    for (std::size_t i = 0; i < p; ++i) {
      for (std::size_t j = 0; j < p; ++j) {
        const double scales = model.parameters[at.scale + i] * model.parameters[at.scale + j];
        covariance[i * p + j] =
            (moments[i * n + j] - moments[p * n + i] * moments[p * n + j] / count) / count / scales;
      }
      variance += covariance[i * p + i];
    }
  }
  const SymmetricEigen eigen = symmetric_eigen(covariance, p);
  for (std::size_t a = 0; a < axes(); ++a) {
    std::ranges::copy(eigen.vector(p - 1 - a),
                      model.parameters.begin() + static_cast<std::ptrdiff_t>(at.axes + a * p));
    model.parameters[at.along + a] = std::max(std::sqrt(std::max(eigen.values[p - 1 - a], 0.0)), kNarrowest);
  }
  return exact() && count > 0.5 ? Metrics{{"train_loss", variance}} : Metrics();
}

void Segments::apply_cells(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  const double believed = std::max(kSketched * options_.noise_multiplier * sum.clip_norm, 0.5);
  const CellGrid grid = this->grid(model);
  std::vector<double> middles;
  std::vector<double> weights;
  for (std::size_t cell = 0; cell < total.size(); ++cell) {
    if (total[cell] > believed) {
      const std::vector<double> middle = grid.middle(cell);
      middles.insert(middles.end(), middle.begin(), middle.end());
      weights.push_back(total[cell]);
    }
  }
  std::vector<double> starts;
  for (std::size_t set = 0; set < sets(); ++set) {
    const std::vector<double> sketch =
        kmeans_centres(middles, weights, axes(), options_.segments, set == 0 ? kStarts : kStartsOfOthers,
                       split_mix(options_.seed + set));
    for (std::size_t j = 0; j < options_.segments; ++j) {
      const std::vector<double> centre = grid.point_at(std::span(sketch).subspan(j * axes(), axes()));
      starts.insert(starts.end(), centre.begin(), centre.end());
    }
  }
  std::ranges::copy(starts, model.parameters.begin() + static_cast<std::ptrdiff_t>(places().centres));
}

Metrics Segments::apply_clusters(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  const std::size_t p = columns();
  const std::size_t k = options_.segments;
  const std::size_t block = p + (exact() ? 2u : 1u);
  const Places at = places();
  const std::vector<double> values = joined(total, exact());
  const double believed = std::max(kBelieved * options_.noise_multiplier * sum.clip_norm, 0.5);
  std::vector<double> farthest(sets(), 0.0);
  double points = 0;
  for (std::size_t j = 0; j < sets() * k; ++j) {
    const double count = values[j * block];
    const bool enough = !exact() || values[j * block + block - 1] >= options_.merchants_needed - 0.5;
    const bool seen = enough && count > believed;
    points += j < k ? count : 0;
    model.parameters[at.counts + j] = seen ? count : 0;
    for (std::size_t c = 0; seen && c < p; ++c) {
      const double move = values[j * block + 1 + c] / count;
      model.parameters[at.centres + j * p + c] += move;
      farthest[j / k] = std::max(farthest[j / k], std::abs(move));
    }
  }
  if (!exact()) {
    return {};
  }
  const auto squares = values.end() - static_cast<std::ptrdiff_t>(sets());
  const auto best = std::min_element(squares, values.end());
  const auto set = static_cast<std::size_t>(best - squares);
  model.parameters[at.best] = static_cast<double>(set);
  model.parameters[at.finished] = farthest[set] < kStill ? 1 : 0;
  return points > 0.5 ? Metrics{{"train_loss", *best / points}} : Metrics();
}

std::vector<std::size_t> Segments::published(const Model& model) const {
  const std::span<const double> counts = counts_of(model, best_set(model));
  std::vector<std::size_t> chosen;
  for (std::size_t j = 0; j < counts.size(); ++j) {
    if (counts[j] > 0) {
      chosen.push_back(j);
    }
  }
  std::ranges::stable_sort(chosen, std::ranges::greater{}, [&](std::size_t j) { return counts[j]; });
  return chosen;
}

std::vector<NamedArray> Segments::arrays(const Model& model) const {
  const std::size_t p = columns();
  const std::span<const double> best = centres_of(model, best_set(model));
  NamedArray centres{.name = "centres", .shape = {0, p}, .values = {}};
  NamedArray shares{.name = "shares", .shape = {0}, .values = {}};
  double together = 0;
  for (const std::size_t j : published(model)) {
    for (std::size_t c = 0; c < p; ++c) {
      const double value = model.parameters[c] + model.parameters[places().scale + c] * best[j * p + c];
      centres.values.push_back(points_.in_file_units(c, value));
    }
    shares.values.push_back(counts_of(model, best_set(model))[j]);
    together += shares.values.back();
  }
  for (double& share : shares.values) {
    share /= together;
  }
  centres.shape[0] = shares.shape[0] = shares.values.size();
  return {std::move(centres), std::move(shares)};
}

Insights Segments::insights(const Model& model) const {
  const Places at = places();
  const std::size_t p = columns();
  const std::span<const double> best = centres_of(model, best_set(model));
  const std::vector<NamedArray> arrays = this->arrays(model);
  SegmentTable table;
  table.rfm = points_.rfm();
  table.centres = arrays[0].values;
  table.shares = arrays[1].values;
  for (std::size_t c = 0; c < p; ++c) {
    table.names.push_back(points_.name(c));
    table.words.push_back(!points_.rfm() && c >= points_.space().numeric);
  }
  for (const std::size_t j : published(model)) {
    for (std::size_t c = 0; c < p; ++c) {
      table.scores.push_back(best[j * p + c] * model.parameters[at.scale + c] /
                             model.parameters[at.deviation + c]);
    }
    table.counts.push_back(exact() ? counts_of(model, best_set(model))[j] : 0);
  }
  table.hidden = options_.segments - table.shares.size();
  return segment_insights(table);
}

std::unique_ptr<Workload> make_segments(const Configuration& configuration, const WorkloadFacts& facts) {
  needs_records(configuration, facts,
                {LabelKind::none, LabelKind::binary, LabelKind::number, LabelKind::one_of_many});
  refuse_small_ring(configuration, "workload.name=segments");
  if (configuration.privacy.turns > 1 || configuration.privacy.adaptive_clip) {
    throw bad_input(
        "workload.name=segments has rounds of several kinds: leave out privacy.turns and "
        "privacy.adaptive_clip");
  }
  if (configuration.federation.rounds < 3) {
    throw bad_input(
        "federation.rounds: workload.name=segments has two sums before its first segments; give it 3 at "
        "least");
  }
  const OtherOptions& other = configuration.workload.other;
  Segments::Options options;
  options.segments = count_option<std::size_t>(other, "segments", options.segments);
  if (options.segments < 1 || options.segments > kSegmentsMax) {
    throw bad_input("workload.segments: expected 1 to 256");
  }
  if (facts.space.width > kWidthMax) {
    throw bad_input("workload.name=segments sums the products of all pairs of columns, and " +
                    std::to_string(facts.space.width) + " columns are too many: at most " +
                    std::to_string(kWidthMax) + "; hash data.categorical into fewer buckets");
  }
  CustomerPoints points = customer_points(configuration, facts);
  options.train_rows = facts.train_rows;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.points_per_unit = number_option(other, points.rfm() ? "customers_per_unit" : "rows_per_unit", 0);
  options.test_points_per_unit = number_option(other, "test_rows_per_unit", 0);
  options.noise_multiplier = facts.update_noise;
  options.merchants_needed = facts.merchants == 1 ? 1 : configuration.privacy.min_contributors;
  options.seed = configuration.federation.seed;
  options.max_units = configuration.data.max_units;
  return std::make_unique<Segments>(std::move(options), std::move(points));
}

}  // namespace hanse
