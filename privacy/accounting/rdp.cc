#include "privacy/accounting/rdp.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "common/base/check.h"
#include "privacy/accounting/gaussian_pair.h"

namespace hanse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Below this multiplier the quadrature would need ever more nodes (its step falls like z^2).
constexpr double kSmallestQuadratureMultiplier = 0.1;

// log of a sum of exponentials.
double log_sum_exp(std::span<const double> logs) {
  const double top = *std::max_element(logs.begin(), logs.end());
  if (top == -kInfinity) {
    return top;
  }
  double sum = 0;
  for (const double log : logs) {
    sum += std::exp(log - top);
  }
  return top + std::log(sum);
}

// log(1 + exp(x)), without overflow and without losing a tiny exp(x).
double log_one_plus_exp(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

// log(exp(x) - 1) for x > 0.
double log_expm1(double x) {
  return x > 40 ? x : std::log(std::expm1(x));
}

// log A at an integer order. The binomial weights add up to one and exp(0) = 1 for k = 0 and 1, hence
// A - 1 = sum over k >= 2 of C(a, k) (1 - q)^(a - k) q^k (exp(k (k - 1) / (2 z^2)) - 1).
double log_moment_at_integer(double z, double q, double order) {
  const double log_q = std::log(q);
  const double log_rest = std::log1p(-q);
  std::vector<double> terms;
  terms.reserve(static_cast<std::size_t>(order));
  double log_binomial = std::log(order);  // C(a, 1)
  for (double k = 2; k <= order; ++k) {
    log_binomial += std::log((order - k + 1) / k);
    terms.push_back(log_binomial + (order - k) * log_rest + k * log_q + log_expm1(k * (k - 1) / (2 * z * z)));
  }
  return log_one_plus_exp(log_sum_exp(terms));
}

// log((1 + x)^a - 1 - a x) for x = q (e^w - 1) > -1 and a > 1: a remainder that is never negative
// (Bernoulli).
double log_bernoulli_remainder(double a, double q, double w) {
  if (w > 500) {  // e^w may overflow: 1 + x is q e^w up to a factor 1 + e^-500 / q.
    const double log_base = std::log(q) + w + std::log1p((1 - q) / q * std::exp(-w));
    return a * log_base + std::log1p(-std::exp(std::log(a) - (a - 1) * log_base));
  }
  const double x = q * std::expm1(w);
  if (std::abs(x) * a < 0.05) {  // Series: the direct difference would cancel.
    double tail = 1;
    for (double k = 14; k >= 3; --k) {
      tail = 1 + tail * x * (a - k + 1) / k;
    }
    return std::log(a * (a - 1) / 2 * tail) + 2 * std::log(std::abs(x));
  }
  const double log_power = a * std::log1p(x);
  if (log_power < 600) {
    return std::log(std::max(0.0, std::expm1(log_power) - a * x));
  }
  return log_power + std::log1p(-(1 + a * x) * std::exp(-log_power));
}

// log A at any order: A - 1 = E ((1 + x)^a - 1 - a x), where x = q (exp((2 y - 1) / (2 z^2)) - 1) has mean
// zero under y ~ N(0, z^2). The integrand is analytic in a strip of half-width d < pi z^2 around the real line (1
// + x has its zeros beyond) and decays like a Gaussian of deviation z around 0 and around a, so the trapezoid
// rule converges geometrically, to exp(-2 pi d / step + d^2 / (2 z^2)): a step of z^2 / 3 leaves exp(-6 pi^2) =
// 1e-26 where d is the strip's, and a step of z / 3 leaves exp(-18 pi^2). 10 deviations leave exp(-50).
double log_moment_by_quadrature(double z, double q, double order) {
  const double from = -10 * z - 1;
  const double to = order + 10 * z + 1;
  const double step = std::min(z / 3, z * z / 3);
  const auto nodes = static_cast<std::size_t>(std::ceil((to - from) / step)) + 1;
  std::vector<double> terms(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    const double y = from + static_cast<double>(i) * step;
    const double w = (2 * y - 1) / (2 * z * z);
    terms[i] = log_bernoulli_remainder(order, q, w) - y * y / (2 * z * z);
  }
  const double log_scale = std::log(step / z) - std::log(2 * std::numbers::pi) / 2;
  return log_one_plus_exp(log_sum_exp(terms) + log_scale);
}

// The chord of the convex function log A between the integers around `order`; log A is 0 at order 1.
double log_moment_by_interpolation(double z, double q, double order) {
  const double below = std::floor(order);
  const double share = order - below;
  const double left = below < 2 ? 0 : log_moment_at_integer(z, q, below);
  return share == 0 ? left : left + share * (log_moment_at_integer(z, q, below + 1) - left);
}

double log_moment(const DpEvent& event, double order) {
  const double z = event.noise_multiplier;
  const double q = event.sampling_rate;
  const bool interpolates = event.noise != NoiseLaw::gaussian || z < kSmallestQuadratureMultiplier;
  if (order == std::floor(order)) {
    return log_moment_at_integer(z, q, order);
  }
  return interpolates ? log_moment_by_interpolation(z, q, order) : log_moment_by_quadrature(z, q, order);
}

// Both directions of a mixture of several shifts, or of two mixtures, whose directions mirror each other.
double log_moment_of_pair(const DpEvent& event, double order) {
  if (gaussian_multiplier(event) < kSmallestQuadratureMultiplier) {
    if (event.adjacency == Adjacency::replace_one) {
      return kInfinity;
    }
    // Any coin brings in everything.
    DpEvent one_coin = event;
    one_coin.coins = 1;
    one_coin.sampling_rate = -std::expm1(event.coins * std::log1p(-event.sampling_rate));
    return log_moment(one_coin, order);
  }
  const GaussianPair pair = dominating_pair(event);
  const double removed = log_power_integral(pair, order);
  return event.adjacency == Adjacency::replace_one ? removed
                                                   : std::max(removed, log_power_integral(pair, 1 - order));
}

std::vector<double> make_default_orders() {
  std::vector<double> orders;
  for (int tenths = 11; tenths < 110; ++tenths) {
    orders.push_back(tenths / 10.0);
  }
  for (int order = 11; order < 64; ++order) {
    orders.push_back(order);
  }
  orders.insert(orders.end(), {128, 256, 512, 1024});
  return orders;
}

}  // namespace

double rdp(const DpEvent& event, double order) {
  check(is_valid(event), "an event has a finite noise multiplier >= 0 and a sampling rate in [0, 1]");
  check(std::isfinite(order) && order > 1, "an order is finite and above 1");
  if (event.sampling_rate == 0) {
    return 0;
  }
  const bool replaces = event.adjacency == Adjacency::replace_one;
  const bool takes_a_pair = event.sampling_rate < 1 && (replaces || event.coins > 1);
  const double z = takes_a_pair ? gaussian_multiplier(event) : event.noise_multiplier;
  const double unsampled = (replaces ? 4 : 1) * order / (2 * z * z);
  if (!std::isfinite(order * unsampled)) {
    return kInfinity;
  }
  if (event.sampling_rate == 1) {
    return unsampled;
  }
  if (takes_a_pair) {
    return std::min(unsampled, log_moment_of_pair(event, order) / (order - 1));
  }
  // Sampling never costs privacy; the minimum takes away rounding and the looseness of interpolation.
  return std::min(unsampled, log_moment(event, order) / (order - 1));
}

std::span<const double> default_orders() {
  static const std::vector<double> orders = make_default_orders();
  return orders;
}

}  // namespace hanse
