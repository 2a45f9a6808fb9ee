#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "privacy/empirical/one_run.h"

namespace hanse {

/// How an experiment scored its canaries: the higher the score, the more the releases look as if the canary
/// was in.
struct CanaryScores {
  std::vector<double> included;
  std::vector<double> left_out;

  std::uint64_t size() const { return included.size() + left_out.size(); }
};

/// "score >= threshold" as a test of whether a canary was in, and how often it erred.
struct Errors {
  std::uint64_t included = 0;
  std::uint64_t left_out = 0;
  std::uint64_t false_negatives = 0;  ///< Included, and below the threshold.
  std::uint64_t false_positives = 0;  ///< Left out, and not below.
};
Errors errors_at(const CanaryScores& scores, double threshold);

/// Every bound below holds but for probability `significance`, if the run is what it bounds. Where several
/// thresholds or numbers of guesses are tried, each has an equal part of `significance` (Bonferroni), and
/// they must be chosen without looking at which canaries were in.

/// epsilon >= ln((TPR_lo - delta) / FPR_hi), each rate with half of the significance (Jagielski, Ullman,
/// Oprea 2020). Needs canaries whose scores are independent given the coins. At least 0.
double clopper_pearson_epsilon(const Errors& errors, double delta, double significance);
double clopper_pearson_epsilon(const CanaryScores& scores, std::span<const double> thresholds, double delta,
                               double significance);

/// The same intervals refute a whole curve of claims: for each delta both ln((TPR_lo - delta) / FPR_hi) and
/// ln((TNR_lo - delta) / FNR_hi) are at most epsilon(delta). What each says at its best threshold, for each
/// of `deltas`; all hold together.
std::vector<double> clopper_pearson_curve(const CanaryScores& scores, std::span<const double> thresholds,
                                          std::span<const double> deltas, double significance);

/// The auditor of Gaussian privacy (Nasr et al. 2023): mu >= Phi^-1(1 - FPR_hi) - Phi^-1(FNR_hi). It refutes
/// claims of mu-GDP, which what Hanse releases are, and sees far more than the bounds that believe nothing of
/// the mechanism. Needs independent scores. At least 0.
double gdp_mu(const Errors& errors, double significance);
double gdp_mu(const CanaryScores& scores, std::span<const double> thresholds, double significance);

/// The same by one count: under mu-GDP no test of a fair coin is right with a probability above Phi(mu / 2),
/// so mu >= 2 Phi^-1(p) with p the Clopper-Pearson lower bound of the share of right guesses. Sharper, as it
/// is one interval for both kinds of errors. Needs fair coins and independent scores; every canary is
/// guessed.
double gdp_mu_of_guesses(const Guesses& guesses, double significance);

/// The guesser for one-run bounds: of the `guesses` scores farthest from `middle`, those above it were in, it
/// says. Of equal distances the wrong guesses come first: an order that knew the coins could flatter the
/// guesser.
Guesses guess_farthest(const CanaryScores& scores, double middle, std::uint64_t guesses);

/// The best of several numbers of guesses, as shares of the canaries.
double one_run_epsilon(const CanaryScores& scores, double middle, std::span<const double> shares,
                       double delta, double significance);
double one_run_gdp(const CanaryScores& scores, double middle, std::span<const double> shares,
                   double significance);

/// Not a bound but an estimate (Andrew et al. 2023): the cosines of random directions in d dimensions with a
/// release are N(0, 1/d) for canaries that were left out, which needs no experiment; those of included ones
/// are fitted by a Gaussian, and epsilon is that of telling the two apart at `delta`. At least two cosines.
struct OneShotEstimate {
  double mean = 0;                ///< Of the cosines.
  double standard_deviation = 0;  ///< Of the cosines.
  double epsilon = 0;
};
OneShotEstimate one_shot_estimate(std::span<const double> cosines, std::uint64_t dimensions, double delta);

}  // namespace hanse
