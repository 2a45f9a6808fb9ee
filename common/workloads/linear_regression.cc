#include "common/workloads/linear_regression.h"

#include <algorithm>
#include <memory>
#include <numbers>
#include <string>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/data/column_spec.h"
#include "common/data/feature_space.h"
#include "common/numerics/linear.h"
#include "common/numerics/symmetric.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr std::uint32_t kWidthMax = 4096;  // Eight million entries of a sum.
constexpr double kFewestFreedom =
    0.5;  // Of degrees of freedom; fewer leave nothing to estimate a variance from.

RegressionErrors::Options error_options(const LinearRegression::Options& options) {
  return {.low = options.label_low,
          .high = options.label_high,
          .declared = options.label_declared,
          .rows = {options.unit, options.test_rows_per_unit, options.max_units}};
}

/// Puts a merchant's own part in: `triangle` is of all its rows.
void project(std::size_t width, OwnKind kind, double own_l2, std::vector<double>& triangle) {
  const std::size_t n = width + 1;
  const std::size_t first = kind == OwnKind::all ? 0 : width - 1;  // Of the own columns.
  const std::size_t own = width - first;
  const std::vector<double> whole = matrix_of_products(triangle, n);
  std::vector<double> ridged(own * own);
  for (std::size_t i = 0; i < own; ++i) {
    for (std::size_t j = 0; j < own; ++j) {
      ridged[i * own + j] = whole[(first + i) * n + first + j] + (i == j ? own_l2 : 0.0);
    }
  }
  const std::vector<double> inverted = inverse(ridged, own);
  std::vector<double> half(own * n, 0.0);  // (M_SS + own_l2 I)^-1 M_S
  for (std::size_t i = 0; i < own; ++i) {
    for (std::size_t k = 0; k < own; ++k) {
      const double factor = inverted[i * own + k];
      const double* const row = whole.data() + (first + k) * n;
      for (std::size_t j = 0; j < n; ++j) {
        half[i * n + j] += factor * row[j];
      }
    }
  }
  for (std::size_t row = 0; row < n; ++row) {
    std::vector<double> taken(row + 1, 0.0);
    for (std::size_t k = 0; k < own; ++k) {
      const double factor = whole[(first + k) * n + row];
      for (std::size_t column = 0; column <= row; ++column) {
        taken[column] += factor * half[k * n + column];
      }
    }
    for (std::size_t column = 0; column <= row; ++column) {
      triangle[triangle_size(row) + column] -=
          row == column ? taken[column] : std::numbers::sqrt2 * taken[column];
    }
  }
}

bool takes_part(const LinearRegression::Options& options) {
  const bool whole = options.unit == Unit::none || options.unit == Unit::merchant;
  return whole && options.own_l2 > 0 && (options.own == OwnKind::offset || options.own == OwnKind::all);
}

ProductSum::Options product_options(const LinearRegression::Options& options) {
  ProductSum::Options products;
  products.width = options.width;
  products.beside = true;
  products.rows = options.train_rows;
  products.exact = options.unit == Unit::none;
  products.clip = options.clip > 0 ? options.clip : 1;
  const double middle = options.label_low + (options.label_high - options.label_low) / 2;
  const double half_width = (options.label_high - options.label_low) / 2;
  products.rows_of = [middle, half_width](const UnitRows& unit, const ProductSum::TakeRow& take) {
    for (std::size_t i = 0; i < unit.train.size(); ++i) {
      take(unit.train.row(i), (static_cast<double>(unit.train.label(i)) - middle) / half_width);
    }
  };
  if (takes_part(options)) {
    products.put_in = [width = std::size_t{options.width}, kind = options.own, own_l2 = options.own_l2](
                          std::vector<double>& triangle) { project(width, kind, own_l2, triangle); };
  }
  return products;
}

}  // namespace

