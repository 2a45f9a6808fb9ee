#include "common/workloads/logistic_regression.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/linear.h"
#include "common/numerics/symmetric.h"
#include "common/workloads/linear_insights.h"
#include "common/workloads/logistic_sums.h"
#include "common/workloads/two_parts.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr double kUnclippedNorm = 1024;   // Without a unit of privacy, for one record's gradient.
constexpr double kUnclippedStep = 4096;   // Likewise for one merchant's weighted difference.
constexpr double kUnclippedMean = 65536;  // Likewise for its part of the mean gradient and Hessian.
constexpr double kUnknownGap = 1e30;

/// A power of two that bounds every merchant's part of later sums, `lower` being the mean Hessian at w = 0: there p (1 - p) is
/// largest, and a part of it is smaller than the whole. A mean gradient is at most the root of the mean ||x||^2, which is 4
/// times the trace. The rest is room for the loss, and for merchants that were not in this sum.
double clip_norm_after(std::span<const double> lower, std::size_t width, double positive_weight) {
  double square = 0;
  double trace = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const std::span<const double> line = lower.subspan(triangle_size(i), i + 1);
    for (const double entry : line.first(i)) {
      square += 2 * entry * entry;
    }
    square += line[i] * line[i];
    trace += line[i];
  }
  const double loss = 4 * std::max(1.0, positive_weight);
  return power_of_two_above(4 * std::max({std::sqrt(square), 2 * std::sqrt(std::max(trace, 0.0)), loss}));
}

void check_options(const LogisticRegression::Options& options) {
  using Solver = LogisticRegression::Solver;
  check(options.width > 0, "logistic regression has an intercept at least");
  const bool local = options.solver == Solver::local;
  const bool newton = options.solver == Solver::newton;
  if (!(options.train_rows >= 1)) {
    throw bad_input("data.path: no training rows were counted, so there is nothing to train on");
  }
  if (local && options.unit != Unit::none && options.unit != Unit::merchant) {
    throw bad_input(
        "workload.solver=local sends one difference a merchant, so privacy.unit must be merchant or none; "
        "for records and customers use workload.solver=gradient");
  }
  if (options.batch == 0 || options.local_epochs == 0) {
    throw bad_input("workload.batch and workload.local_epochs: expected at least 1");
  }
  if (!(options.positive_weight > 0)) {
    throw bad_input("workload.positive_weight: expected a number > 0; 1 weighs both labels alike");
  }
  if (!local && (options.proximal_mu > 0 || options.scaffold)) {
    throw bad_input(
        "workload.proximal_mu and workload.scaffold correct local epochs: set workload.solver=local");
  }
  if (local && options.l1 > 0) {
    throw bad_input(
        "workload.l1 needs workload.solver=gradient or newton: a mean of sparse models is not sparse");
  }
  if (newton && options.width > LogisticRegression::kNewtonWidthMax) {
    throw bad_input("workload.solver=newton sends a number for each pair of columns and takes at most " +
                    std::to_string(LogisticRegression::kNewtonWidthMax) + " columns; here are " +
                    std::to_string(options.width) +
                    ": use workload.solver=gradient with server.optimizer=adam");
  }
  if (newton && (options.server.name != "sgd" || options.server.learning_rate > 1)) {
    throw bad_input(
        "workload.solver=newton makes its own steps: leave server.optimizer=sgd, and server.learning_rate at "
        "1 "
        "or below");
  }
  if (newton && options.l1 > 0 && options.unit != Unit::none) {
    throw bad_input(
        "workload.l1 with workload.solver=newton needs privacy.unit=none: use workload.solver=gradient");
  }
  if (!newton && options.l1 > 0 && options.server.name != "sgd" && options.server.name != "momentum") {
    throw bad_input("workload.l1 takes proximal steps, which server.optimizer=sgd and momentum have; got '" +
                    options.server.name + "'");
  }
}

}  // namespace

LogisticRegression::LogisticRegression(Options options)
    : options_(std::move(options)),
      optimizer_(options_.server),
      histogram_(ScoreHistogram::for_privacy(options_.unit)) {
  check_options(options_);
}

Unit LogisticRegression::natural_unit() const {
  return local() ? Unit::merchant : Unit::record;
}

/// The weights; Newton's method keeps the norm of the last gradient and the clip norm after them, Scaffold the weights before,
/// c, and whether they are known.
std::size_t LogisticRegression::parameter_count() const {
  const std::size_t width = options_.width;
  return newton() ? width + 2 : options_.scaffold ? 3 * width + 1 : width;
}

