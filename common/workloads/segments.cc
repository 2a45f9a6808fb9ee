#include "common/workloads/segments.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
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
constexpr double kSegmentsMax = 256;
constexpr double kWidest = 3;    // The grid's half-width in deviations.
constexpr int kStarts = 50;      // Of k-means++ in the sketch.
constexpr double kBelieved = 4;  // Deviations of the noise that a published count stands above it,
constexpr double kSketched = 2;  // and a cell's, which nobody reads by itself.
constexpr double kStill = 1e-7;  // Longest move of a centre that stands still.
constexpr double kNarrowest =
    1e-3;  // Least deviation that a column of rfm is standardised by, and an axis is cut by.
constexpr double kUnclippedSquare = 0x1p14;  // Without noise: (1 + ||s - c||^2) may be so much in the mean.
constexpr double kTestSquare =
    4;  // With noise: ||s||^2 of a test point that counts in full, over the expected.

/// Without noise: a unit's sum of squares that a sum does not hold.
void refuse_beyond(double square, double most) {
  if (!(square <= most)) {
    throw bad_input(
        "data.numeric: some values are so large that their squares do not fit into a sum; set "
        "data.standardise=true, or declare ranges as COLUMN[LOW..HIGH]");
  }
}

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
  std::size_t scale, deviation, axes, along, centres, counts, points, finished, size;
};

Segments::Segments(Options options, CustomerPoints points)
    : options_(std::move(options)),
      points_(std::move(points)),
      products_(product_options(options_, points_)) {}

Segments::Places Segments::places() const {
  const std::size_t p = columns();
  Places places{};
  places.scale = p;
  places.deviation = 2 * p;
  places.axes = 3 * p;
  places.along = places.axes + axes() * p;
  places.centres = places.along + axes();
  places.counts = places.centres + options_.segments * p;
  places.points = places.counts + options_.segments;
  places.finished = places.points + 1;
  places.size = places.finished + 1;
  return places;
}

// Without noise a fine grid costs nothing; with it, each cell's count carries noise of its own.
std::size_t Segments::axes() const {
  return std::min<std::size_t>(columns(), exact() ? 3 : 2);
}
std::size_t Segments::cells_an_axis() const {
  return exact() ? 16 : 10;
}

std::size_t Segments::cells() const {
  std::size_t cells = 1;
  for (std::size_t a = 0; a < axes(); ++a) {
    cells *= cells_an_axis();
  }
  return cells;
}

double Segments::points_per_unit() const {
  return points_of(options_, points_.rfm());
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
  sum.length = cells();
  sum.clip_norm = exact() ? 1 : points_per_unit();  // Each point is one 1.
  return sum;
}

PrivateSum Segments::clusters_sum() const {
  const std::size_t k = options_.segments;
  PrivateSum sum;
  sum.name = "clusters";
  sum.length = exact() ? 2 * (k * (columns() + 2) + 1) : k * (columns() + 1);
  const double longest =
      options_.clip > 0 ? options_.clip : std::sqrt(1 + points_.expected_square()) * points_per_unit();
  sum.clip_norm = exact()
                      ? 4 * kUnclippedSquare *
                            power_of_two_above(std::max(options_.train_rows, 1.0) + static_cast<double>(k))
                      : longest;
  sum.without_privacy = Unit::merchant;
  return sum;
}

std::optional<PrivateSum> Segments::next_sum(const Model& model) const {
  if (model.step == 0) {
    return products_.sum();
  }
  if (model.step == 1) {
    return cells_sum();
  }
  const bool finished = model.parameters[places().finished] > 0.5;
  return finished ? std::nullopt : std::optional(clusters_sum());
}

std::optional<PrivateSum> Segments::evaluation_sum(const Model&) const {
  const TestRows rows{options_.unit, options_.test_points_per_unit, options_.max_units};
  PrivateSum sum;
  sum.name = "test distances";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = exact() ? 6 : 3;
  sum.clip_norm =
      exact() ? 4 * kUnclippedSquare * power_of_two_above(rows.most(Unit::merchant))
              : std::sqrt(3.0) * (points_.rfm() && is_customer(options_.unit) ? 1 : rows.most(Unit::record));
  sum.without_privacy = Unit::merchant;
  return sum;
}

template <class Take>
void Segments::for_each_point(const Model& model, const Rows& rows, const Take& take) const {
  std::vector<double> standardised(columns());
  points_.for_each(rows, [&](std::span<const double> point) {
    for (std::size_t c = 0; c < point.size(); ++c) {
      standardised[c] = (point[c] - model.parameters[c]) / model.parameters[places().scale + c];
    }
    take(std::span<const double>(standardised));
  });
}

Contributor Segments::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == places().size, "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return errors_contributor(model);
  }
  return model.step == 0   ? products_.contributor()
         : model.step == 1 ? cells_contributor(model)
                           : clusters_contributor(model);
}

