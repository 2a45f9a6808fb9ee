#pragma once

#include "common/base/clock.h"
#include "common/transport/channel.h"
#include "worker/arbiter_node.h"
#include "worker/worker_node.h"

namespace hanse {

/// Carries messages between `node` and the coordinator until the run is over. Gives how it ended; a
/// coordinator that is silent for `patience` ends it with ExitCode::could_not_finish.
WorkerNode::End run_worker(WorkerNode& node, Channel& channel, const Clock& clock, Milliseconds patience);
ArbiterNode::End run_arbiter(ArbiterNode& node, Channel& channel, const Clock& clock, Milliseconds patience);

}  // namespace hanse