std::size_t LogisticRegression::update_length() const {
  const std::size_t width = options_.width;
  if (newton()) {
    return triangle_size(width) + (lanes() ? 2 * (width + 2) : width);
  }
  return (options_.scaffold ? 2 * width : width) + (lanes() ? 2 : 0);
}

Model LogisticRegression::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(parameter_count(), 0.0);
  const std::size_t width = options_.width;
  if (newton()) {
    model.parameters[width] = kUnknownGap;
    model.parameters[width + 1] = options_.clip > 0 ? options_.clip : lanes() ? kUnclippedMean : 1.0;
  }
  model.server_state.assign(newton() ? DampedNewton::state_size(width) : optimizer_.state_size(width), 0.0);
  if (tells_errors()) {
    model.server_state.resize(model.server_state.size() + width, 0.0);
  }
  return model;
}

void LogisticRegression::start_from(const SavedModel& saved, Model& model) const {
  std::vector<double> weights = saved.values("weights", saved.columns.size() - 1);
  weights.push_back(saved.values("intercept", 1)[0]);
  const CarriedColumns carried(saved, options_.space, options_.mean, options_.deviation);
  std::ranges::copy(carried.weights(weights), model.parameters.begin());
}

std::optional<PrivateSum> LogisticRegression::next_sum(const Model& model) const {
  const double unclipped =
      local() ? kUnclippedStep : kUnclippedNorm * power_of_two_above(std::max(1.0, options_.positive_weight));
  PrivateSum sum;
  sum.name = local() ? "local steps" : newton() ? "gradient and curvature" : "gradient";
  sum.purpose = Purpose::update;
  sum.length = update_length();
  sum.clip_norm = options_.clip > 0 ? options_.clip : lanes() ? unclipped : 1.0;
  if (newton()) {
    const double gradient_norm = model.parameters[options_.width];
    if (gradient_norm <= options_.tolerance) {
      return std::nullopt;
    }
    sum.clip_norm = model.parameters[options_.width + 1];
    sum.without_privacy = Unit::merchant;
  }
  return sum;
}

std::optional<PrivateSum> LogisticRegression::evaluation_sum(const Model&) const {
  return histogram_.sum({options_.unit, options_.test_rows_per_unit, options_.max_units}, natural_unit());
}

Contributor LogisticRegression::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == parameter_count(), "a model belongs to its workload");
  if (sum.purpose == Purpose::evaluation) {
    return histogram_.contributor(scorer(model));
  }
  return local()    ? local_contributor(model)
         : newton() ? newton_contributor(model, sum.clip_norm)
                    : gradient_contributor(model);
}

Metrics LogisticRegression::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  if (sum.purpose == Purpose::evaluation) {
    Metrics metrics = histogram_.metrics(total);
    metrics.merge(histogram_.further_metrics(total));
    return metrics;
  }
  ++model.step;
  return local()    ? apply_local(model, total)
         : newton() ? apply_newton(model, total, sum.clip_norm)
                    : apply_gradient(model, total);
}

Metrics LogisticRegression::apply_gradient(Model& model, std::span<const double> total) const {
  const std::size_t width = options_.width;
  const double divisor = lanes() ? total[width + 1] : options_.train_rows * options_.expected_share;
  if (!(divisor > 0)) {
    return {};  // Nobody took part.
  }
  std::vector<double> gradient(total.begin(), total.begin() + static_cast<std::ptrdiff_t>(width));
  for (double& entry : gradient) {
    entry /= divisor;
  }
  for (std::size_t i = 0; i + 1 < width; ++i) {
    gradient[i] += options_.l2 * model.parameters[i];
  }
  optimizer_.apply(model.step, gradient, model.parameters, model.server_state);
  if (options_.l1 > 0) {
    const double threshold = options_.l1 * optimizer_.steady_rate();
    for (std::size_t i = 0; i + 1 < width; ++i) {
      model.parameters[i] = soft_threshold(model.parameters[i], threshold);
    }
  }
  return lanes() ? Metrics{{"train_loss", total[width] / divisor}} : Metrics{};
}

