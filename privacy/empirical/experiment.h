#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "privacy/empirical/canary_run.h"

namespace hanse {

/// One line of the verdict: an epsilon that the attack shows the mechanism to have at least.
struct LowerBound {
  std::string method;
  double epsilon = 0;
};

/// A measured ratio that is 1 in an honest mechanism, with its interval.
struct MeasuredRatio {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// What an experiment says about a claim.
struct ExperimentReport {
  std::uint64_t canaries = 0;
  std::uint32_t merchants = 0;
  std::uint64_t sums = 0;
  double delta = 0;
  double significance = 0;
  std::uint64_t seed = 0;
  bool sampled = false;  ///< Units are drawn by coins that the attacker does not know.
  double mu = 0;         ///< Claimed; 0 when sampled.
  double epsilon = 0;    ///< Claimed (claimed_epsilon): nothing found may exceed it.

  Guesses guesses;                 ///< Of every canary.
  double gdp_mu = 0;               ///< The best lower bound on mu.
  std::vector<LowerBound> bounds;  ///< The Gaussian ones not when sampled.
  double one_shot_estimate = 0;    ///< No bound.
  MeasuredRatio noise;             ///< Standard deviation over the claimed one.
  MeasuredRatio shift;  ///< What a customer moves the sum by, over the clip norm and the sampling rate.
  std::vector<std::string> findings;  ///< Each a sentence.

  bool holds() const { return findings.empty(); }
};

/// Compares what was seen with what the plan claims. An honest mechanism has findings with a probability of
/// at most `significance`, all lines together: each of the seven lines has an equal part of it.
ExperimentReport judge(const CanaryPlan& plan, const CanaryRun& run, double delta, double significance);

/// The experiment through the real mechanism: run_canaries(), then judge().
ExperimentReport experiment(const CanaryPlan& plan, double delta, double significance, SecureRandom& random);

}  // namespace hanse
