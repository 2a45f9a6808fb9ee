#pragma once

#include "common/config/configuration.h"
#include "common/workloads/task.h"

namespace hanse {

/// Noise multiplier of each purpose; all 0 without noise.
struct NoiseSchedule {
  double statistics = 0;
  double update = 0;
  double evaluation = 0;

  double of(Purpose purpose) const;
};

/// Divides the budget (privacy.epsilon, delta) among the planned sums, or takes privacy.noise_multiplier for
/// updates.
///
/// Statistics and evaluation get the parts privacy.statistics_share and privacy.evaluation_share of the zCDP
/// cost, so their multipliers stand in fixed ratios to the update's; then one factor is calibrated so that
/// the whole plan costs exactly epsilon. At unit = record evaluation is over other records than training, so
/// it has the whole budget for itself (parallel composition).
///
/// Where units take turns (privacy/accounting/turns.h), the update's multiplier is of one turn: the deviation over ||c|| clip
/// norms. The r updates cost S(r) / ||c||^2 of it.
NoiseSchedule schedule_noise(const Configuration::Privacy& privacy, const PlannedSums& planned);

}  // namespace hanse