Metrics LogisticRegression::apply_local(Model& model, std::span<const double> total) const {
  const std::size_t width = options_.width;
  const double divisor =
      lanes() ? total.back() : static_cast<double>(options_.merchants) * options_.expected_share;
  if (!(divisor > 0)) {
    return {};
  }
  const std::span<double> weights = std::span(model.parameters).first(width);
  if (options_.scaffold) {
    const std::span<double> before = std::span(model.parameters).subspan(width, width);
    std::copy(weights.begin(), weights.end(), before.begin());
    for (std::size_t i = 0; i < width; ++i) {
      model.parameters[2 * width + i] = total[width + i] / (options_.learning_rate * divisor);
    }
    model.parameters.back() = 1;
  }
  std::vector<double> gradient(total.begin(), total.begin() + static_cast<std::ptrdiff_t>(width));
  for (double& entry : gradient) {
    entry /= -divisor;
  }
  optimizer_.apply(model.step, gradient, weights, model.server_state);
  return lanes() ? Metrics{{"train_loss", total[total.size() - 2] / divisor}} : Metrics{};
}

Metrics LogisticRegression::apply_newton(Model& model, std::span<const double> total,
                                         double clip_norm) const {
  const std::size_t width = options_.width;
  const std::span<double> weights = std::span(model.parameters).first(width);
  std::vector<double> sums(total.begin(), total.begin() + static_cast<std::ptrdiff_t>(width));
  double divisor = options_.train_rows * options_.expected_share;
  double curvature_divisor = divisor / clip_norm;
  if (lanes()) {
    sums = joined(total.first(2 * (width + 2)));
    divisor = curvature_divisor = sums[width + 1];
    if (!(divisor > 0)) {
      return {};
    }
  }
  const std::span<const double> curvature = total.last(triangle_size(width));
  std::vector<double> lower(curvature.begin(), curvature.end());
  for (double& entry : lower) {
    entry /= curvature_divisor;
  }
  const bool at_start =
      std::all_of(weights.begin(), weights.end(), [](double weight) { return weight == 0; });
  if (lanes() && at_start && options_.clip == 0) {
    model.parameters[width + 1] =
        std::min(clip_norm_after(lower, width, options_.positive_weight), clip_norm);
  }
  double penalty = 0;
  for (double& entry : sums) {
    entry /= divisor;
  }
  for (std::size_t i = 0; i + 1 < width; ++i) {
    penalty += options_.l2 / 2 * weights[i] * weights[i];
    sums[i] += options_.l2 * weights[i];
    lower[triangle_size(i) + i] += options_.l2;
  }
  // Noise of deviation z C in every entry of the sum, divided as the curvature is.
  const double noise = 2 * options_.noise_multiplier * clip_norm * std::sqrt(static_cast<double>(width));
  const DampedNewton newton(
      {.l1 = options_.l1, .ridge = noise / curvature_divisor, .step = options_.server.learning_rate});
  const SecondOrder at{.value = lanes() ? std::optional(sums[width] + penalty) : std::nullopt,
                       .weight = divisor,
                       .gradient = std::span(sums).first(width),
                       .lower = lower};
  const auto gap = newton.apply(at, lanes() ? options_.tolerance : 0, weights,
                                std::span(model.server_state).first(DampedNewton::state_size(width)));
  if (!lanes()) {
    return {};  // What noise says of the gradient's norm is no reason to stop.
  }
  if (gap) {
    model.parameters[width] = std::min(*gap, kUnknownGap);
  }
  if (tells_errors() && gap && *gap <= options_.tolerance) {   // Then w is where the Hessian was taken.
    find_errors(model, lower, divisor * options_.train_rows);  // Merchants sent parts of the mean.
  }
  return {{"train_loss", sums[width]}};
}

/// `hessian` is the triangle of H / n + l2 I'.
void LogisticRegression::find_errors(Model& model, std::span<const double> hessian, double rows) const {
  const std::size_t width = options_.width;
  std::vector<double> matrix(width * width);
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      matrix[i * width + j] = matrix[j * width + i] = hessian[triangle_size(i) + j];
    }
  }
  const auto inverted = positive_inverse(matrix, width);
  if (!inverted) {
    return;  // Columns depend on each other: no coefficient has an error of its own.
  }
  const auto errors = model.server_state.end() - static_cast<std::ptrdiff_t>(width);
  for (std::size_t i = 0; i < width; ++i) {
    // (G^-1 (G - l2 I') G^-1)_ii = (G^-1)_ii - l2 ||row i of G^-1 without the intercept||^2
    double square = 0;
    for (std::size_t k = 0; k + 1 < width; ++k) {
      square += (*inverted)[i * width + k] * (*inverted)[i * width + k];
    }
    const double variance = (*inverted)[i * width + i] - options_.l2 * square;
    errors[static_cast<std::ptrdiff_t>(i)] = std::sqrt(std::max(variance, 0.0) / rows);
  }
}

