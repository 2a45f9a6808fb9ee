#pragma once

#include "common/base/clock.h"
#include "common/transport/channel.h"
#include "coordinator/coordinator_round.h"
#include "coordinator/coordinator_session.h"

namespace hanse {

/// Carries bytes between a channel and a session until it is ready or refused; no longer than `deadline` from
/// now.
void drive(CoordinatorSession& session, Channel& channel, const Clock& clock, Milliseconds deadline);

/// Carries a round from its beginning to its end; each phase lasts at most `phase_deadline`. The caller
/// announces the result, once the release is in its ledger.
void drive(CoordinatorRound& round, CoordinatorSession& session, Channel& channel, const Clock& clock,
           Milliseconds phase_deadline);

/// Seals and queues.
void send(CoordinatorSession& session, Channel& channel, const std::vector<ToWorker>& messages);

}  // namespace hanse
