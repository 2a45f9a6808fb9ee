#include "common/workloads/covariance.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/figure.h"
#include "common/numerics/symmetric.h"
#include "common/workloads/test_rows.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr std::uint32_t kWidthMax =
    1024;                              // Half a million entries of a sum, and seconds for its eigenvectors.
constexpr double kLongest = 3;         // Of a row that counts in full, over the length expected.
constexpr double kBelieved = 4;        // Deviations of the noise that a figure stands above it.
constexpr double kConstant = 0x1p-40;  // Least variance, over the mean square, that is none of rounding.
constexpr double kTold = 0.05;         // Least correlation that is worth a line.
constexpr std::size_t kPairsTold = 20;
constexpr std::size_t kComponentsTold = 10;
constexpr std::size_t kLoadingsTold = 4;
constexpr double kLoadingTold = 0.3;

Covariance::Options checked(Covariance::Options options) {
  const FeatureSpace& space = options.space;
  if (space.width < 2) {
    throw bad_input("data.numeric: workload.name=covariance needs a column at least");
  }
  if (space.width > kWidthMax) {
    throw bad_input("workload.name=covariance sums the products of all pairs of columns, and " +
                    std::to_string(space.width) + " columns are too many: at most " +
                    std::to_string(kWidthMax) + "; hash data.categorical into fewer buckets");
  }
  if (!space.crosses.empty()) {
    throw bad_input(
        "data.numeric: workload.name=covariance tells of single columns, and WORDS*NUMBER is two: leave it "
        "out");
  }
  return options;
}

ProductSum::Options product_options(const Covariance::Options& options) {
  const FeatureSpace& space = options.space;
  const auto words = std::ranges::count_if(space.sparse_ranges,
                                           [](const ColumnRange& range) { return range.begin < range.end; });
  const double columns = static_cast<double>(space.numeric) + static_cast<double>(words) + 1;
  const double rows = TestRows{options.unit, options.rows_per_unit}.most(Unit::record);
  ProductSum::Options products;
  products.width = space.width;
  products.rows = options.train_rows;
  products.exact = options.unit == Unit::none;
  products.clip = options.clip > 0 ? options.clip : kLongest * columns * rows;
  return products;
}

std::string percent(double share) {
  return figure(100 * share, 3) + " %";
}

}  // namespace

/// What the model says, in units of the file.
struct Covariance::Profile {
  double rows = 0;
  std::vector<double> mean;
  std::vector<double> deviation;
  std::vector<bool> varies;  ///< Seen to, above the noise.
  std::vector<double> correlation;
  std::vector<double> noise;       ///< Of each column: a pair's correlation has noise of their product.
  std::vector<double> variance;    ///< Of components, falling.
  std::vector<double> components;  ///< One a row.

  std::size_t columns() const { return mean.size(); }
  double total() const { return std::accumulate(variance.begin(), variance.end(), 0.0); }
};

Covariance::Covariance(Options options)
    : options_(checked(std::move(options))), products_(product_options(options_)) {}

Model Covariance::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(1 + columns() + columns() * columns(), 0.0);
  return model;
}

std::optional<PrivateSum> Covariance::next_sum(const Model& model) const {
  return model.step == 0 ? std::optional(products_.sum()) : std::nullopt;
}

std::optional<PrivateSum> Covariance::evaluation_sum(const Model&) const {
  return std::nullopt;
}

Contributor Covariance::contributor(const Model& model, const PrivateSum&) const {
  check(model.step == 0, "there is one sum");
  return products_.contributor();
}

Metrics Covariance::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length && model.step == 0, "a total is as long as its sum");
  ++model.step;
  const std::size_t p = columns();
  const std::size_t n = p + 1;
  std::vector<double> moments = products_.matrix(total);
  if (options_.unit != Unit::none) {
    moments = from_eigen(symmetric_eigen(moments, n), [](double value) { return std::max(value, 0.0); });
  }
  const double rows = moments[p * n + p];
  if (!(rows > 0.5)) {
    return {};  // Nobody took part, or too few to be seen.
  }
  const auto mean = [&](std::size_t i) { return moments[p * n + i] / rows; };
  model.parameters[0] = rows;
  for (std::size_t i = 0; i < p; ++i) {
    model.parameters[1 + i] = mean(i);
    for (std::size_t j = 0; j < p; ++j) {
      model.parameters[1 + p + i * p + j] = moments[i * n + j] / rows - mean(i) * mean(j);
    }
  }
  return {};
}

