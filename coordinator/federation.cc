#include "coordinator/federation.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/interrupted.h"
#include "common/transport/run_status.h"

namespace hanse {
namespace {

constexpr Milliseconds kLastWords{2000};
constexpr Milliseconds kSignOfLife{1000};

}  // namespace

Federation::Federation(Channel& channel, const Clock& clock, CoordinatorSession session,
                       Milliseconds deadline, Note note)
    : channel_(channel),
      clock_(clock),
      session_(std::move(session)),
      deadline_(deadline),
      deadlines_(deadline),
      note_(std::move(note)) {}

void Federation::send(std::vector<Outgoing> messages) {
  for (Outgoing& outgoing : messages) {
    channel_.send(outgoing.to, std::move(outgoing.message));
  }
}

/// Waits at most a second at a time, so that a launcher sees signs of life.
std::optional<Incoming> Federation::receive(Instant deadline) {
  tell_that_it_lives();  // Also where no phase lasts a second.
  while (clock_.now() + kSignOfLife < deadline) {
    tell_that_it_lives();
    if (std::optional<Incoming> incoming = receive_until(clock_.now() + kSignOfLife)) {
      return incoming;
    }
  }
  return receive_until(deadline);
}

void Federation::tell_that_it_lives() {
  if (clock_.now() - told_alive_ >= kSignOfLife) {
    told_alive_ = clock_.now();
    write_sign_of_life();
  }
}

std::optional<Incoming> Federation::receive_until(Instant deadline) {
  std::optional<Incoming> incoming = channel_.receive(deadline);
  bytes_received_ += incoming ? incoming->message.size() : 0;
  return incoming;
}

void Federation::note_given_up() {
  const auto& given_up = channel_.given_up();
  for (; given_up_noted_ < given_up.size(); ++given_up_noted_) {
    note_("worker " + std::to_string(given_up[given_up_noted_].first) +
          " is given up: " + given_up[given_up_noted_].second);
  }
}

void Federation::assemble() {
  const Instant deadline = clock_.now() + deadline_;
  while (!session_.ready() && !session_.refused()) {
    if (std::optional<Incoming> incoming = receive(deadline)) {
      send(session_.handle(incoming->from, incoming->message));
    }
    if (clock_.now() >= deadline && !session_.ready() && !session_.refused()) {
      send(session_.deadline_passed());
    }
    note_given_up();
  }
  for (const std::string& refusal : session_.refusals()) {
    note_(refusal);
  }
  if (session_.refused()) {
    channel_.flush(clock_.now() + kLastWords);
    if (session_.refused()->code == ExitCode::could_not_finish) {
      throw Interrupted(session_.refused()->sentence);
    }
    throw Failure(session_.refused()->code, session_.refused()->sentence);
  }
  if (session_.tree()) {
    open_tree();
  }
}

void Federation::open_tree() {
  const auto opened = channel_.open_sums(clock_.now() + deadline_);
  if (!opened) {
    const std::string sentence = "aggregation.topology=tree does not work here: " + opened.what();
    stop(ExitCode::could_not_finish, sentence);
    throw Failure(ExitCode::could_not_finish, sentence);
  }
}

/// The sum of what all workers hold. Without one of them there is none, and none in any later round.
Residues Federation::add_up(Residues zeros, std::uint64_t round) {
  bytes_added_up_ += session_.workers() * byte_count(zeros);
  channel_.join_sum(std::move(zeros));
  auto sum = channel_.take_sum(clock_.now() + deadline_);
  if (!sum) {
    throw Interrupted("round " + std::to_string(round) + ": " + sum.what() +
                      "; aggregation.topology=tree needs every worker to the end: continue with "
                      "federation.resume=true, or use star");
  }
  return std::move(*sum);
}

CoordinatorRound Federation::run(RoundRequest request, const std::string& name) {
  const std::uint64_t number = request.round;
  const auto key = [&](int phase) { return name + "/" + std::to_string(phase); };
  CoordinatorRound round(session_, std::move(request), arrived_early());
  send(session_.seal(round.begin()));
  int phase = round.phase();
  Instant begun = clock_.now();
  Instant deadline = begun + deadlines_.of(key(phase));
  const auto next_phase = [&] {
    deadlines_.took(key(phase), clock_.now() - begun);
    phase = round.phase();
    begun = clock_.now();
    deadline = begun + deadlines_.of(key(phase));
  };
  while (!round.ended()) {
    if (std::optional<Incoming> incoming = receive(deadline)) {
      if (Result<FromWorker> message = session_.open(incoming->from, incoming->message)) {
        send(session_.seal(round.step(*message)));
      } else {
        note_("a message of worker " + std::to_string(incoming->from) + " is refused: " + message.what());
      }
    }
    if (round.phase() != phase) {
      next_phase();
    } else if (clock_.now() >= deadline && !round.ended()) {
      // Asked after every message: a worker that floods us does not hold the phase open.
      send(session_.seal(round.deadline_passed()));
      next_phase();
    }
    if (std::optional<Residues> zeros = round.joins_sum()) {
      send(session_.seal(round.reduced(add_up(std::move(*zeros), number))));
    }
    note_given_up();
  }
  for (const std::string& refusal : round.refusals()) {
    note_(refusal);
  }
  if (round.failed() != nullptr) {
    deadlines_.forget();
  }
  note_lost(round.worker_failures());
  early().keep_all(round.take_early());
  return round;
}

void Federation::note_lost(const std::map<Peer, Failure>& failures) {
  for (const auto& [worker, failure] : failures) {
    if (lost_.emplace(worker, failure).second) {
      note_("worker " + std::to_string(worker) + " leaves the run: " + failure.what());
    }
  }
}

PermissionRound Federation::ask_permission(PermissionRequest request) {
  PermissionRound asked(session_, std::move(request));
  send(session_.seal(asked.begin()));
  // Twice: a worker that was late in the round before is still at it.
  const Instant begun = clock_.now();
  const Instant deadline = begun + 2 * deadlines_.of("permit");
  while (!asked.ended()) {
    if (std::optional<Incoming> incoming = receive(deadline)) {
      Result<FromWorker> message = session_.open(incoming->from, incoming->message);
      if (!message) {
        note_("a message of worker " + std::to_string(incoming->from) + " is refused: " + message.what());
      } else if (!asked.step(*message)) {
        (void)early().keep(std::move(*message));  // Shares of the round to come.
      }
    }
    if (clock_.now() >= deadline) {
      asked.deadline_passed();
    }
    note_given_up();
  }
  deadlines_.took("permit", clock_.now() - begun);
  note_lost(asked.worker_failures());
  return asked;
}

void Federation::keep_lines(const std::function<std::vector<std::string>(Peer worker)>& lines) {
  std::vector<ToWorker> messages;
  for (Peer worker = 1; worker <= session_.workers(); ++worker) {
    messages.push_back({worker, encode(Permit{MerchantSet(session_.names().size()), lines(worker)})});
  }
  send(session_.seal(messages));
}

namespace {

/// The lines in a worker's answer to RECALL; nothing when it is about something else.
std::optional<std::vector<std::string>> recalled(const FromWorker& message) {
  const auto envelope = open_envelope(message.message);
  const std::string worker = "worker " + std::to_string(message.worker);
  if (!envelope) {
    return std::nullopt;
  }
  if (envelope->type == MessageType::fail) {
    if (const auto said = decode<Fail>(*envelope)) {
      throw Failure(static_cast<ExitCode>(said->exit_code), said->sentence);
    }
  }
  if (envelope->type == MessageType::abort) {
    const auto said = decode<Abort>(*envelope);
    throw Failure(ExitCode::refused, "the run cannot continue: the merchants of " + worker +
                                         " do not go on with this ledger" +
                                         (said ? ": " + said->sentence : ""));
  }
  if (envelope->type != MessageType::recalled) {
    return std::nullopt;
  }
  auto answer = decode<Recalled>(*envelope);
  if (!answer) {
    throw Failure(ExitCode::refused, worker + ": " + answer.what());
  }
  return std::move(answer->lines);
}

/// One of the two begins with the other.
bool agree(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())),
                    b.begin());
}

}  // namespace

