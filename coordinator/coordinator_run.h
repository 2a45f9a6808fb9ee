#pragma once

#include <optional>

#include "common/base/clock.h"
#include "common/base/secure_random.h"
#include "common/config/configuration.h"
#include "common/transport/channel.h"
#include "coordinator/output/progress.h"

namespace hanse {

/// A whole run at the coordinator: session, plan, training, claim, model files, final table. With federation.resume, what is
/// left of one: the ledger goes on behind its last line, the model from the newest checkpoint, the session is new. Nothing is
/// returned when the run was finished before. Ends the workers with the same exit code and sentence when it fails; the
/// Failure goes on to the caller.
std::optional<RunSummary> run_coordinator(const Configuration& configuration, Channel& channel,
                                          const Clock& clock, SecureRandom& random, Progress& progress);

}  // namespace hanse