Covariance::Profile Covariance::profile(const Model& model) const {
  const std::size_t p = columns();
  check(model.parameters.size() == 1 + p + p * p, "a model belongs to its workload");
  const auto covariance = [&](std::size_t i, std::size_t j) { return model.parameters[1 + p + i * p + j]; };
  Profile profile;
  profile.rows = model.parameters[0];
  const double believed = profile.rows > 0 ? kBelieved * noise_deviation() / profile.rows : 0;
  std::vector<double> deviation(p);  // In encoded units.
  for (std::size_t i = 0; i < p; ++i) {
    const double mean = model.parameters[1 + i];
    const double variance = std::max(covariance(i, i), 0.0);
    const double unit = i < options_.deviation.size() ? options_.deviation[i] : 1;
    deviation[i] = std::sqrt(variance);
    profile.mean.push_back(i < options_.mean.size() ? options_.mean[i] + unit * mean : mean);
    profile.deviation.push_back(unit * deviation[i]);
    profile.varies.push_back(variance > std::max(believed, kConstant * (variance + mean * mean)));
    profile.noise.push_back(profile.varies[i] ? std::sqrt(believed / std::numbers::sqrt2) / deviation[i] : 0);
  }
  profile.correlation.assign(p * p, 0.0);
  for (std::size_t i = 0; i < p; ++i) {
    for (std::size_t j = 0; j < p; ++j) {
      if (profile.varies[i] && profile.varies[j]) {
        profile.correlation[i * p + j] =
            i == j ? 1 : std::clamp(covariance(i, j) / (deviation[i] * deviation[j]), -1.0, 1.0);
      }
    }
  }
  const SymmetricEigen eigen = symmetric_eigen(profile.correlation, p);
  for (std::size_t k = p; k-- > 0;) {
    const std::span<const double> v = eigen.vector(k);
    const auto largest = std::ranges::max_element(v, {}, [](double entry) { return std::abs(entry); });
    const double sign = *largest < 0 ? -1 : 1;
    profile.variance.push_back(std::max(eigen.values[k], 0.0));
    for (const double entry : v) {
      profile.components.push_back(sign * entry);
    }
  }
  return profile;
}

std::vector<NamedArray> Covariance::arrays(const Model& model) const {
  const std::size_t p = columns();
  Profile profile = this->profile(model);
  std::vector<double> shares = profile.variance;
  for (double& share : shares) {
    share /= std::max(profile.total(), 1e-300);
  }
  return {{.name = "rows", .shape = {1}, .values = {profile.rows}},
          {.name = "profile_mean", .shape = {p}, .values = std::move(profile.mean)},
          {.name = "profile_deviation", .shape = {p}, .values = std::move(profile.deviation)},
          {.name = "correlation", .shape = {p, p}, .values = std::move(profile.correlation)},
          {.name = "variances", .shape = {p}, .values = std::move(profile.variance)},
          {.name = "shares", .shape = {p}, .values = std::move(shares)},
          {.name = "components", .shape = {p, p}, .values = std::move(profile.components)}};
}

InsightTable Covariance::columns_table(const Profile& profile) const {
  InsightTable table{.name = "columns",
                     .title = "What is usual (of a word: the share of rows that have it)",
                     .columns = {"column", "mean", "deviation"},
                     .rows = {}};
  for (std::size_t i = 0; i < profile.columns(); ++i) {
    if (profile.varies[i]) {
      table.rows.push_back({options_.space.names[i], profile.mean[i], profile.deviation[i]});
    }
  }
  return table;
}

