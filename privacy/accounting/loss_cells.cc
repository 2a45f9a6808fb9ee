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

// What lies between consecutive places.
struct Slice {
  double p = 0;
  double q = 0;
  double error = 0;  // As in LossCells.
};

class Slices {
 public:
  Slices(const GaussianPair& pair, double from) : pair_(&pair) {
    for (const GaussianPair::Part& part : pair.parts) {
      last_.emplace_back((from - part.centre) / pair.deviation);
    }
  }

  /// P and Q below the last place.
  Slice below() const {
    Slice slice;
    for (std::size_t i = 0; i < last_.size(); ++i) {
      slice.p += pair_->parts[i].p * (1 - upper(last_[i]));
      slice.q += pair_->parts[i].q * (1 - upper(last_[i]));
    }
    return slice;
  }
  Slice above() const {
    Slice slice;
    for (std::size_t i = 0; i < last_.size(); ++i) {
      slice.p += pair_->parts[i].p * upper(last_[i]);
      slice.q += pair_->parts[i].q * upper(last_[i]);
    }
    return slice;
  }
  /// From the last place to this one, which have losses `step` apart; `odds` = exp(loss).
  ///
  /// A tail's error moves P and Q across a place together: what it does to p - odds q displaces weight by about a
  /// step, and the rest goes to the next cell. A place's own error, some units of |x|, displaces by the loss's slope
  /// times that.
  Slice up_to(double place, double step, double odds) {
    Slice slice;
    for (std::size_t i = 0; i < last_.size(); ++i) {
      const GaussianPair::Part& part = pair_->parts[i];
      const Tail next((place - part.centre) / pair_->deviation);
      const double weight = between(last_[i], next);
      slice.p += part.p * weight;
      slice.q += part.q * weight;
      const double tails = error(last_[i]) + error(next);
      slice.error += tails * (std::abs(part.p - odds * part.q) + step * (part.p + odds * part.q));
      last_[i] = next;
    }
    const double width = place - last_place_;
    if (std::isfinite(width) && width > 0) {
      slice.error += 4 * kUlp * (std::abs(place) + pair_->deviation) * step / width * slice.p;
    }
    last_place_ = place;
    slice.error += 4 * kUlp * slice.p;
    return slice;
  }

 private:
  // erfc to a unit in the last place, its argument to half of one.
  static double error(const Tail& tail) {
    return tail.weight > 0 ? kUlp * (1 + tail.u * tail.u) * tail.weight : 0;
  }

  const GaussianPair* pair_;
  std::vector<Tail> last_;
  double last_place_ = -std::numeric_limits<double>::infinity();
};

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
  from_ = pair_.lowest() - reach * pair_.deviation;
  to_ = pair_.highest() + reach * pair_.deviation;
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
  constexpr int kNodes = 120;
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
  for (std::vector<double>* values : {&cells.p, &cells.q, &cells.odds, &cells.error}) {
    values->resize(count);
  }
  double near = from_;
  const auto place_at = [&](std::size_t k) {
    const double place =
        pair_.place_of(static_cast<double>(cells.first + static_cast<std::int64_t>(k)) * step, near);
    near = std::max(place, from_);
    return place;
  };
  Slices slices(pair_, place_at(0));
  const Slice below = slices.below();
  for (std::size_t k = 0; k < count; ++k) {
    const double loss = static_cast<double>(cells.first + static_cast<std::int64_t>(k)) * step;
    cells.odds[k] = std::exp(loss);
    const Slice slice = slices.up_to(place_at(k + 1), step, std::min(cells.odds[k], 1e300));
    cells.p[k] = slice.p;
    cells.q[k] = slice.q;
    cells.error[k] = slice.error;
  }
  const Slice above = slices.above();
  cells.p_below = below.p;
  cells.q_below = below.q;
  cells.p_above = above.p;
  cells.q_above = above.q;
  return cells;
}

LossCells PrivacyLoss::cells_of_integers(double step) const {
  LossCells cells;
  cells.step = step;
  cells.first = static_cast<std::int64_t>(std::floor(integers_.loss.front() / step)) - 1;
  const auto end = static_cast<std::int64_t>(std::ceil(integers_.loss.back() / step)) + 1;
  check(end - cells.first <= kMostCells, "cells fit into memory");
  for (std::vector<double>* values : {&cells.p, &cells.q, &cells.odds, &cells.error}) {
    values->resize(static_cast<std::size_t>(end - cells.first));
  }
  for (std::size_t i = 0; i < integers_.loss.size(); ++i) {
    const auto cell = static_cast<std::int64_t>(std::floor(integers_.loss[i] / step)) - cells.first;
    const auto k = static_cast<std::size_t>(cell);
    cells.p[k] += integers_.p[i];
    cells.q[k] += integers_.q[i];
    cells.error[k] += 32 * kUlp * integers_.p[i];
  }
  for (std::size_t k = 0; k < cells.odds.size(); ++k) {
    cells.odds[k] = std::exp(static_cast<double>(cells.first + static_cast<std::int64_t>(k)) * step);
  }
  cells.p_below = cells.q_below = cells.p_above = cells.q_above = left_out_;
  return cells;
}

PrivacyLoss::Delta PrivacyLoss::delta(double epsilon, bool added) const {
  Delta delta;
  const double odds_less_one = std::expm1(epsilon);
  if (!integers_.loss.empty()) {
    for (std::size_t i = 0; i < integers_.loss.size(); ++i) {
      const double loss = added ? -integers_.loss[i] : integers_.loss[i];
      if (loss > epsilon) {
        const double weight = added ? integers_.q[i] : integers_.p[i];
        delta.value += weight * -std::expm1(epsilon - loss);
        delta.error += 32 * kUlp * weight;
      }
    }
    delta.error += left_out_;
    return delta;
  }
  // The place where losses pass epsilon; that the curve is level there forgives its round-off.
  const double place = pair_.place_of(added ? -epsilon : epsilon, added ? from_ : to_);
  for (const GaussianPair::Part& part : pair_.parts) {
    const Tail tail((added ? part.centre - place : place - part.centre) / pair_.deviation);
    const double above = upper(tail);
    if (above == 0) {
      continue;
    }
    const double slack = 4 + (tail.weight > 0 ? tail.u * tail.u : 0);
    const double mine = added ? part.q : part.p;
    const double other = added ? part.p : part.q;
    delta.value += (mine - other - other * odds_less_one) * above;
    delta.error += kUlp * slack * (mine + other * (1 + odds_less_one)) * above;
  }
  return delta;
}

LossCells mirrored(LossCells cells) {
  cells.first = -(cells.first + static_cast<std::int64_t>(cells.p.size()));
  const double step_odds = std::exp(cells.step);
  for (std::size_t k = 0; k < cells.odds.size(); ++k) {
    // In weights of Q, which are those of P over the odds.
    cells.error[k] =
        std::max(4 * kUlp * cells.q[k], cells.odds[k] > 1e-300 ? cells.error[k] / cells.odds[k] : 0);
    cells.odds[k] = 1 / (cells.odds[k] * step_odds);
  }
  for (std::vector<double>* values : {&cells.p, &cells.q, &cells.odds, &cells.error}) {
    std::reverse(values->begin(), values->end());
  }
  std::swap(cells.p, cells.q);
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