LinearRegression::LinearRegression(Options options)
    : options_(std::move(options)),
      errors_(error_options(options_)),
      middle_(options_.label_low + (options_.label_high - options_.label_low) / 2),
      half_width_((options_.label_high - options_.label_low) / 2),
      products_(product_options(options_)) {
  check(options_.width > 0, "linear regression has an intercept at least");
  if (options_.width > kWidthMax) {
    throw bad_input("workload.name=linear sums the products of all pairs of columns, and " +
                    std::to_string(options_.width) + " columns are too many: at most " +
                    std::to_string(kWidthMax) + "; hash data.categorical into fewer buckets");
  }
  if (options_.prices) {
    check_prices(options_.space, *options_.prices);
  }
  if (!(options_.train_rows >= 1)) {
    throw bad_input("data.path: no training rows were counted, so there is nothing to train on");
  }
}

Model LinearRegression::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(options_.width, 0.0);
  model.server_state.assign(options_.width + 2u + crossed(), 0.0);
  return model;
}

std::optional<PrivateSum> LinearRegression::next_sum(const Model& model) const {
  if (model.step > 0) {
    return std::nullopt;
  }
  return products_.sum();
}

std::optional<PrivateSum> LinearRegression::evaluation_sum(const Model&) const {
  return errors_.sum();
}

Contributor LinearRegression::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == options_.width, "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return errors_.contributor(scorer(model));
  }
  return products_.contributor();
}

bool LinearRegression::projects() const {
  return takes_part(options_);
}

Metrics LinearRegression::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  if (sum.purpose == Purpose::evaluation) {
    return errors_.metrics(total);
  }
  ++model.step;
  const std::vector<double> moments = products_.matrix(total);
  return fit(model, exact() ? moments : without_hidden_directions(moments, order()));
}

Metrics LinearRegression::fit(Model& model, const std::vector<double>& moments) const {
  const std::size_t d = options_.width;
  // Of a projected matrix, the intercept's entry is less than the rows.
  const double counted = moments[(d - 1) * order() + d - 1];
  const double rows = projects() && counted > 0 ? options_.train_rows : counted;
  if (!(rows > 0)) {
    return {};  // Nobody took part.
  }
  std::vector<double> a(d * d);
  std::vector<double> b(d);
  for (std::size_t i = 0; i < d; ++i) {
    std::copy_n(moments.begin() + static_cast<std::ptrdiff_t>(i * order()), d,
                a.begin() + static_cast<std::ptrdiff_t>(i * d));
    b[i] = moments[d * order() + i];
  }
  std::vector<double> ridged = a;
  for (std::size_t i = 0; i + 1 < d; ++i) {
    ridged[i * d + i] += rows * options_.l2;
  }
  const std::vector<double> inverted = inverse(ridged, d);
  std::vector<double> w(d);
  multiply(inverted, b, w);
  for (std::size_t i = 0; i < d; ++i) {
    model.parameters[i] = half_width_ * w[i];
  }
  model.parameters[d - 1] += middle_;
  if (!exact()) {
    return {};
  }

  // Residual squares, degrees of freedom and standard errors, from G = A + ridge: A = G - ridge.
  std::vector<double> fitted(d);
  multiply(a, w, fitted);
  double squares = moments[d * order() + d];
  double freedom = rows;
  for (std::size_t i = 0; i < d; ++i) {
    squares += w[i] * (fitted[i] - 2 * b[i]);
  }
  std::vector<double> half(d * d);  // G^-1 A
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t k = 0; k < d; ++k) {
      const double left = inverted[i * d + k];
      for (std::size_t j = 0; j < d; ++j) {
        half[i * d + j] += left * a[k * d + j];
      }
    }
    freedom -= half[i * d + i];
  }
  squares = std::max(squares, 0.0);
  const double variance = freedom >= kFewestFreedom ? squares / freedom : 0;
  const auto covariance = [&](std::size_t i, std::size_t j) {
    double spread = 0;
    for (std::size_t k = 0; k < d; ++k) {
      spread += half[i * d + k] * inverted[k * d + j];
    }
    return half_width_ * half_width_ * variance * spread;
  };
  for (std::size_t i = 0; i < d; ++i) {
    model.server_state[i] = std::sqrt(std::max(covariance(i, i), 0.0));
  }
  model.server_state[d] = half_width_ * std::sqrt(variance);
  model.server_state[d + 1] = freedom;
  std::size_t place = d + 2;
  for (const CrossRange& cross : options_.space.crosses) {
    for (std::uint32_t column = cross.begin; column < cross.end; ++column) {
      model.server_state[place++] = covariance(column, cross.number);
    }
  }
  return {{"train_loss", half_width_ * half_width_ * squares / rows}};
}

