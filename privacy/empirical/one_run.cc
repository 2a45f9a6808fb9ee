#include "privacy/empirical/one_run.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"
#include "common/numerics/normal.h"
#include "privacy/empirical/binomial.h"
#include "privacy/empirical/falling_root.h"

namespace hanse {
namespace {

void check_guesses(const Guesses& g) {
  check(g.right <= g.guesses && g.guesses <= g.canaries, "a guesser is right about some of those it guesses");
}

/// max over 1 <= i <= right of Pr[right - i <= Bin < right] / i: the largest mean of the masses from right -
/// 1 down. They rise to the mode and fall beyond it, so the first one below the mean ends the search.
double steepest(const Guesses& g, double log_q, double log_rest) {
  const auto n = static_cast<double>(g.guesses);
  const auto v = static_cast<double>(g.right);
  double k = v - 1;
  double log_mass =
      std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * log_q + (n - k) * log_rest;
  double sum = 0;
  double best = 0;
  for (double i = 1; i <= v; ++i, --k) {
    const double mass = std::exp(log_mass);
    if (mass < best) {
      break;
    }
    sum += mass;
    best = sum / i;
    log_mass += std::log(k / (n - k + 1)) + log_rest - log_q;
  }
  return best;
}

}  // namespace

double one_run_p_value(const Guesses& g, double epsilon, double delta) {
  check_guesses(g);
  const double log_q = -std::log1p(std::exp(-epsilon));
  const double beta = binomial_tail(g.guesses, std::exp(log_q), g.right);
  const double slack =
      delta > 0 ? 2 * static_cast<double>(g.canaries) * delta * steepest(g, log_q, log_q - epsilon) : 0;
  return std::min(1.0, beta + slack);
}

double one_run_epsilon(const Guesses& g, double delta, double significance) {
  return last_that_holds([&](double epsilon) { return one_run_p_value(g, epsilon, delta) < significance; },
                         1e3);
}

bool one_run_refutes_gdp(const Guesses& g, double mu, double significance) {
  check_guesses(g);
  const auto m = static_cast<double>(g.canaries);
  const auto guesses = static_cast<double>(g.guesses);
  double right = significance * static_cast<double>(g.right) / m;
  double wrong = significance * static_cast<double>(g.guesses - g.right) / m;
  for (double i = static_cast<double>(g.right) - 1; i >= 0 && right + wrong <= guesses / m; --i) {
    const double least_wrong = normal_cdf(normal_quantile(right) - mu);
    if (least_wrong <= wrong) {
      break;  // Neither would change any more.
    }
    right = std::min(1.0, right + i / (guesses - i) * (least_wrong - wrong));
    wrong = least_wrong;
  }
  return right + wrong > guesses / m;
}

double one_run_gdp(const Guesses& g, double significance, double least) {
  const auto refuted = [&](double mu) { return one_run_refutes_gdp(g, mu, significance); };
  if (least > 0 && !refuted(least)) {
    return 0;
  }
  return last_that_holds([&](double mu) { return mu <= least || refuted(mu); }, 100);
}

}  // namespace hanse
