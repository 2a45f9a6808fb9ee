#pragma once

#include "privacy/empirical/canary_run.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// `rounds` equal sums of `merchants`, each with noise multiplier z in total.
inline CanaryPlan experiment_plan(std::uint32_t canaries, double z, std::uint32_t rounds,
                                  std::uint32_t merchants) {
  const SumParameters sum = choose_parameters({.length = canaries,
                                               .clip_norm = 0.5,
                                               .units_max = canaries,
                                               .merchants = merchants,
                                               .shares_min = merchants,
                                               .noise_multiplier = z});
  return {.canaries = canaries, .merchants = merchants, .sums = {rounds, sum}, .seed = 1};
}

}  // namespace hanse