InsightTable Covariance::correlations_table(const Profile& profile) const {
  const std::size_t p = profile.columns();
  // Words of one column exclude each other: that says nothing.
  std::vector<std::size_t> column_of(p);
  std::iota(column_of.begin(), column_of.end(), std::size_t{0});
  for (const ColumnRange& range : options_.space.sparse_ranges) {
    const bool words = range.end <= p && range.name != "feature";
    for (std::size_t i = range.begin; words && i < range.end; ++i) {
      column_of[i] = range.begin;
    }
  }
  struct Pair {
    std::size_t i, j;
    double strength;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < p; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double strength = std::abs(profile.correlation[i * p + j]);
      if (column_of[i] != column_of[j] && strength >= std::max(kTold, profile.noise[i] * profile.noise[j])) {
        pairs.push_back({j, i, strength});
      }
    }
  }
  std::ranges::stable_sort(pairs, std::ranges::greater{}, &Pair::strength);
  pairs.resize(std::min(pairs.size(), kPairsTold));
  InsightTable table{.name = "correlations",
                     .title = "What goes together (+1) and what excludes each other (-1)",
                     .columns = {"column", "and column", "correlation"},
                     .rows = {}};
  for (const Pair& pair : pairs) {
    table.rows.push_back({options_.space.names[pair.i], options_.space.names[pair.j],
                          profile.correlation[pair.i * p + pair.j]});
  }
  return table;
}

InsightTable Covariance::components_table(const Profile& profile) const {
  const std::size_t p = profile.columns();
  InsightTable table{
      .name = "components",
      .title = "Along which directions rows differ most (correlation of each with its columns)",
      .columns = {"component", "variance", "share %", "together %", "made of"},
      .rows = {}};
  double together = 0;
  for (std::size_t k = 0; k < std::min(p, kComponentsTold); ++k) {
    const double variance = profile.variance[k];
    const auto loading = [&](std::size_t i) { return profile.components[k * p + i] * std::sqrt(variance); };
    std::vector<std::size_t> order(p);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [&](std::size_t i) { return std::abs(loading(i)); });
    std::string made_of;
    for (std::size_t i = 0; i < std::min(p, kLoadingsTold); ++i) {
      if (i == 0 || std::abs(loading(order[i])) >= kLoadingTold) {
        made_of += (i == 0 ? "" : ", ") + options_.space.names[order[i]] + " " +
                   (loading(order[i]) < 0 ? "" : "+") + figure(loading(order[i]), 2);
      }
    }
    const double share = variance / std::max(profile.total(), 1e-300);
    together += share;
    table.rows.push_back({std::to_string(k + 1), variance, 100 * share, 100 * together, made_of});
  }
  return table;
}

Insights Covariance::insights(const Model& model) const {
  const Profile profile = this->profile(model);
  if (!(profile.rows > 0)) {
    return {.sentences = {"Nobody took part, so there is no profile."}, .tables = {}};
  }
  Insights insights{
      .sentences = {},
      .tables = {columns_table(profile), correlations_table(profile), components_table(profile)}};
  const std::size_t told = insights.tables[0].rows.size();
  if (told == 0) {
    return {.sentences = {"No column is seen to vary above the noise."}, .tables = {}};
  }
  if (told < profile.columns()) {
    insights.sentences.push_back(std::to_string(profile.columns() - told) + " of " +
                                 std::to_string(profile.columns()) +
                                 " columns are not told from constants and are left out.");
  }
  if (!insights.tables[1].rows.empty()) {
    const std::vector<InsightCell>& first = insights.tables[1].rows[0];
    insights.sentences.push_back("The strongest link is between " + std::get<std::string>(first[0]) +
                                 " and " + std::get<std::string>(first[1]) + ": correlation " +
                                 figure(std::get<double>(first[2]), 2) + ".");
  }
  double together = 0;
  for (std::size_t k = 0; k < profile.columns(); ++k) {
    together += profile.variance[k] / profile.total();
    if (together >= 0.8) {
      insights.sentences.push_back(std::to_string(k + 1) + " of " + std::to_string(told) +
                                   " components carry " + percent(together) + " of the variance.");
      break;
    }
  }
  return insights;
}

std::unique_ptr<Workload> make_covariance(const Configuration& configuration, const WorkloadFacts& facts) {
  needs_records(configuration, facts,
                {LabelKind::none, LabelKind::binary, LabelKind::number, LabelKind::one_of_many});
  refuse_more_rounds(configuration);
  refuse_small_ring(configuration, "workload.name=covariance");
  Covariance::Options options;
  options.space = facts.space;
  options.mean = facts.mean;
  options.deviation = facts.deviation;
  options.train_rows = facts.train_rows;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.rows_per_unit = number_option(configuration.workload.other, "rows_per_unit", 0);
  options.noise_multiplier = facts.update_noise;
  return std::make_unique<Covariance>(std::move(options));
}

}  // namespace hanse
