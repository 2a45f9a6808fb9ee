#include "privacy/empirical/experiment.h"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>

#include "common/base/figure.h"
#include "common/numerics/normal.h"
#include "privacy/empirical/gaussian_privacy.h"

namespace hanse {
namespace {

/// Lines that may raise an alarm: four bounds, noise, shift, correlation.
constexpr double kLines = 7;
/// How many canaries the guesser of one run guesses. Fixed in advance, as the bounds ask.
constexpr std::array kShares = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0};

/// Where else than at the run's own delta its curve is compared.
constexpr std::array kDeltas = {1e-4, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5};

/// Thresholds, from the middle between the two claimed laws: in standard deviations, or in the logarithm of
/// the odds.
constexpr std::array kThresholds = {-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0,
                                    0.5,  1.0,  1.5,  2.0,  3.0,  4.0,  6.0};

std::vector<double> thresholds_about(double middle) {
  std::vector<double> thresholds;
  for (const double distance : kThresholds) {
    thresholds.push_back(middle + distance);
  }
  return thresholds;
}

/// Root mean square of n Gaussians over their sigma: its square times n is chi-squared with n degrees of
/// freedom.
MeasuredRatio noise_interval(const CanaryRun& run, double significance) {
  if (run.noise_samples == 0) {
    return {.value = 0, .low = 0, .high = std::numeric_limits<double>::infinity()};
  }
  const double half = static_cast<double>(run.noise_samples) / 2;
  const double square = run.noise_ratio * run.noise_ratio * half;
  return {.value = run.noise_ratio,
          .low = std::sqrt(square / boost::math::gamma_q_inv(half, significance / 2)),
          .high = std::sqrt(square / boost::math::gamma_p_inv(half, significance / 2))};
}

MeasuredRatio shift_interval(const CanaryRun& run, double significance) {
  const double radius = -normal_quantile(significance / 2) * run.shift_error;
  return {.value = run.shift_ratio, .low = run.shift_ratio - radius, .high = run.shift_ratio + radius};
}

/// Compares the whole claimed curve with what both error rates say; the worst point is named.
void find_curve(const CanaryPlan& plan, const CanaryScores& scores, std::span<const double> thresholds,
                double part, ExperimentReport& report) {
  const std::vector<double> curve = clopper_pearson_curve(scores, thresholds, kDeltas, part);
  double worst = 0;
  std::string finding;
  for (std::size_t i = 0; i < kDeltas.size(); ++i) {
    const double claimed = claimed_epsilon(plan, kDeltas[i]);
    if (curve[i] - claimed > worst) {
      worst = curve[i] - claimed;
      finding = "At delta " + rough_figure(kDeltas[i]) + " epsilon is at least " + rough_figure(curve[i]) +
                ", and the same claim allows " + rough_figure(claimed) + " there.";
    }
  }
  if (worst > 0) {
    report.findings.push_back(finding);
  }
}

void find_bounds(const CanaryPlan& plan, const CanaryRun& run, double part, ExperimentReport& report) {
  const CanaryScores& scores = run.scores;
  const double middle = report.mu / 2;
  const std::vector<double> thresholds = thresholds_about(middle);
  report.guesses = guess_farthest(scores, middle, scores.size());
  report.bounds = {{"Clopper-Pearson", clopper_pearson_epsilon(scores, thresholds, report.delta, part)},
                   {"one run", one_run_epsilon(scores, middle, kShares, report.delta, part)}};
  if (!report.sampled) {
    report.gdp_mu =
        std::max(gdp_mu_of_guesses(report.guesses, part / 2), gdp_mu(scores, thresholds, part / 2));
    report.bounds.insert(report.bounds.begin(),
                         {"Gaussian trade-off", gdp_epsilon(report.gdp_mu, report.delta)});
    report.bounds.push_back(
        {"one run, trade-off curve", gdp_epsilon(one_run_gdp(scores, middle, kShares, part), report.delta)});
  }
  for (const LowerBound& bound : report.bounds) {
    if (bound.epsilon > report.epsilon) {
      report.findings.push_back("By " + bound.method + " epsilon is at least " + rough_figure(bound.epsilon) +
                                ", and " + rough_figure(report.epsilon) + " is claimed.");
    }
  }
  find_curve(plan, scores, thresholds, part, report);
}

double estimate_of(const CanaryScores& scores, double delta) {
  double square = 0;
  for (const double score : scores.left_out) {
    square += score * score;
  }
  if (square == 0 || scores.included.size() < 2) {
    return square == 0 && !scores.left_out.empty() ? std::numeric_limits<double>::infinity() : 0;
  }
  // The length of a release, made of noise alone, over as many directions as there are canaries.
  const double norm =
      std::sqrt(square / static_cast<double>(scores.left_out.size()) * static_cast<double>(scores.size()));
  std::vector<double> cosines;
  for (const double score : scores.included) {
    cosines.push_back(score / norm);
  }
  return one_shot_estimate(cosines, scores.size(), delta).epsilon;
}

}  // namespace

ExperimentReport judge(const CanaryPlan& plan, const CanaryRun& run, double delta, double significance) {
  const double part = significance / kLines;
  ExperimentReport report;
  report.canaries = plan.canaries;
  report.merchants = plan.merchants;
  report.sums = plan.sums.size();
  report.delta = delta;
  report.significance = significance;
  report.seed = plan.seed;
  report.sampled = plan.sampled();
  report.mu = report.sampled ? 0 : claimed_mu(plan);
  report.epsilon = claimed_epsilon(plan, delta);
  find_bounds(plan, run, part, report);
  report.one_shot_estimate = report.sampled ? 0 : estimate_of(run.scores, delta);
  report.noise = noise_interval(run, part);
  report.shift = shift_interval(run, part);
  if (report.noise.high < 1) {
    report.findings.push_back("The noise has at most " + rough_figure(report.noise.high) +
                              " of the standard deviation that is claimed.");
  }
  // One part in a million: clipping stays a hair below the norm, and the grid cuts off less than a step.
  constexpr double kSlack = 1e-5;
  if (report.shift.low > 1 || report.shift.high < 1 - kSlack) {
    report.findings.push_back("A customer moves the sum by " + rough_figure(report.shift.value) +
                              " of the clip norm" + (report.sampled ? " and sampling rate" : "") +
                              ", where a canary that is clipped alone moves it by 1.");
  }
  if (run.pairs > 0 && run.correlation > -normal_quantile(part / 2 / static_cast<double>(run.pairs))) {
    report.findings.push_back("The noise of the sums " + std::to_string(run.round_a) + " and " +
                              std::to_string(run.round_b) + " is not independent: correlated by " +
                              rough_figure(run.correlation) + " standard errors.");
  }
  return report;
}

ExperimentReport experiment(const CanaryPlan& plan, double delta, double significance, SecureRandom& random) {
  return judge(plan, run_canaries(plan, random), delta, significance);
}

}  // namespace hanse
