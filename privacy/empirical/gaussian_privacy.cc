#include "privacy/empirical/gaussian_privacy.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/base/check.h"
#include "common/numerics/normal.h"
#include "privacy/accounting/gaussian_curve.h"
#include "privacy/empirical/falling_root.h"

namespace hanse {
namespace {

constexpr double kEpsilonMax = 1e300;

/// Smallest epsilon whose delta is at most `delta`, for a delta that falls with epsilon. Errs upwards.
template <class Delta>
double smallest_epsilon(const Delta& delta_at, double delta) {
  const double below =
      last_that_holds([&](double epsilon) { return delta_at(epsilon) > delta; }, kEpsilonMax);
  return below == 0 ? 0 : below * (1 + 1e-12);
}

/// e^epsilon Phi(x) for x that may lie far out: both factors leave the range of doubles, their product need
/// not.
double tail_times_exp(double epsilon, double x) {
  return x > 0 ? std::exp(epsilon) * normal_cdf(x)
               : std::exp(epsilon - x * x / 2) * mills_ratio(-x) / std::sqrt(2 * std::numbers::pi);
}

/// sup over sets S of P(S) - e^epsilon Q(S), with P = N(mean, sd^2) and Q = N(0, 1): S is where
///   log p/q = a x^2 + b x + c  exceeds  epsilon.
double hockey_stick(double mean, double sd, double epsilon) {
  const double a = (1 - 1 / (sd * sd)) / 2;
  const double b = mean / (sd * sd);
  const double c = -std::log(sd) - mean * mean / (2 * sd * sd) - epsilon;
  if (a == 0) {
    return mean == 0 ? 0 : gaussian_delta(std::abs(mean), epsilon);
  }
  const double discriminant = b * b - 4 * a * c;
  if (discriminant <= 0) {
    return 0;  // Everywhere or nowhere, and epsilon is not negative.
  }
  // Without cancellation: the root of larger magnitude first, the other from their product.
  const double large = -(b + std::copysign(std::sqrt(discriminant), b)) / 2;
  const double low = std::min(large / a, c / large);
  const double high = std::max(large / a, c / large);
  const auto p = [&](double x) { return normal_cdf((x - mean) / sd); };
  if (a > 0) {
    return p(low) + normal_cdf((mean - high) / sd) - tail_times_exp(epsilon, low) -
           tail_times_exp(epsilon, -high);
  }
  const double mass_p =
      low > mean ? normal_cdf((mean - low) / sd) - normal_cdf((mean - high) / sd) : p(high) - p(low);
  const double mass_q = low > 0 ? tail_times_exp(epsilon, -low) - tail_times_exp(epsilon, -high)
                                : tail_times_exp(epsilon, high) - tail_times_exp(epsilon, low);
  return mass_p - mass_q;
}

}  // namespace

double gdp_epsilon(double mu, double delta) {
  check(mu >= 0 && delta > 0 && delta < 1, "epsilon of mu-GDP is asked at a delta between 0 and 1");
  if (mu == 0 || std::isinf(mu)) {
    return mu;
  }
  return gaussian_epsilon(mu, delta);
}

double two_gaussians_epsilon(double mu, double sd, double delta) {
  check(std::isfinite(mu) && sd > 0 && std::isfinite(sd) && delta > 0 && delta < 1,
        "two Gaussians have a mean, a deviation and a delta");
  // The other direction, seen from N(mu, sd^2) as the unit.
  return std::max(
      smallest_epsilon([&](double epsilon) { return hockey_stick(mu, sd, epsilon); }, delta),
      smallest_epsilon([&](double epsilon) { return hockey_stick(mu / sd, 1 / sd, epsilon); }, delta));
}

}  // namespace hanse
