#pragma once

#include <memory>

#include "common/config/configuration.h"
#include "common/workloads/catalogue.h"
#include "common/workloads/preparation.h"

namespace hanse {

/// How many private sums of each purpose a run plans.
struct PlannedSums {
  std::uint64_t statistics = 0;
  std::uint64_t updates = 0;
  std::uint64_t evaluations = 0;

  std::uint64_t of(Purpose purpose) const;
};

/// What a run computes: first what must be known of the data, then a model of it. Both are workloads, that is
/// sequences of private sums; coordinator and workers build the same task from the same public facts.
class Task {
 public:
  /// `space` and `kind` are those of the configuration (common/data/feature_space.h), `merchants` is the size
  /// of the roster. `statistics_noise` and `update_noise` are the noise multipliers of the plan's sums.
  Task(Configuration configuration, FeatureSpace space, RowKind kind, std::uint32_t merchants,
       double statistics_noise, double update_noise);

  const Preparation& preparation() const { return preparation_; }
  bool prepared(const Model& preparation) const { return !preparation_.next_sum(preparation).has_value(); }
  /// The workload that trains on data encoded as the finished `preparation` tells.
  std::unique_ptr<Workload> training(const Model& preparation) const;

 private:
  Configuration configuration_;
  FeatureSpace space_;
  RowKind kind_;
  std::uint32_t merchants_;
  double update_noise_;
  Preparation preparation_;
};

/// Training rounds of the run: federation.rounds, or as many as `workload` asks for when those are fewer.
std::uint64_t training_rounds(const Configuration& configuration, const Workload& workload);

/// Whether the model is evaluated after training round `round` (from 1): after the `last` always, and by
/// federation.evaluate_every, which left at 0 means each round without noise, and no other with it.
bool evaluates_after(const Configuration& configuration, std::uint64_t round, bool last);

/// Throws bad_input for what a configuration asks for and cannot have, as far as no data is needed to see it:
/// column specs, the workload and its options, data.clean.
void check_task(const Configuration& configuration);

/// The sums of the whole run, without looking at any data.
PlannedSums count_sums(const Configuration& configuration, const FeatureSpace& space, RowKind kind,
                       std::uint32_t merchants);

}  // namespace hanse
