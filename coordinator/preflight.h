#pragma once

#include "common/config/configuration.h"

namespace hanse {

/// Refuses a run that cannot begin, from its configuration alone: a task that cannot be (check_task), a unit
/// of privacy without a budget, a budget that no noise can keep, neighbours or a threshold below what the
/// assumptions about merchants need. Throws bad_input in one sentence naming the
/// key. Asked before mpirun is started and by the coordinator before anything is written, so that a slip
/// costs one sentence and leaves nothing behind.
void check_run(const Configuration& configuration);

}  // namespace hanse