Contributor Segments::cells_contributor(const Model& model) const {
  const auto counts = std::make_shared<ContributionAccumulator>(0, cells(), 1);
  return [this, counts, &model](const UnitRows& unit, Contribution& out) {
    const Places at = places();
    for_each_point(model, unit.train, [&](std::span<const double> s) {
      std::size_t cell = 0;
      for (std::size_t a = 0; a < axes(); ++a) {
        double along = 0;
        for (std::size_t c = 0; c < s.size(); ++c) {
          along += model.parameters[at.axes + a * s.size() + c] * s[c];
        }
        const double count = static_cast<double>(cells_an_axis());
        const double place = (along / model.parameters[at.along + a] + kWidest) / (2 * kWidest) * count;
        cell =
            cell * cells_an_axis() + static_cast<std::size_t>(std::clamp(std::floor(place), 0.0, count - 1));
      }
      (*counts)[cell] += 1;
    });
    counts->flush(out);
  };
}

// Of each centre: count, sum of s - c, without noise whether the merchant has any. Last, without noise, the squares.
Contributor Segments::clusters_contributor(const Model& model) const {
  const std::size_t k = options_.segments;
  const std::size_t block = columns() + (exact() ? 2u : 1u);
  const auto sums = std::make_shared<ContributionAccumulator>(0, k, block);
  return [this, sums, block, k, &model](const UnitRows& unit, Contribution& out) {
    const std::span<const double> centres =
        std::span(model.parameters).subspan(places().centres, k * columns());
    std::vector<double> dense(exact() ? k * block + 1 : 0, 0.0);
    double size = 0;
    for_each_point(model, unit.train, [&](std::span<const double> s) {
      const NearestCentre nearest = nearest_centre(s, centres);
      const std::span<double> into =
          exact() ? std::span(dense).subspan(nearest.index * block, block) : sums->block(nearest.index);
      into[0] += 1;
      for (std::size_t c = 0; c < s.size(); ++c) {
        into[1 + c] += s[c] - centres[nearest.index * s.size() + c];
      }
      if (exact()) {
        into[block - 1] = 1;
        dense.back() += nearest.square;
      }
      size += 1 + nearest.square;
    });
    if (!exact()) {
      sums->flush(out);
    } else if (size > 0) {
      refuse_beyond(size, clusters_sum().clip_norm / 8);
      split_in_two(dense, clusters_sum().clip_norm);
      out.add_block(0, dense);
    }
  };
}

Contributor Segments::errors_contributor(const Model& model) const {
  return [this, &model](const UnitRows& unit, Contribution& out) {
    if (unit.test.empty() || (points_.rfm() && is_customer(options_.unit) && !unit.train.empty())) {
      return;
    }
    std::vector<bool> trained;  // Customers of the merchant that were trained with.
    for (std::size_t i = 0; points_.rfm() && i < unit.train.size(); ++i) {
      trained.resize(std::max<std::size_t>(trained.size(), unit.train.customer(i) + 1u), false);
      trained[unit.train.customer(i)] = true;
    }
    std::vector<std::uint32_t> order;  // The customer of each point, as points come.
    for (std::size_t i = 0; points_.rfm() && i < unit.test.size(); ++i) {
      if (i == 0 || unit.test.customer(i) != unit.test.customer(i - 1)) {
        order.push_back(unit.test.customer(i));
      }
    }
    const std::span<const double> centres =
        std::span(model.parameters).subspan(places().centres, options_.segments * columns());
    const double most = exact() ? 1 : kTestSquare * points_.expected_square();
    std::vector<double> sums(3, 0.0);
    std::size_t point = 0;
    for_each_point(model, unit.test, [&](std::span<const double> s) {
      if (points_.rfm() && order[point] < trained.size() && trained[order[point]]) {
        ++point;
        return;
      }
      ++point;
      double square = 0;
      for (const double entry : s) {
        square += entry * entry;
      }
      const double within = nearest_centre(s, centres).square;
      sums[0] += exact() ? within : std::min(within / most, 1.0);
      sums[1] += exact() ? square : std::min(square / most, 1.0);
      sums[2] += 1;
    });
    if (sums[2] > 0) {
      if (exact()) {
        refuse_beyond(sums[0] + sums[1] + sums[2], evaluation_sum(model)->clip_norm / 4);
        split_in_two(sums, evaluation_sum(model)->clip_norm);
      }
      out.add_block(0, sums);
    }
  };
}

