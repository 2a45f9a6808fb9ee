#include "privacy/accounting/loss_cells.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <tuple>
#include <utility>

#include "common/base/check.h"

namespace hanse {
namespace {

constexpr double kUlp = std::numeric_limits<double>::epsilon();
constexpr std::int64_t kMostCells = std::int64_t{1} << 24;
constexpr double kMostIntegers = 1 << 22;

// How many standard deviations leave out less than `tail` at one end: 1 - Phi(u) <= exp(-u^2 / 2) / 2.
double deviations_for(double tail) {
  return std::sqrt(std::max(0.0, -2 * std::log(2 * tail)));
}

// 1 - Phi(|u|) on the side of u that is smaller.
struct Tail {
  double u = -std::numeric_limits<double>::infinity();
  double weight = 0;

  explicit Tail(double at) : u(at), weight(std::erfc(std::abs(at) / std::numbers::sqrt2) / 2) {}
};

// Weight of N(0, 1) between two places.
double between(const Tail& a, const Tail& b) {
  if (a.u >= 0) {
    return std::max(0.0, a.weight - b.weight);
  }
  return b.u <= 0 ? std::max(0.0, b.weight - a.weight) : 1 - a.weight - b.weight;
}

double upper(const Tail& t) {
  return t.u >= 0 ? t.weight : 1 - t.weight;
}

// The weights of one mixture between consecutive places, in the order of the places.
class Slices {
 public:
  Slices(const std::vector<GaussianPair::Part>& parts, double deviation, double from)
      : parts_(&parts), deviation_(deviation) {
    for (const GaussianPair::Part& part : parts) {
      last_.emplace_back((from - part.centre) / deviation);
      below_ += part.weight * (1 - upper(last_.back()));
    }
  }

  double below() const { return below_; }
  double above() const {
    double sum = 0;
    for (std::size_t i = 0; i < last_.size(); ++i) {
      sum += (*parts_)[i].weight * upper(last_[i]);
    }
    return sum;
  }
  /// Weight from the last place to this one, and a bound on its error.
  std::pair<double, double> up_to(double place) {
    double weight = 0;
    double error = 0;
    for (std::size_t i = 0; i < last_.size(); ++i) {
      const Tail next((place - (*parts_)[i].centre) / deviation_);
      const double share = (*parts_)[i].weight;
      weight += share * between(last_[i], next);
      error += share * (last_[i].weight + next.weight);
      last_[i] = next;
    }
    return {weight, 4 * kUlp * (error + weight)};
  }

