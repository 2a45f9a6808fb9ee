#include "privacy/accounting/noise_schedule.h"

#include <cmath>
#include <vector>

#include "privacy/accounting/calibrate.h"
#include "privacy/accounting/turns.h"

namespace hanse {
namespace {

/// What a purpose asks of the budget: `count` sums at sampling rate `rate` for `share` of it. A unit that takes turns is
/// hit by the part `turns` of them.
struct Demand {
  std::uint64_t count;
  double rate;
  double share;
  double turns = 1;

  /// Multiplier for a total zCDP cost of 1/2 before the common factor: turns * count * rate^2 / (2 z^2) = share / 2.
  double ratio() const {
    return count == 0 ? 0 : rate * std::sqrt(turns * static_cast<double>(count) / share);
  }
  DpEvent event(double factor) const {
    return {.noise_multiplier = ratio() * factor / std::sqrt(turns), .sampling_rate = rate, .count = count};
  }
};

double part_in_turns(const Configuration::Privacy& privacy, std::uint64_t updates) {
  const auto coefficients = turn_coefficients(privacy.turns, privacy.correlated_noise == "banded");
  if (coefficients.empty() || updates == 0) {
    return 1;
  }
  return static_cast<double>(turns_sensitivity_squared(coefficients, updates)) /
         std::pow(norm_of(coefficients), 2) / static_cast<double>(updates);
}

double factor_for(const std::vector<Demand>& demands, const Configuration::Privacy& privacy) {
  const auto plan = [&](double factor) {
    std::vector<DpEvent> events;
    for (const Demand& demand : demands) {
      if (demand.count > 0) {
        events.push_back(demand.event(factor));
      }
    }
    return events;
  };
  return calibrate_noise_multiplier(plan, privacy.epsilon, privacy.delta);
}

}  // namespace

double NoiseSchedule::of(Purpose purpose) const {
  switch (purpose) {
    case Purpose::statistics:
      return statistics;
    case Purpose::update:
      return update;
    case Purpose::evaluation:
      return evaluation;
  }
  return 0;
}

NoiseSchedule schedule_noise(const Configuration::Privacy& privacy, const PlannedSums& planned) {
  if (privacy.unit == Unit::none) {
    return {};
  }
  const bool apart = privacy.unit == Unit::record;
  const double evaluation_share = planned.evaluations == 0 || apart ? 0 : privacy.evaluation_share;
  const double statistics_share = planned.statistics == 0 ? 0 : privacy.statistics_share;
  const Demand statistics{planned.statistics, 1, statistics_share};
  const Demand update{planned.updates, privacy.sampling_rate, 1 - statistics_share - evaluation_share,
                      part_in_turns(privacy, planned.updates)};
  const Demand evaluation{planned.evaluations, 1, apart ? 1 : evaluation_share};

  double factor = privacy.noise_multiplier > 0 ? privacy.noise_multiplier / update.ratio() : 0;
  double evaluation_factor = factor;
  if (privacy.noise_multiplier <= 0) {
    if (apart) {
      factor = factor_for({statistics, update}, privacy);
      evaluation_factor = planned.evaluations > 0 ? factor_for({evaluation}, privacy) : 0;
    } else {
      factor = factor_for({statistics, update, evaluation}, privacy);
      evaluation_factor = factor;
    }
  }
  return {.statistics = statistics.ratio() * factor,
          .update = update.ratio() * factor,
          .evaluation = evaluation.ratio() * evaluation_factor};
}

}  // namespace hanse