/// Empty where they are not known.
std::span<const double> LogisticRegression::standard_errors(const Model& model) const {
  if (!tells_errors()) {
    return {};
  }
  const auto errors = std::span(model.server_state).last(options_.width);
  return errors.back() > 0 ? errors : std::span<const double>();
}

Insights LogisticRegression::insights(const Model& model) const {
  if (options_.space.names.empty()) {
    return {};
  }
  const LinearModel linear{.space = options_.space,
                           .mean = options_.mean,
                           .deviation = options_.deviation,
                           .weights = std::span(model.parameters).first(options_.width),
                           .errors = standard_errors(model),
                           .cross_covariances = {}};
  Insights insights;
  if (linear.errors.empty()) {
    insights.sentences.push_back(
        options_.unit != Unit::none
            ? "Coefficients carry the noise of privacy, and how much is not known for each: none has a "
              "standard error."
            : "Standard errors are told by workload.solver=newton, without weights of rows or l1, once it "
              "has "
              "converged.");
  }
  insights.tables = {largest_effects(linear, true), coefficient_table(linear, true)};
  return insights;
}

RowScorer LogisticRegression::scorer(const Model& model) const {
  return [&weights = model.parameters](const SparseRow& row) { return dot(row, weights); };
}

std::vector<NamedArray> LogisticRegression::arrays(const Model& model) const {
  const auto intercept = model.parameters.begin() + static_cast<std::ptrdiff_t>(options_.width) - 1;
  std::vector<NamedArray> arrays = {
      {.name = "weights", .shape = {options_.width - 1u}, .values = {model.parameters.begin(), intercept}},
      {.name = "intercept", .shape = {1}, .values = {*intercept}}};
  if (newton() && lanes()) {
    arrays.push_back({.name = "gradient_norm", .shape = {1}, .values = {model.parameters[options_.width]}});
  }
  if (const auto errors = standard_errors(model); !errors.empty()) {
    arrays.push_back(
        {.name = "standard_errors", .shape = {options_.width}, .values = {errors.begin(), errors.end()}});
  }
  return arrays;
}

std::unique_ptr<Workload> make_logistic_regression(const Configuration& configuration,
                                                   const WorkloadFacts& facts) {
  needs_records(configuration, facts, {LabelKind::binary});
  const Configuration::WorkloadOptions& workload = configuration.workload;
  const Unit unit = configuration.privacy.unit;
  LogisticRegression::Options options;
  using Solver = LogisticRegression::Solver;
  options.solver = solver_option<Solver>(
      workload, {{"gradient", Solver::gradient}, {"newton", Solver::newton}, {"local", Solver::local}});
  if (options.solver == Solver::newton && unit == Unit::none && configuration.aggregation.ring == "32") {
    throw bad_input(
        "aggregation.ring=32 has too few digits for workload.solver=newton without a unit of privacy: leave "
        "it "
        "at auto");
  }
  options.width = facts.width;
  options.train_rows = facts.train_rows;
  options.merchants = facts.merchants;
  options.unit = unit;
  options.clip = configuration.privacy.clip;
  options.expected_share = expected_share(configuration);
  options.l1 = number_option(workload.other, "l1", 0);
  options.l2 = workload.l2;
  options.positive_weight = number_option(workload.other, "positive_weight", options.positive_weight);
  options.tolerance = number_option(workload.other, "tolerance", options.tolerance);
  options.noise_multiplier = facts.update_noise;
  options.proximal_mu = number_option(workload.other, "proximal_mu", 0);
  options.scaffold = flag_option(workload.other, "scaffold", options.scaffold);
  options.shuffle = flag_option(workload.other, "shuffle", options.shuffle);
  options.local_epochs = workload.local_epochs;
  options.batch = workload.batch;
  options.learning_rate = workload.learning_rate;
  options.equal_weights = equal_weights(configuration, options.solver == Solver::local);
  options.seed = configuration.federation.seed;
  options.test_rows_per_unit = number_option(workload.other, "test_rows_per_unit", 0);
  options.max_units = configuration.data.max_units;
  options.server = server_options(configuration);
  options.space = facts.space;
  options.mean = facts.mean;
  options.deviation = facts.deviation;
  return std::make_unique<LogisticRegression>(std::move(options));
}

}  // namespace hanse