std::vector<std::string> Federation::recall(std::uint64_t size, const Digest& tip) {
  std::vector<ToWorker> messages;
  std::set<Peer> awaited;
  for (Peer worker = 1; worker <= session_.workers(); ++worker) {
    messages.push_back({worker, encode(Recall{size, tip})});
    awaited.insert(worker);
  }
  send(session_.seal(messages));
  // A worker verifies its ledger first: up to half as many signatures as lines times merchants, each a tenth of a millisecond
  // on a machine of its own.
  const auto signatures = static_cast<std::int64_t>(size * session_.names().size() / 2);
  const Instant deadline = clock_.now() + 4 * deadline_ + Milliseconds(signatures);
  std::vector<std::string> longest;
  while (!awaited.empty()) {
    const std::optional<Incoming> incoming = receive(deadline);
    note_given_up();
    if (incoming) {
      const Result<FromWorker> message = session_.open(incoming->from, incoming->message);
      auto lines = message ? recalled(*message) : std::nullopt;
      if (lines && awaited.erase(message->worker) > 0) {
        if (!agree(*lines, longest)) {
          throw Failure(ExitCode::refused,
                        "the run cannot continue: merchants of different workers have ledgers that "
                        "contradict each other");
        }
        if (lines->size() > longest.size()) {
          longest = std::move(*lines);
        }
      }
    }
    if (clock_.now() >= deadline && !awaited.empty()) {
      throw Interrupted("worker " + std::to_string(*awaited.begin()) +
                        " did not tell in time which lines of the ledger it has");
    }
  }
  return longest;
}

/// What the round before kept for this one, and what came since it ended: a merchant whose shares are there
/// is not asked for them.
std::vector<FromWorker> Federation::arrived_early() {
  // What is kept is bounded; what is not is counted here, so that nobody holds the round up by sending without end.
  for (std::size_t spare = 2 * session_.names().size(); spare > 0;) {
    const std::optional<Incoming> incoming = receive(clock_.now());
    if (!incoming) {
      break;
    }
    Result<FromWorker> message = session_.open(incoming->from, incoming->message);
    if (!message || !early().keep(std::move(*message))) {
      --spare;
    }
  }
  return early().take();
}

EarlyMessages& Federation::early() {
  if (!early_) {
    early_.emplace(session_.hosts());
  }
  return *early_;
}

void Federation::announce(const CoordinatorRound& round, ByteView release) {
  send(session_.seal(round.announce(release)));
}

void Federation::stop(ExitCode code, const std::string& sentence) {
  send(session_.stop(code, sentence));
  channel_.flush(clock_.now() + kLastWords);
}

}  // namespace hanse
