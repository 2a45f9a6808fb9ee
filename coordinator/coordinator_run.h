#pragma once

#include "common/base/clock.h"
#include "common/base/secure_random.h"
#include "common/config/configuration.h"
#include "common/transport/channel.h"
#include "coordinator/output/progress.h"

namespace hanse {

/// A whole run at the coordinator: session, plan, training, claim, model files, final table. The run
/// directory must have been checked (check_run_directory). Ends the workers with the same exit code and
/// sentence when it fails; the Failure goes on to the caller.
RunSummary run_coordinator(const Configuration& configuration, Channel& channel, const Clock& clock,
                           SecureRandom& random, Progress& progress);

}  // namespace hanse
