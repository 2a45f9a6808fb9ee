#pragma once

#include <cstdint>
#include <vector>

#include "common/base/seeded_generator.h"
#include "common/numerics/normal.h"
#include "privacy/empirical/canary_bounds.h"

namespace hanse {

/// The quantiles (i + 1/2) / count of N(mean, 1): a sample without chance.
inline std::vector<double> ideal_normal(double mean, std::uint64_t count) {
  std::vector<double> scores;
  for (std::uint64_t i = 0; i < count; ++i) {
    scores.push_back(mean + normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(count)));
  }
  return scores;
}

/// Half of the canaries in, half out, at a distance of mu.
inline CanaryScores ideal_scores(double mu, std::uint64_t canaries) {
  return {.included = ideal_normal(mu, canaries / 2), .left_out = ideal_normal(0, canaries / 2)};
}

/// What an experiment gives: fair coins, N(mu, 1) or N(0, 1), each times `noise` about its mean.
inline CanaryScores random_scores(double mu, std::uint64_t canaries, std::uint64_t seed, double noise = 1) {
  SeededGenerator generator({0x73636F726573, seed});
  CanaryScores scores;
  for (std::uint64_t i = 0; i < canaries; ++i) {
    const bool in = generator.below(2) == 1;
    (in ? scores.included : scores.left_out).push_back((in ? mu : 0) + noise * generator.normal());
  }
  return scores;
}

}  // namespace hanse