 private:
  const std::vector<GaussianPair::Part>* parts_;
  double deviation_;
  std::vector<Tail> last_;
  double below_ = 0;
};

double extreme(const GaussianPair& pair, bool largest) {
  double value = largest ? pair.p[0].centre : pair.q[0].centre;
  for (const auto& part : largest ? pair.p : pair.q) {
    value = largest ? std::max(value, part.centre) : std::min(value, part.centre);
  }
  return value;
}

// The integers whose noise, or shifted noise, weighs anything.
LossSketch losses_of_integers(const DpEvent& event, double reach) {
  const double shift = event.sensitivity_steps;
  const double variance = std::pow(event.noise_multiplier * shift, 2);
  const double q = event.sampling_rate;
  const double radius = std::ceil(reach * std::sqrt(variance) + 1);
  check(2 * radius + shift < kMostIntegers, "a line of integers is short enough to be enumerated");
  double norm = 1;
  for (double x = radius; x >= 1; --x) {
    norm += 2 * std::exp(-x * x / (2 * variance));
  }
  LossSketch sketch;
  for (double x = -radius; x <= radius + shift; ++x) {
    const double ratio = (x - shift / 2) * shift / variance;  // log of shifted over not shifted.
    const double without = std::exp(-x * x / (2 * variance)) / norm;
    const double loss = q == 1        ? ratio
                        : ratio < 0.5 ? std::log1p(q * std::expm1(ratio))
                                      : ratio + std::log(q + (1 - q) * std::exp(-ratio));
    const double shifted = std::exp(-(x - shift) * (x - shift) / (2 * variance)) / norm;
    sketch.q.push_back(without);
    sketch.p.push_back((1 - q) * without + q * shifted);
    sketch.loss.push_back(loss);
  }
  return sketch;
}

}  // namespace

PrivacyLoss::PrivacyLoss(const DpEvent& event, double tail) {
  const double reach = deviations_for(tail);
  if (event.noise == NoiseLaw::discrete_gaussian_1d) {
    integers_ = losses_of_integers(event, reach);
    left_out_ = 2 * tail;
    symmetric_ = event.sampling_rate == 1;
    return;
  }
  pair_ = dominating_pair(event);
  from_ = extreme(pair_, false) - reach * pair_.deviation;
  to_ = extreme(pair_, true) + reach * pair_.deviation;
  symmetric_ = event.sampling_rate == 1 || event.adjacency == Adjacency::replace_one;
}

double PrivacyLoss::range() const {
  return integers_.loss.empty() ? pair_.loss(to_) - pair_.loss(from_)
                                : integers_.loss.back() - integers_.loss.front();
}

LossSketch PrivacyLoss::sketch() const {
  if (!integers_.loss.empty()) {
    return integers_;
  }
  constexpr int kNodes = 160;
  LossSketch sketch;
  const double width = (to_ - from_) / kNodes;
  for (int i = 0; i <= kNodes; ++i) {
    const double x = from_ + i * width;
    sketch.p.push_back(std::exp(pair_.log_density_p(x)) * width);
    sketch.q.push_back(std::exp(pair_.log_density_q(x)) * width);
    sketch.loss.push_back(pair_.loss(x));
  }
  return sketch;
}

LossCells PrivacyLoss::cells(double step) const {
  return integers_.loss.empty() ? cells_of_pair(step) : cells_of_integers(step);
}

LossCells PrivacyLoss::cells_of_pair(double step) const {
  LossCells cells;
  cells.step = step;
  cells.first = static_cast<std::int64_t>(std::floor(pair_.loss(from_) / step));
  const auto end = static_cast<std::int64_t>(std::ceil(pair_.loss(to_) / step));
  const auto count = static_cast<std::size_t>(std::clamp(end - cells.first, std::int64_t{1}, kMostCells));
  for (std::vector<double>* values : {&cells.p, &cells.q, &cells.p_error, &cells.q_error}) {
    values->resize(count);
  }
  double place = pair_.place_of(static_cast<double>(cells.first) * step, from_);
  Slices p(pair_.p, pair_.deviation, place);
  Slices q(pair_.q, pair_.deviation, place);
  cells.p_below = p.below();
  cells.q_below = q.below();
  double near = std::max(place, from_);
  for (std::size_t k = 0; k < count; ++k) {
    const double loss = static_cast<double>(cells.first + static_cast<std::int64_t>(k) + 1) * step;
    place = pair_.place_of(loss, near);
    near = std::max(place, from_);
    std::tie(cells.p[k], cells.p_error[k]) = p.up_to(place);
    std::tie(cells.q[k], cells.q_error[k]) = q.up_to(place);
  }
  cells.p_above = p.above();
  cells.q_above = q.above();
  return cells;
}

LossCells PrivacyLoss::cells_of_integers(double step) const {
  LossCells cells;
  cells.step = step;
  cells.first = static_cast<std::int64_t>(std::floor(integers_.loss.front() / step)) - 1;
  const auto end = static_cast<std::int64_t>(std::ceil(integers_.loss.back() / step)) + 1;
  check(end - cells.first <= kMostCells, "cells fit into memory");
  for (std::vector<double>* values : {&cells.p, &cells.q, &cells.p_error, &cells.q_error}) {
    values->resize(static_cast<std::size_t>(end - cells.first));
  }
  for (std::size_t i = 0; i < integers_.loss.size(); ++i) {
    const auto cell = static_cast<std::int64_t>(std::floor(integers_.loss[i] / step)) - cells.first;
    const auto k = static_cast<std::size_t>(cell);
    cells.p[k] += integers_.p[i];
    cells.q[k] += integers_.q[i];
    cells.p_error[k] += 16 * kUlp * integers_.p[i];
    cells.q_error[k] += 16 * kUlp * integers_.q[i];
  }
  cells.p_below = cells.q_below = cells.p_above = cells.q_above = left_out_;
  return cells;
}

LossCells mirrored(LossCells cells) {
  cells.first = -(cells.first + static_cast<std::int64_t>(cells.p.size()));
  for (std::vector<double>* values : {&cells.p, &cells.q, &cells.p_error, &cells.q_error}) {
    std::reverse(values->begin(), values->end());
  }
  std::swap(cells.p, cells.q);
  std::swap(cells.p_error, cells.q_error);
  std::swap(cells.p_below, cells.q_above);
  std::swap(cells.q_below, cells.p_above);
  return cells;
}

LossSketch mirrored(LossSketch sketch) {
  std::swap(sketch.p, sketch.q);
  for (double& loss : sketch.loss) {
    loss = -loss;
  }
  return sketch;
}

}  // namespace hanse