Metrics Segments::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  if (sum.purpose == Purpose::evaluation) {
    return errors_of(total);
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
  const Places at = places();
  const double believed = kSketched * options_.noise_multiplier * sum.clip_norm;
  std::vector<double> middles;
  std::vector<double> weights;
  for (std::size_t cell = 0; cell < total.size(); ++cell) {
    if (!(total[cell] > std::max(believed, 0.5))) {
      continue;
    }
    weights.push_back(total[cell]);
    std::vector<double> middle(axes());
    std::size_t rest = cell;
    for (std::size_t a = axes(); a-- > 0; rest /= cells_an_axis()) {
      const double place =
          (static_cast<double>(rest % cells_an_axis()) + 0.5) / static_cast<double>(cells_an_axis());
      middle[a] = (2 * place - 1) * kWidest * model.parameters[at.along + a];
    }
    middles.insert(middles.end(), middle.begin(), middle.end());
  }
  const std::vector<double> sketch =
      kmeans_centres(middles, weights, axes(), options_.segments, kStarts, options_.seed);
  for (std::size_t k = 0; k < options_.segments; ++k) {
    for (std::size_t c = 0; c < columns(); ++c) {
      double& centre = model.parameters[at.centres + k * columns() + c];
      centre = 0;
      for (std::size_t a = 0; a < axes(); ++a) {
        centre += sketch[k * axes() + a] * model.parameters[at.axes + a * columns() + c];
      }
    }
  }
}

Metrics Segments::apply_clusters(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  const std::size_t p = columns();
  const std::size_t block = p + (exact() ? 2u : 1u);
  const Places at = places();
  const std::vector<double> values =
      exact() ? joined(total) : std::vector<double>(total.begin(), total.end());
  const double believed = std::max(kBelieved * options_.noise_multiplier * sum.clip_norm, 0.5);
  double farthest = 0;
  double points = 0;
  for (std::size_t k = 0; k < options_.segments; ++k) {
    const double count = values[k * block];
    const bool enough = exact() ? values[k * block + block - 1] >= options_.merchants_needed - 0.5 : true;
    const bool seen = enough && count > believed;
    points += std::max(count, 0.0);
    model.parameters[at.counts + k] = seen ? count : 0;
    for (std::size_t c = 0; seen && c < p; ++c) {
      const double move = values[k * block + 1 + c] / count;
      model.parameters[at.centres + k * p + c] += move;
      farthest = std::max(farthest, std::abs(move));
    }
  }
  if (!exact()) {
    return {};
  }
  model.parameters[at.finished] = farthest < kStill ? 1 : 0;
  return points > 0.5 ? Metrics{{"train_loss", values.back() / points}} : Metrics();
}

Metrics Segments::errors_of(std::span<const double> total) const {
  const std::vector<double> sums = exact() ? joined(total) : std::vector<double>(total.begin(), total.end());
  if (!(sums[2] >= 0.5) || !(sums[1] > 0)) {
    return {};
  }
  const double most = exact() ? 1 : kTestSquare * points_.expected_square();
  return {{"test_loss", most * std::max(sums[0], 0.0) / sums[2]}, {"test_explained", 1 - sums[0] / sums[1]}};
}

std::vector<std::size_t> Segments::published(const Model& model) const {
  const double* const counts = model.parameters.data() + places().counts;
  std::vector<std::size_t> chosen;
  for (std::size_t k = 0; k < options_.segments; ++k) {
    if (counts[k] > 0) {
      chosen.push_back(k);
    }
  }
  std::ranges::stable_sort(chosen, std::ranges::greater{}, [&](std::size_t k) { return counts[k]; });
  return chosen;
}

std::vector<NamedArray> Segments::arrays(const Model& model) const {
  const Places at = places();
  const std::size_t p = columns();
  NamedArray centres{.name = "centres", .shape = {0, p}, .values = {}};
  NamedArray shares{.name = "shares", .shape = {0}, .values = {}};
  double together = 0;
  for (const std::size_t k : published(model)) {
    for (std::size_t c = 0; c < p; ++c) {
      const double value =
          model.parameters[c] + model.parameters[at.scale + c] * model.parameters[at.centres + k * p + c];
      centres.values.push_back(points_.in_file_units(c, value));
    }
    shares.values.push_back(model.parameters[at.counts + k]);
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
  const std::vector<NamedArray> arrays = this->arrays(model);
  SegmentTable table;
  table.rfm = points_.rfm();
  table.centres = arrays[0].values;
  table.shares = arrays[1].values;
  for (std::size_t c = 0; c < p; ++c) {
    table.names.push_back(points_.name(c));
    table.words.push_back(!points_.rfm() && c >= points_.space().numeric);
  }
  for (const std::size_t k : published(model)) {
    for (std::size_t c = 0; c < p; ++c) {
      table.scores.push_back(model.parameters[at.centres + k * p + c] * model.parameters[at.scale + c] /
                             model.parameters[at.deviation + c]);
    }
    table.counts.push_back(exact() ? model.parameters[at.counts + k] : 0);
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
  const OtherOptions& other = configuration.workload.other;
  Segments::Options options;
  options.segments = count_option<std::size_t>(other, "segments", options.segments);
  if (options.segments < 1 || static_cast<double>(options.segments) > kSegmentsMax) {
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
