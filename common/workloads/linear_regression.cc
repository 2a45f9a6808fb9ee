#include "common/workloads/linear_regression.h"

#include <algorithm>
#include <memory>
#include <numbers>
#include <string>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/data/column_spec.h"
#include "common/numerics/linear.h"
#include "common/numerics/symmetric.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/two_parts.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr std::uint32_t kWidthMax = 4096;  // Eight million entries of a sum.
// Without noise: ||z||^2 may be so much in the mean of all rows.
constexpr double kUnclippedSquare = 0x1p14;
constexpr double kFewestFreedom =
    0.5;  // Of degrees of freedom; fewer leave nothing to estimate a variance from.

RegressionErrors::Options error_options(const LinearRegression::Options& options) {
  return {.low = options.label_low,
          .high = options.label_high,
          .declared = options.label_declared,
          .rows = {options.unit, options.test_rows_per_unit, options.max_units}};
}

/// Calls use(place, value) for each entry that the row (x, u) has in the triangle, in increasing order of place.
template <class Use>
void for_each_product(const SparseRow& x, double u, std::size_t width, const Use& use) {
  const std::size_t count = x.columns.size();
  for (std::size_t a = 0; a <= count; ++a) {
    const double left = a < count ? static_cast<double>(x.values[a]) : u;
    const std::size_t row = a < count ? x.columns[a] : width;
    for (std::size_t b = 0; b < a; ++b) {
      use(triangle_size(row) + x.columns[b], std::numbers::sqrt2 * left * static_cast<double>(x.values[b]));
    }
    use(triangle_size(row) + row, left * left);
  }
}

/// Raises eigenvalues that noise hides.
std::vector<double> without_hidden_directions(const std::vector<double>& matrix, std::size_t order) {
  const SymmetricEigen eigen = symmetric_eigen(matrix, order);
  const double hidden = -eigen.values.front();
  return hidden > 0 ? from_eigen(eigen, [&](double value) { return std::max(value, hidden); }) : matrix;
}

}  // namespace

LinearRegression::LinearRegression(Options options)
    : options_(std::move(options)),
      errors_(error_options(options_)),
      middle_(options_.label_low + (options_.label_high - options_.label_low) / 2),
      half_width_((options_.label_high - options_.label_low) / 2) {
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
  PrivateSum sum;
  sum.name = "products";
  sum.purpose = Purpose::update;
  sum.length = exact() ? 2 * triangle() : triangle();
  sum.clip_norm = exact() ? 4 * kUnclippedSquare * power_of_two_above(options_.train_rows)
                          : (options_.clip > 0 ? options_.clip : 1.0);
  sum.without_privacy = Unit::merchant;
  return sum;
}

std::optional<PrivateSum> LinearRegression::evaluation_sum(const Model&) const {
  return errors_.sum();
}

Contributor LinearRegression::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == options_.width, "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return errors_.contributor(scorer(model));
  }
  return exact() ? exact_contributor(sum) : products_contributor();
}

bool LinearRegression::projects() const {
  const bool whole = options_.unit == Unit::none || options_.unit == Unit::merchant;
  return whole && options_.own_l2 > 0 && (options_.own == OwnKind::offset || options_.own == OwnKind::all);
}

/// Puts the merchant's own part in: `triangle` is of all its rows.
void LinearRegression::project(std::vector<double>& triangle) const {
  const std::size_t n = order();
  const std::size_t first = options_.own == OwnKind::all ? 0 : options_.width - 1u;  // Of the own columns.
  const std::size_t own = options_.width - first;
  const std::vector<double> whole = matrix_of(triangle);
  std::vector<double> ridged(own * own);
  for (std::size_t i = 0; i < own; ++i) {
    for (std::size_t j = 0; j < own; ++j) {
      ridged[i * own + j] = whole[(first + i) * n + first + j] + (i == j ? options_.own_l2 : 0.0);
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

Contributor LinearRegression::products_contributor() const {
  if (projects()) {
    return [this](const UnitRows& unit, Contribution& out) {
      if (!unit.train.empty()) {
        std::vector<double> triangle = products_of(unit.train);
        project(triangle);
        out.add_block(0, triangle);
      }
    };
  }
  const auto sums = std::make_shared<ContributionAccumulator>(0, triangle(), 1);
  return [this, sums](const UnitRows& unit, Contribution& out) {
    const Rows& rows = unit.train;
    if (rows.size() == 1) {  // Its products come in order.
      for_each_product(rows.row(0), scaled_label(rows.label(0)), options_.width,
                       [&](std::size_t place, double value) { out.add(place, value); });
      return;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for_each_product(rows.row(i), scaled_label(rows.label(i)), options_.width,
                       [&](std::size_t place, double value) { (*sums)[place] += value; });
    }
    sums->flush(out);
  };
}

std::vector<double> LinearRegression::products_of(const Rows& rows) const {
  std::vector<double> triangle(this->triangle(), 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for_each_product(rows.row(i), scaled_label(rows.label(i)), options_.width,
                     [&](std::size_t place, double value) { triangle[place] += value; });
  }
  return triangle;
}

Contributor LinearRegression::exact_contributor(const PrivateSum& sum) const {
  return [this, bound = sum.clip_norm](const UnitRows& unit, Contribution& out) {
    if (unit.train.empty()) {
      return;
    }
    std::vector<double> products = products_of(unit.train);
    double trace = 0;
    for (std::size_t i = 0; i < order(); ++i) {
      trace += products[triangle_size(i) + i];
    }
    if (!(trace <= bound / 4)) {
      throw bad_input(
          "data.numeric: some values are so large that their squares do not fit into a sum; set "
          "data.standardise=true, or declare ranges as COLUMN[LOW..HIGH]");
    }
    if (projects()) {
      project(products);
    }
    split_in_two(products, bound);
    out.add_block(0, products);
  };
}

/// The symmetric matrix Z^T W Z of its triangle, row-major.
std::vector<double> LinearRegression::matrix_of(std::span<const double> triangle) const {
  const std::size_t n = order();
  std::vector<double> matrix(n * n);
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t column = 0; column <= row; ++column) {
      const double value = triangle[triangle_size(row) + column];
      matrix[row * n + column] = matrix[column * n + row] =
          row == column ? value : value / std::numbers::sqrt2;
    }
  }
  return matrix;
}

Metrics LinearRegression::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  if (sum.purpose == Purpose::evaluation) {
    return errors_.metrics(total);
  }
  ++model.step;
  return fit(model,
             exact() ? matrix_of(joined(total)) : without_hidden_directions(matrix_of(total), order()));
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

std::optional<PriceQuestion> price_question(const OtherOptions& other) {
  const auto prices = other.find("prices");
  const auto cost = other.find("unit_cost");
  if (prices == other.end()) {
    if (cost != other.end()) {
      throw bad_input("workload.unit_cost needs workload.prices, the columns that are prices");
    }
    return std::nullopt;
  }
  PriceQuestion question;
  for (const std::string& price : list_option(other, "prices")) {
    question.prices.push_back(column_name_of(read_numeric_spec(price, "workload.prices")));
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
  if (configuration.privacy.turns > 1 || configuration.privacy.adaptive_clip) {
    throw bad_input("workload.name=linear has one round: leave out privacy.turns and privacy.adaptive_clip");
  }
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
  options.prices = price_question(configuration.workload.other);
  return std::make_unique<LinearRegression>(std::move(options));
}

}  // namespace hanse