std::size_t LinearRegression::crossed() const {
  std::size_t columns = 0;
  for (const CrossRange& cross : options_.space.crosses) {
    columns += cross.end - cross.begin;
  }
  return columns;
}

Insights LinearRegression::insights(const Model& model) const {
  if (options_.space.names.empty()) {
    return {};
  }
  const std::span<const double> state = model.server_state;
  const std::size_t d = options_.width;
  const bool known = exact() && state[d + 1] >= kFewestFreedom;
  const LinearModel linear{.space = options_.space,
                           .mean = options_.mean,
                           .deviation = options_.deviation,
                           .weights = model.parameters,
                           .errors = known ? state.first(d) : std::span<const double>(),
                           .cross_covariances = known ? state.subspan(d + 2) : std::span<const double>()};
  Insights insights;
  if (options_.prices) {
    insights = price_insights(linear, *options_.prices);
  }
  insights.tables.push_back(coefficient_table(linear, false));
  return insights;
}

RowScorer LinearRegression::scorer(const Model& model) const {
  return [&weights = model.parameters](const SparseRow& row) { return dot(row, weights); };
}

std::vector<NamedArray> LinearRegression::arrays(const Model& model) const {
  const std::size_t d = options_.width;
  const auto intercept = model.parameters.end() - 1;
  std::vector<NamedArray> arrays = {
      {.name = "weights", .shape = {d - 1}, .values = {model.parameters.begin(), intercept}},
      {.name = "intercept", .shape = {1}, .values = {*intercept}}};
  if (exact() && model.server_state[d + 1] >= kFewestFreedom) {
    const auto errors = model.server_state.begin();
    const auto end = errors + static_cast<std::ptrdiff_t>(d);
    arrays.push_back({.name = "standard_errors", .shape = {d}, .values = {errors, end}});
    arrays.push_back({.name = "residual_deviation", .shape = {1}, .values = {*end}});
  }
  return arrays;
}

namespace {

std::optional<PriceQuestion> price_question(const Configuration& configuration) {
  const OtherOptions& other = configuration.workload.other;
  const auto prices = other.find("prices");
  const auto cost = other.find("unit_cost");
  if (prices == other.end()) {
    if (cost != other.end()) {
      throw bad_input("workload.unit_cost needs workload.prices, the columns that are prices");
    }
    return std::nullopt;
  }
  PriceQuestion question;
  if (label_spec(configuration).transform != Transform::log && !configuration.data.label.starts_with("log")) {
    throw bad_input(
        "workload.prices: elasticities need the logarithm of what is sold as the label: data.label = log:" +
        configuration.data.label + " (or a column whose name begins with log)");
  }
  for (const std::string& price : list_option(other, "prices")) {
    const NumericSpec spec = read_numeric_spec(price, "workload.prices");
    if (spec.transform != Transform::log) {
      throw bad_input("workload.prices: expected logarithms of prices, as in log:" + spec.name + "; got '" +
                      price + "'");
    }
    question.prices.push_back(column_name_of(spec));
  }
  if (cost != other.end()) {
    question.unit_cost = number_option(other, "unit_cost", 0);
  }
  return question;
}

}  // namespace

std::unique_ptr<Workload> make_linear_regression(const Configuration& configuration,
                                                 const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::number});
  refuse_more_rounds(configuration);
  LinearRegression::Options options;
  options.width = facts.width;
  options.train_rows = facts.train_rows;
  options.label_low = facts.label_low;
  options.label_high = facts.label_high;
  options.label_declared = facts.label_declared;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.l2 = configuration.workload.l2;
  options.own = own_kind(configuration);
  options.own_l2 = number_option(configuration.workload.other, "own_l2", options.own_l2);
  options.test_rows_per_unit = number_option(configuration.workload.other, "test_rows_per_unit", 0);
  options.max_units = configuration.data.max_units;
  options.space = facts.space;
  options.mean = facts.mean;
  options.deviation = facts.deviation;
  options.prices = price_question(configuration);
  return std::make_unique<LinearRegression>(std::move(options));
}

}  // namespace hanse
