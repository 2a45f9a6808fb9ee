#include "privacy/accounting/gaussian_curve.h"

#include <cmath>
#include <numbers>

namespace hanse {
namespace {

// (1 - Phi(u)) / phi(u), for u > -35.
double mills_ratio(double u) {
  if (u < 20) {
    return std::erfc(u / std::numbers::sqrt2) / 2 * std::sqrt(2 * std::numbers::pi) * std::exp(u * u / 2);
  }
  // Laplace's continued fraction, from its tail.
  double fraction = u;
  for (int k = 40; k >= 1; --k) {
    fraction = u + k / fraction;
  }
  return 1 / fraction;
}

// log delta: phi(u) (mills(u) - mills(u + mu)) with u = epsilon / mu - mu / 2, for which
// exp(epsilon) phi(u + mu) = phi(u).
double log_delta(double mu, double epsilon) {
  const double u = epsilon / mu - mu / 2;
  if (u < -5) {
    const double density = std::exp(-u * u / 2) / std::sqrt(2 * std::numbers::pi);
    return std::log(std::erfc(u / std::numbers::sqrt2) / 2 - density * mills_ratio(u + mu));
  }
  // Between them the derivative of the Mills ratio, u mills(u) - 1, says the same without cancelling.
  const double middle = u + mu / 2;
  const double third = middle * middle * middle;
  const double m = mills_ratio(middle);
  const double slope = middle * m - 1;
  const double bend = (third + 3 * middle) * m - middle * middle - 2;  // Third derivative.
  const double difference = mu < 1e-3 && std::abs(middle) < 20 ? -mu * slope - mu * mu * mu / 24 * bend
                                                               : mills_ratio(u) - mills_ratio(u + mu);
  return -u * u / 2 - std::log(2 * std::numbers::pi) / 2 + std::log(difference);
}

}  // namespace

double gaussian_delta(double mu, double epsilon) {
  return std::exp(log_delta(mu, epsilon));
}

double gaussian_epsilon(double mu, double delta) {
  const double target = std::log(delta);
  if (log_delta(mu, 0) <= target) {
    return 0;
  }
  // P(L > epsilon) bounds delta and is at most exp(-u^2 / 2).
  double low = 0;
  double high = mu * (mu / 2 + std::sqrt(-2 * target) + 1);
  for (int step = 0; step < 200 && high - low > 1e-13 * high; ++step) {
    const double middle = low + (high - low) / 2;
    (log_delta(mu, middle) <= target ? high : low) = middle;
  }
  return high;
}

}  // namespace hanse
