#include "privacy/accounting/tilted_sum.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace hanse {
namespace {

using Complex = std::complex<double>;

constexpr double kUlp = std::numeric_limits<double>::epsilon();
// Powers below e^-60 are left out; they stay in the bound.
constexpr double kFaintest = 60;
// Tilted weights that cannot matter, but whose products would be slow (denormal).
constexpr double kWeightless = 1e-80;

inline Complex product(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// Both spectra and their bound to an integer power, by squaring.
void to_the(std::uint64_t power, Complex& a, Complex& b, double& bound) {
  Complex a_result = 1;
  Complex b_result = 1;
  double bound_result = 1;
  for (; power > 0; power >>= 1) {
    if ((power & 1) != 0) {
      a_result = product(a_result, a);
      b_result = product(b_result, b);
      bound_result *= bound;
    }
    a = product(a, a);
    b = product(b, b);
    bound *= bound;
  }
  a = a_result;
  b = b_result;
  bound = bound_result;
}

}  // namespace

TiltedSum::TiltedSum(const Fourier& fourier, double step, Tilt tilt)
    : fourier_(&fourier),
      step_(step),
      tilt_(tilt),
      upper_(fourier.points() / 2 + 1, 1),
      lower_(fourier.points() / 2 + 1, 1),
      bound_(fourier.points() / 2 + 1, 1),
      relative_(fourier.points() / 2 + 1),
      work_(fourier.points()) {}

void TiltedSum::add(const GridLaws& laws, std::uint64_t count, double log_moment, double log_moment_beyond,
                    Fourier& fourier) {
  const std::size_t points = work_.size();
  std::fill(work_.begin(), work_.end(), Complex(0));
  double moment = 0;
  double moment_beyond = 0;
  double misplaced = 0;
  double lower_moment = 0;
  double weight = 0;
  double weight_beyond = 0;
  const double factor = std::exp(theta() * step_);
  const double factor_beyond = std::exp((theta() + tilt_.lambda) * step_);
  for (std::size_t k = 0; k < laws.upper.size(); ++k) {
    const auto place = laws.first + static_cast<std::int64_t>(k);
    const double loss = static_cast<double>(place) * step_;
    // Powers of one factor, begun anew before their rounding counts.
    if (k % 8 == 0) {
      weight = std::exp(theta() * loss - log_moment);
      weight_beyond = std::exp((theta() + tilt_.lambda) * loss - log_moment_beyond);
    }
    const double upper = laws.upper[k] * weight;
    const double lower = laws.lower[k] * weight;
    if (upper > kWeightless || lower > kWeightless) {
      work_[static_cast<std::size_t>(place) & (points - 1)] += Complex(upper, lower);
    }
    moment += upper;
    lower_moment += lower;
    misplaced += laws.error[k] * weight;
    moment_beyond += laws.upper[k] * weight_beyond;
    weight *= factor;
    weight_beyond *= factor_beyond;
  }
  fourier.transform(work_);

  const auto times = static_cast<double>(count);
  const double normalise = 1 / moment;
  log_moment_ += times * (log_moment + std::log(moment));
  log_moment_error_ += times * kUlp * (8 + 8 * std::abs(log_moment));
  log_moment_beyond_ += times * (log_moment_beyond + std::log(moment_beyond) + 16 * kUlp);
  infinite_ += times * laws.infinite;
  misplaced *= normalise;
  const double transform_error = fourier_error(points) * std::hypot(1, lower_moment * normalise) + 8 * kUlp;
  misplaced_ += times * misplaced * std::exp(theta() * step_);
  for (std::size_t k = 0; k < upper_.size(); ++k) {
    const Complex there = work_[k];
    const Complex back = std::conj(work_[k == 0 ? 0 : points - k]);
    Complex upper = (there + back) * (0.5 * normalise);
    const Complex twice_lower = (there - back) * (0.5 * normalise);
    Complex lower(twice_lower.imag(), -twice_lower.real());
    double bound = std::sqrt(std::max(std::norm(upper), std::norm(lower))) + transform_error;
    relative_[k] += times * transform_error / bound;
    if (bound_[k] < 1e-26 || times * (1 - bound) > kFaintest) {
      upper_[k] = lower_[k] = 0;
      bound_[k] *= std::exp(-std::min(kFaintest, times * (1 - bound)));
      relative_[k] = 1;
      continue;
    }
    to_the(count, upper, lower, bound);
    upper_[k] = product(upper_[k], upper);
    lower_[k] = product(lower_[k], lower);
    bound_[k] *= bound;
  }
}

// What remains of the spectra once the payoff's geometric sums are multiplied in.
struct TiltedSum::Payoff {
  struct Term {
    std::size_t k = 0;
    Complex upper1, upper2, lower1, lower2;
  };
  std::vector<Term> terms;
  double error = 0;  // Of A1 and A2 together, before exp(K - theta a h) / N.
};

EpsilonOfSum TiltedSum::epsilon(double delta) const {
  if (!std::isfinite(log_moment_)) {  // A grid that is far too coarse for the tilt says nothing.
    return {.upper = std::numeric_limits<double>::infinity()};
  }
  const std::size_t points = fourier_->points();
  const double window = static_cast<double>(points) * step_;
  const double chernoff = (log_moment_ - std::log(std::max(delta - infinite_, delta * 1e-3))) / theta();
  const double scale_error =
      log_moment_error_ + 8 * kUlp * (16 + std::abs(log_moment_) + std::abs(chernoff) * theta());

  Payoff payoff;
  // The geometric sum of e^(-t h n) e^(i w n) over the window: of e^(-t N h) and 1 / (1 - e^(-t h) e^(i w)).
  struct Geometric {
    double shrink, below_one, all;
    Geometric(double t, double step, double window)
        : shrink(std::exp(-t * step)), below_one(-std::expm1(-t * step)), all(-std::expm1(-t * window)) {}
    Complex at(Complex root) const {
      const double real = below_one + shrink * (1 - root.real());
      const double imaginary = -shrink * root.imag();
      const double scale = all / (real * real + imaginary * imaginary);
      return {real * scale, -imaginary * scale};
    }
  };
  const Geometric first(theta(), step_, window);
  const Geometric second(theta() + 1, step_, window);
  const double payoff_error = scale_error + 4 * kUlp / first.below_one;
  for (std::size_t k = 0; k < upper_.size(); ++k) {
    const Complex root = std::conj(fourier_->root(k));
    const double twice = k == 0 || 2 * k == points ? 1 : 2;
    const Complex one = twice * first.at(root);
    const Complex two = twice * second.at(root);
    const double error = std::min(1.0, relative_[k] + payoff_error);
    payoff.error += bound_[k] * error * (std::sqrt(std::norm(one)) + std::sqrt(std::norm(two)));
    if (upper_[k] != Complex(0) || lower_[k] != Complex(0)) {
      payoff.terms.push_back({k, product(upper_[k], one), product(upper_[k], two), product(lower_[k], one),
                              product(lower_[k], two)});
    }
  }

  struct Value {
    double one = 0;
    double two = 0;
    double round_off = 0;
    double aliasing = 0;
  };
  const auto value_at = [&](std::int64_t a, bool is_upper) {
    Value value;
    const double place = static_cast<double>(a) * step_;
    const double scale = std::exp(log_moment_ - theta() * place) / static_cast<double>(points);
    const auto turn = static_cast<std::size_t>(a);
    for (const Payoff::Term& term : payoff.terms) {
      const Complex phase = std::conj(fourier_->root((term.k * turn) & (points - 1)));
      const Complex one = is_upper ? term.upper1 : term.lower1;
      const Complex two = is_upper ? term.upper2 : term.lower2;
      value.one += one.real() * phase.real() - one.imag() * phase.imag();
      value.two += two.real() * phase.real() - two.imag() * phase.imag();
    }
    value.one *= scale;
    value.two *= scale;
    // The payoff changes by at most a loss's displacement, where the sum passes epsilon at all (Chernoff).
    value.round_off =
        scale * (payoff.error + static_cast<double>(points) * misplaced_ * std::exp(theta() * step_));
    const double below = std::exp(-theta() * window);
    const double place_before = place - step_;  // The bounds fall with epsilon.
    const double above =
        std::exp(std::min(log_moment_ - theta() * place_before, log_moment_beyond_ - theta() * place_before -
                                                                    tilt_.lambda * (place_before + window)));
    value.aliasing = below + above;
    return value;
  };
  // What delta is at least, or at most, at epsilon = a h; `all_errors` is added.
  const auto errors_of = [&](const Value& value, bool is_upper) {
    return is_upper ? value.round_off + infinite_ : -value.round_off - value.aliasing;
  };
  const auto passes = [&](std::int64_t a, bool is_upper) {
    const Value value = value_at(a, is_upper);
    const double bound = value.one - value.two + errors_of(value, is_upper);
    return is_upper ? bound <= delta : !(bound > delta);  // What has overflowed proves neither end.
  };
  // Between `low`, which does not pass, and `high`, which does.
  const auto solve = [&](std::int64_t low, std::int64_t high, bool is_upper, Value& found) {
    while (high - low > 1) {
      const std::int64_t middle = low + (high - low) / 2;
      (passes(middle, is_upper) ? high : low) = middle;
    }
    found = value_at(high, is_upper);
    const double top = static_cast<double>(high) * step_;
    const double bottom = static_cast<double>(low) * step_;
    const double wanted = (found.one + errors_of(found, is_upper) - delta) / found.two;
    return wanted > 0 ? std::clamp(top + std::log(wanted), bottom, top) : bottom;
  };

  Value at_upper;
  Value at_lower;
  EpsilonOfSum result;
  const double sure = infinite_ < delta * (1 - 1e-3) ? std::max(0.0, chernoff + scale_error / theta())
                                                     : std::numeric_limits<double>::infinity();
  const auto last = static_cast<std::int64_t>(std::ceil(std::max(0.0, chernoff) / step_)) + 1;
  if (passes(0, true)) {
    at_upper = value_at(0, true);
    return result;
  }
  result.upper = passes(last, true) ? std::min(solve(0, last, true, at_upper), sure) : sure;
  if (!std::isfinite(result.upper)) {
    return result;
  }
  // The bound on aliasing grows towards 0, so the lower end is looked for from the upper one down.
  auto high = static_cast<std::int64_t>(std::ceil(result.upper / step_)) + 1;
  std::int64_t low = high - 1;
  for (std::int64_t stride = 1; low > 0 && passes(low, false); stride *= 2) {
    high = low;
    low = std::max<std::int64_t>(0, low - stride);
  }
  result.lower = passes(low, false) ? 0 : std::min(solve(low, high, false, at_lower), result.upper);
  const double slope = std::max(at_upper.two, std::numeric_limits<double>::min());
  result.aliasing = at_upper.aliasing / slope;
  result.round_off = 2 * at_upper.round_off / slope;
  result.truncation = infinite_ / slope;
  return result;
}

}  // namespace hanse
