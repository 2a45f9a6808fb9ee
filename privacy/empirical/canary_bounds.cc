#include "privacy/empirical/canary_bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/check.h"
#include "common/numerics/normal.h"
#include "privacy/empirical/binomial.h"
#include "privacy/empirical/gaussian_privacy.h"

namespace hanse {
namespace {

/// ln((TPR_lo - delta) / FPR_hi) from the upper bounds of both error rates; 0 when that says nothing.
double epsilon_of_rates(double false_negatives, double false_positives, double delta) {
  const double true_positives = 1 - false_negatives;
  return true_positives > delta ? std::max(0.0, std::log((true_positives - delta) / false_positives)) : 0;
}

template <class Bound>
double best_of(const CanaryScores& scores, std::span<const double> thresholds, double significance,
               const Bound& bound) {
  const double part = significance / static_cast<double>(thresholds.size());
  double best = 0;
  for (const double threshold : thresholds) {
    best = std::max(best, bound(errors_at(scores, threshold), part));
  }
  return best;
}

std::uint64_t share_of(std::uint64_t canaries, double share) {
  const auto guesses = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(canaries)));
  return std::clamp<std::uint64_t>(guesses, 1, canaries);
}

}  // namespace

Errors errors_at(const CanaryScores& scores, double threshold) {
  const auto below = [threshold](double score) { return score < threshold; };
  return {.included = scores.included.size(),
          .left_out = scores.left_out.size(),
          .false_negatives = static_cast<std::uint64_t>(std::ranges::count_if(scores.included, below)),
          .false_positives = scores.left_out.size() -
                             static_cast<std::uint64_t>(std::ranges::count_if(scores.left_out, below))};
}

double clopper_pearson_epsilon(const Errors& errors, double delta, double significance) {
  return epsilon_of_rates(clopper_pearson_upper(errors.false_negatives, errors.included, significance / 2),
                          clopper_pearson_upper(errors.false_positives, errors.left_out, significance / 2),
                          delta);
}

double clopper_pearson_epsilon(const CanaryScores& scores, std::span<const double> thresholds, double delta,
                               double significance) {
  return best_of(scores, thresholds, significance, [delta](const Errors& errors, double part) {
    return clopper_pearson_epsilon(errors, delta, part);
  });
}

std::vector<double> clopper_pearson_curve(const CanaryScores& scores, std::span<const double> thresholds,
                                          std::span<const double> deltas, double significance) {
  const double part = significance / static_cast<double>(thresholds.size());
  std::vector<double> curve(deltas.size());
  for (const double threshold : thresholds) {
    const Errors errors = errors_at(scores, threshold);
    const double false_negatives = clopper_pearson_upper(errors.false_negatives, errors.included, part / 2);
    const double false_positives = clopper_pearson_upper(errors.false_positives, errors.left_out, part / 2);
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      curve[i] = std::max({curve[i], epsilon_of_rates(false_negatives, false_positives, deltas[i]),
                           epsilon_of_rates(false_positives, false_negatives, deltas[i])});
    }
  }
  return curve;
}

double gdp_mu(const Errors& errors, double significance) {
  const double false_positives =
      clopper_pearson_upper(errors.false_positives, errors.left_out, significance / 2);
  const double false_negatives =
      clopper_pearson_upper(errors.false_negatives, errors.included, significance / 2);
  // At 1 a rate bounds nothing, and both quantiles together would be no number.
  if (false_positives >= 1 || false_negatives >= 1) {
    return 0;
  }
  return std::max(0.0, -normal_quantile(false_positives) - normal_quantile(false_negatives));
}

double gdp_mu(const CanaryScores& scores, std::span<const double> thresholds, double significance) {
  return best_of(scores, thresholds, significance,
                 [](const Errors& errors, double part) { return gdp_mu(errors, part); });
}

double gdp_mu_of_guesses(const Guesses& g, double significance) {
  return std::max(0.0, 2 * normal_quantile(clopper_pearson_lower(g.right, g.guesses, significance)));
}

Guesses guess_farthest(const CanaryScores& scores, double middle, std::uint64_t guesses) {
  check(guesses <= scores.size(), "a guesser guesses some of the canaries");
  struct Guess {
    double distance;
    bool right;
  };
  std::vector<Guess> all;
  all.reserve(scores.size());
  for (const double score : scores.included) {
    all.push_back({std::abs(score - middle), score >= middle});
  }
  for (const double score : scores.left_out) {
    all.push_back({std::abs(score - middle), score < middle});
  }
  std::ranges::sort(all, [](const Guess& a, const Guess& b) {
    return a.distance != b.distance ? a.distance > b.distance : a.right < b.right;
  });
  const auto right = std::count_if(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(guesses),
                                   [](const Guess& guess) { return guess.right; });
  return {.canaries = scores.size(), .guesses = guesses, .right = static_cast<std::uint64_t>(right)};
}

double one_run_epsilon(const CanaryScores& scores, double middle, std::span<const double> shares,
                       double delta, double significance) {
  double best = 0;
  for (const double share : shares) {
    const Guesses guesses = guess_farthest(scores, middle, share_of(scores.size(), share));
    best = std::max(best, one_run_epsilon(guesses, delta, significance / static_cast<double>(shares.size())));
  }
  return best;
}

double one_run_gdp(const CanaryScores& scores, double middle, std::span<const double> shares,
                   double significance) {
  double best = 0;
  for (const double share : shares) {
    const Guesses guesses = guess_farthest(scores, middle, share_of(scores.size(), share));
    best = std::max(best, one_run_gdp(guesses, significance / static_cast<double>(shares.size()), best));
  }
  return best;
}

OneShotEstimate one_shot_estimate(std::span<const double> cosines, std::uint64_t dimensions, double delta) {
  check(cosines.size() >= 2 && dimensions > 0, "an estimate needs two cosines");
  const auto count = static_cast<double>(cosines.size());
  OneShotEstimate estimate;
  for (const double cosine : cosines) {
    estimate.mean += cosine / count;
  }
  double square = 0;
  for (const double cosine : cosines) {
    square += (cosine - estimate.mean) * (cosine - estimate.mean);
  }
  estimate.standard_deviation = std::sqrt(square / (count - 1));
  const double root = std::sqrt(static_cast<double>(dimensions));
  estimate.epsilon =
      estimate.standard_deviation > 0
          ? two_gaussians_epsilon(estimate.mean * root, estimate.standard_deviation * root, delta)
          : std::numeric_limits<double>::infinity();
  return estimate;
}

}  // namespace hanse
