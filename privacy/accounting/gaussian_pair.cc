#include "privacy/accounting/gaussian_pair.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include "common/base/check.h"

namespace hanse {
namespace {

using Part = GaussianPair::Part;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Variance, in steps squared, of the part of discrete noise that is the rounding of a Gaussian.
constexpr double kRoundingVariance = 9;

// log of sum of weight exp((2 x centre - centre^2) / (2 s^2)): the density over that of N(0, s^2), and its slope in x.
struct Ratio {
  double log = 0;
  double slope = 0;
};

Ratio ratio(const GaussianPair& pair, double Part::*weight, double x) {
  const double scale = 1 / (pair.deviation * pair.deviation);
  const auto exponent = [&](const Part& part) { return (x - part.centre / 2) * part.centre * scale; };
  double top = 0;
  for (const Part& part : pair.parts) {
    if (part.*weight == 1) {
      return {exponent(part), part.centre * scale};
    }
    top = std::max(top, exponent(part));
  }
  // Weights that add up to one, and small exponents: log1p keeps the digits of a loss near 0.
  double sum = 0;
  double moment = 0;
  double beyond = 0;
  for (const Part& part : pair.parts) {
    if (part.*weight > 0) {
      const double e = exponent(part);
      const double term = part.*weight * std::exp(e - top);
      sum += term;
      moment += term * part.centre;
      beyond += top < 0.5 ? part.*weight * std::expm1(e) : 0;
    }
  }
  const bool close = top < 0.5 && beyond > -0.5;
  return {close ? std::log1p(beyond) : top + std::log(sum), moment / sum * scale};
}

double log_gaussian(double x, double deviation) {
  return -x * x / (2 * deviation * deviation) - std::log(2 * std::numbers::pi) / 2 - std::log(deviation);
}

// Binomial(K, q)(j) at j / K, by logarithms. What all coins beyond some j do together with probability 1e-60 is
// counted as all K.
std::vector<Part> coins(double q, std::uint32_t count) {
  std::vector<Part> parts;
  double log_binomial = 0;
  for (std::uint32_t j = 0; j <= count; ++j) {
    const double log_weight = log_binomial + j * std::log(q) + (count - j) * std::log1p(-q);
    if (j > q * count && j < count && log_weight < -140 - std::log(count)) {
      parts.push_back({.centre = 1, .p = 1e-60});
      break;
    }
    parts.push_back({.centre = static_cast<double>(j) / count, .p = std::exp(log_weight)});
    log_binomial += std::log(static_cast<double>(count - j) / (j + 1));
  }
  return parts;
}

}  // namespace

double GaussianPair::lowest() const {
  return std::min_element(parts.begin(), parts.end(), [](auto& a, auto& b) { return a.centre < b.centre; })
      ->centre;
}

double GaussianPair::highest() const {
  return std::max_element(parts.begin(), parts.end(), [](auto& a, auto& b) { return a.centre < b.centre; })
      ->centre;
}

double GaussianPair::log_density_p(double x) const {
  return ratio(*this, &Part::p, x).log + log_gaussian(x, deviation);
}

double GaussianPair::log_density_q(double x) const {
  return ratio(*this, &Part::q, x).log + log_gaussian(x, deviation);
}

double GaussianPair::loss(double x) const {
  return ratio(*this, &Part::p, x).log - ratio(*this, &Part::q, x).log;
}

double GaussianPair::place_of(double loss, double near) const {
  // One shifted part and one at 0, against N(0, s^2): in closed form.
  if (parts.size() == 2 && parts[0].centre == 0 && parts[0].q == 1) {
    const double c = parts[1].centre;
    const double share = parts[1].p;
    if (share == 1) {
      return deviation * deviation / c * loss + c / 2;
    }
    const double above = 1 + std::expm1(std::min(loss, 700.0)) / share;
    if (above <= 0) {
      return -kInfinity;
    }
    const double log_ratio = loss > 700 ? loss - std::log(share) : std::log(above);
    return deviation * deviation / c * log_ratio + c / 2;
  }
  const double far = highest() - lowest();
  double low = near - deviation;
  double high = near + deviation;
  for (double reach = deviation; this->loss(low) > loss; reach *= 2) {
    low -= reach;
    if (reach > 1e6 * (deviation + far)) {
      return -kInfinity;
    }
  }
  for (double reach = deviation; this->loss(high) < loss; reach *= 2) {
    high += reach;
    if (reach > 1e12 * (deviation + far)) {
      return kInfinity;
    }
  }
  double x = std::clamp(near, low, high);
  for (int i = 0; i < 100; ++i) {
    const Ratio with = ratio(*this, &Part::p, x);
    const Ratio without = ratio(*this, &Part::q, x);
    const double miss = with.log - without.log - loss;
    (miss > 0 ? high : low) = x;
    const double slope = with.slope - without.slope;
    double next = slope > 0 ? x - miss / slope : low;
    if (!(next > low && next < high)) {
      next = low + (high - low) / 2;
    }
    if (std::abs(next - x) <= 1e-14 * (std::abs(x) + deviation)) {
      return next;
    }
    x = next;
  }
  return x;
}

double gaussian_multiplier(const DpEvent& event) {
  const double z = event.noise_multiplier;
  if (event.noise == NoiseLaw::gaussian || event.sensitivity_steps == 0) {
    return z;
  }
  const double steps = z * event.sensitivity_steps;
  return steps * steps <= kRoundingVariance ? 0 : z * std::sqrt(1 - kRoundingVariance / (steps * steps));
}

GaussianPair dominating_pair(const DpEvent& event) {
  GaussianPair pair;
  pair.deviation = gaussian_multiplier(event);
  check(pair.deviation > 0 && event.sampling_rate > 0, "a dominating pair has noise and somebody sampled");
  pair.parts = event.sampling_rate == 1 ? std::vector<Part>{{.centre = 0}, {.centre = 1, .p = 1}}
                                        : coins(event.sampling_rate, event.coins);
  if (event.adjacency == Adjacency::zero_out) {
    pair.parts[0].q = 1;
    return pair;
  }
  pair.parts[0].q = pair.parts[0].p;
  for (std::size_t i = 1, count = pair.parts.size(); i < count; ++i) {
    pair.parts.push_back({.centre = -pair.parts[i].centre, .q = pair.parts[i].p});
  }
  return pair;
}

double log_power_integral(const GaussianPair& pair, double order) {
  const double s = pair.deviation;
  // P^order Q^(1 - order) peaks between 0 and here.
  const double far = order * pair.highest() + (1 - order) * std::min(0.0, pair.lowest());
  const double from = std::min(0.0, far) - 10 * s - 1;
  const double to = std::max(0.0, far) + 10 * s + 1;
  const double step = std::min(s / 3, s * s / 3);
  const auto nodes = static_cast<std::size_t>(std::ceil((to - from) / step)) + 1;
  // Integral of Q ((P/Q)^order - 1 - order (P/Q - 1)), whose integrand is never negative, plus 1.
  double top = -kInfinity;
  double sum = 0;
  for (std::size_t i = 0; i < nodes; ++i) {
    const double x = from + static_cast<double>(i) * step;
    const double loss = pair.loss(x);
    const double power = order * loss;
    double log_rest = 0;
    if (std::abs(power) < 0.05 && std::abs(loss) < 0.05) {
      // order (order - 1) / 2 loss^2 and on: e^(a l) - 1 - a (e^l - 1).
      double tail = 0;
      double a_power = order;
      double factor = 1;
      for (int k = 2; k <= 12; ++k) {
        a_power *= order;
        factor *= loss / k;
        tail += (a_power - order) * factor;
      }
      log_rest = std::log(std::abs(tail * loss));
    } else if (power < 600 && loss < 600) {
      log_rest = std::log(std::max(0.0, std::expm1(power) - order * std::expm1(loss)));
    } else {
      log_rest = power;  // The rest is smaller by e^600 (order - 1) / order.
    }
    const double term = log_rest + pair.log_density_q(x);
    if (term > top) {
      sum = sum * std::exp(top - term) + 1;
      top = term;
    } else if (term > top - 745) {
      sum += std::exp(term - top);
    }
  }
  const double log_rest = top + std::log(sum) + std::log(step);
  return log_rest > 0 ? log_rest + std::log1p(std::exp(-log_rest)) : std::log1p(std::exp(log_rest));
}

}  // namespace hanse
