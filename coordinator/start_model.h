#pragma once

#include <optional>

#include "common/config/configuration.h"
#include "common/workloads/warm_start.h"

namespace hanse {

/// The published model of federation.start; none where the key is empty. Throws bad_input in one sentence when it cannot be read,
/// or is of another workload than the run's.
std::optional<SavedModel> read_start_model(const Configuration& configuration);

/// Throws bad_input where a run's workload could not go on from federation.start; no data is looked at.
void check_start_model(const Configuration& configuration);

}  // namespace hanse
