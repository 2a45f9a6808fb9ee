#include "common/numerics/normal.h"

#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>
#include <numbers>

namespace hanse {
namespace {

using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;

}  // namespace

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

double normal_quantile(double p) {
  if (p <= 0 || p >= 1) {
    return p <= 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * p, Policy());
}

double mills_ratio(double x) {
  if (x < 10) {
    return normal_cdf(-x) * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  }
  // Laplace's continued fraction 1 / (x + 1 / (x + 2 / (x + 3 / ...))): from 10 on, forty terms are more than
  // enough.
  double rest = x;
  for (int term = 40; term > 0; --term) {
    rest = x + term / rest;
  }
  return 1 / rest;
}

}  // namespace hanse
