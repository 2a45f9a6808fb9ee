#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/transport/channel.h"
#include "coordinator/coordinator_round.h"
#include "coordinator/coordinator_session.h"
#include "coordinator/early_messages.h"
#include "coordinator/permissions.h"
#include "coordinator/phase_deadlines.h"

namespace hanse {

/// Carries messages between the pure state machines of the coordinator and a channel: the only place of the
/// coordinator where time passes. Every wait has a deadline.
class Federation {
 public:
  /// Takes sentences for the log: refusals, losses.
  using Note = std::function<void(std::string_view)>;

  Federation(Channel& channel, const Clock& clock, CoordinatorSession session, Milliseconds deadline,
             Note note);

  /// Waits for all workers and sets up the session. Throws a Failure with the exit code and sentence of a
  /// refusal, after telling all workers.
  void assemble();

  /// Runs one private sum to its end. Shares that rode on the round before are handed over to it. Sums of one `name` take
  /// about as long as each other: deadlines follow from that (coordinator/phase_deadlines.h).
  CoordinatorRound run(RoundRequest request, const std::string& name = "sum");
  /// Whether what comes next asks after merchants that stayed away (coordinator/phase_deadlines.h).
  void be_patient(bool patient) { deadlines_.be_patient(patient); }
  /// Asks merchants to sign the ledger's last line, and waits for their answers until the deadline.
  PermissionRound ask_permission(PermissionRequest request);
  /// Sends every worker the ledger's lines that it lacks. None answers.
  void keep_lines(const std::function<std::vector<std::string>(Peer worker)>& lines);
  /// Asks every worker for the ledger's lines that it has on its disk behind the first `size`, of which the last has the
  /// hash `tip`; the longest answer. Waits as long as a worker on a busy machine needs to verify that many lines. Throws
  /// Failure: refused when a worker has another ledger, could_not_finish when one does not answer by then, a worker's own
  /// when it left.
  std::vector<std::string> recall(std::uint64_t size, const Digest& tip);
  /// Workers that found a fault that their users must mend, since the session stands.
  const std::map<Peer, Failure>& lost() const { return lost_; }
  /// Tells the workers how `round` ended; `release` is the ledger's line for a sum.
  void announce(const CoordinatorRound& round, ByteView release);
  /// Ends the run for all workers and waits a moment for the messages to leave.
  void stop(ExitCode code, const std::string& sentence);

  const CoordinatorSession& session() const { return session_; }
  /// Message bytes sent and received so far, and with a tree the vector that each worker passes on once a sum:
  /// all that moved.
  std::uint64_t bytes_moved() const { return channel_.bytes_sent() + bytes_received_ + bytes_added_up_; }

 private:
  std::optional<Incoming> receive(Instant deadline);
  std::optional<Incoming> receive_until(Instant deadline);
  void tell_that_it_lives();
  void send(std::vector<Outgoing> messages);
  void note_given_up();
  void note_lost(const std::map<Peer, Failure>& failures);
  EarlyMessages& early();
  std::vector<FromWorker> arrived_early();
  void open_tree();
  Residues add_up(Residues zeros, std::uint64_t round);

  Channel& channel_;
  const Clock& clock_;
  CoordinatorSession session_;
  Milliseconds deadline_;  ///< federation.deadline_ms.
  PhaseDeadlines deadlines_;
  Note note_;
  std::optional<EarlyMessages> early_;  ///< Of the round to come, once the session stands.
  std::map<Peer, Failure> lost_;
  std::size_t given_up_noted_ = 0;
  std::uint64_t bytes_received_ = 0;
  Instant told_alive_{0};  ///< To who launched this program.
  std::uint64_t bytes_added_up_ = 0;
};

}  // namespace hanse
