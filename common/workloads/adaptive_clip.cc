#include "common/workloads/adaptive_clip.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/check.h"

namespace hanse {
namespace {

/// C stays within this factor of where it started: no noise takes it to a norm that no grid has.
constexpr double kRange = 0x1p30;
/// Largest r: the update's noise grows by sqrt(1 + r^2 beta^2), at quantile 1/2 by a tenth.
constexpr double kRatioMax = 0.9;
constexpr double kRatioMin = 0x1p-16;  // Without noise the grid is fine, but not endlessly so.

double rounded_down(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return std::ldexp(std::floor(std::ldexp(mantissa, 8)), exponent - 8);
}

double beta_of(double quantile) {
  return std::max(quantile, 1 - quantile);
}

/// r from sigma_b = m / 20: 1 / r^2 = (sigma_b / z)^2 - beta^2.
double ratio_of(const AdaptiveClip::Options& options) {
  if (options.noise_multiplier <= 0) {
    return 0.0625;
  }
  const double beta = beta_of(options.quantile);
  const double wished = options.expected_units / 20 / options.noise_multiplier;
  const double square = wished * wished - beta * beta;
  const double ratio = square > 0 ? 1 / std::sqrt(square) : kRatioMax;
  return rounded_down(std::clamp(ratio, kRatioMin, kRatioMax));
}

Model without_clip(const Model& model) {
  check(!model.parameters.empty(), "the last parameter is the clip norm");
  Model inner = model;
  inner.parameters.pop_back();
  return inner;
}

double norm_of(const Contribution& contribution) {
  const double row = contribution.scale() * contribution.row_norm();
  double square = row * row;
  for (const double value : contribution.values()) {
    square += value * value;
  }
  return std::sqrt(square);
}

/// Writes factor * from.
void write_scaled(const Contribution& from, double factor, Contribution& to, std::vector<double>& scratch) {
  if (!from.row().columns.empty()) {
    to.set_scaled_row(factor * from.scale(), from.row(), from.row_norm());
  }
  std::size_t at = 0;
  for (const Contribution::Block& block : from.blocks()) {
    const auto values = from.values().subspan(at, block.count);
    at += block.count;
    scratch.assign(values.begin(), values.end());
    for (double& value : scratch) {
      value *= factor;
    }
    to.add_block(block.first, scratch);
  }
}

}  // namespace

AdaptiveClip::AdaptiveClip(std::unique_ptr<Workload> inner, const Options& options)
    : inner_(std::move(inner)), options_(options), ratio_(ratio_of(options)) {
  check(options.quantile > 0 && options.quantile < 1 && options.expected_units >= 1 &&
            options.merchants_per_unit >= 1,
        "a quantile lies between 0 and 1, and units are expected");
  const auto sum = inner_->next_sum(inner_->initial_model(0));
  first_ = options.start > 0 ? options.start : sum ? sum->clip_norm : 1;
}

Model AdaptiveClip::initial_model(std::uint64_t seed) const {
  Model model = inner_->initial_model(seed);
  model.parameters.push_back(first_);
  return model;
}

std::optional<PrivateSum> AdaptiveClip::next_sum(const Model& model) const {
  const double clip = model.parameters.back();
  std::optional<PrivateSum> sum = inner_->next_sum(without_clip(model));
  if (sum && sum->purpose == Purpose::update) {
    ++sum->length;
    const double bit = ratio_ * beta_of(options_.quantile);
    sum->clip_norm = clip * std::sqrt(1 + bit * bit);
  }
  return sum;
}

std::optional<PrivateSum> AdaptiveClip::evaluation_sum(const Model& model) const {
  return inner_->evaluation_sum(without_clip(model));
}

Contributor AdaptiveClip::contributor(const Model& model, const PrivateSum& sum) const {
  struct State {
    Model model;
    PrivateSum sum;
    Contributor contribute;
    Contribution own;
    std::vector<double> scratch;
  };
  const auto state = std::make_shared<State>();
  state->model = without_clip(model);
  state->sum = sum;
  const bool adapts = sum.purpose == Purpose::update;
  if (adapts) {  // As apply() has it for the workload itself: without the bit's entry, and without what the bit adds to the norm.
    --state->sum.length;
    state->sum.clip_norm = model.parameters.back();
  }
  state->contribute = inner_->contributor(state->model, state->sum);
  if (!adapts) {
    return [state](const UnitRows& unit, Contribution& out) { state->contribute(unit, out); };
  }
  const double clip = model.parameters.back() / options_.merchants_per_unit;
  const double scale = ratio_ * clip;
  const double quantile = options_.quantile;
  return [state, clip, scale, quantile](const UnitRows& unit, Contribution& out) {
    state->own.clear();
    state->contribute(unit, state->own);
    const double norm = norm_of(state->own);
    const bool within = norm <= clip;
    write_scaled(state->own, within ? 1 : clip / norm, out, state->scratch);
    out.add(state->sum.length, scale * ((within ? 1 : 0) - quantile));
  };
}

Metrics AdaptiveClip::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  Model inner = without_clip(model);
  if (sum.purpose != Purpose::update) {
    const Metrics metrics = inner_->apply(inner, sum, total);
    inner.parameters.push_back(model.parameters.back());
    model = std::move(inner);
    return metrics;
  }
  check(total.size() == sum.length && sum.length > 0, "a total is as long as its sum");
  PrivateSum own = sum;
  --own.length;
  own.clip_norm = model.parameters.back();
  Metrics metrics = inner_->apply(inner, own, total.first(own.length));

  const double clip = model.parameters.back();
  // At K merchants a customer has K bits of a K-th each.
  const double bits = total.back() / (ratio_ * clip);
  const double step = std::clamp(-options_.learning_rate * bits / options_.expected_units, -1.0, 1.0);
  inner.parameters.push_back(std::clamp(clip * std::exp(step), first_ / kRange, first_ * kRange));
  model = std::move(inner);
  return metrics;
}

std::optional<OwnResult> AdaptiveClip::own_part(const Model& model, const UnitRows& merchant) const {
  return inner_->own_part(without_clip(model), merchant);
}

void AdaptiveClip::start_from(const SavedModel& saved, Model& model) const {
  const double clip = model.parameters.back();
  model.parameters.pop_back();
  inner_->start_from(saved, model);
  model.parameters.push_back(clip);
}

Insights AdaptiveClip::insights(const Model& model) const {
  return inner_->insights(without_clip(model));
}

std::vector<NamedArray> AdaptiveClip::arrays(const Model& model) const {
  std::vector<NamedArray> arrays = inner_->arrays(without_clip(model));
  arrays.push_back({.name = "clip_norm", .shape = {1}, .values = {model.parameters.back()}});
  return arrays;
}

}  // namespace hanse
