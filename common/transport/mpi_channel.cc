#include "common/transport/mpi_channel.h"

#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <exception>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/transport/frame.h"
#include "common/transport/mpi_sums.h"

namespace hanse {
namespace {

constexpr int kTag = 7;
/// Frames taken from MPI in one pass: a flooding peer must not keep a deadline from being seen.
constexpr int kFramesPerPass = 64;
/// Right after traffic more is likely: polling this long without sleep keeps a round trip short.
constexpr std::chrono::microseconds kPollingTime{200};
constexpr std::chrono::microseconds kShortestSleep{50};
constexpr std::chrono::microseconds kLongestSleep{1000};
/// Finalizing without the fence takes milliseconds; beyond this it hangs on a dead or stopped rank.
constexpr unsigned kFinalizeSeconds = 5;

int watchdog_code = 0;
void leave_at_once(int) {
  ::_exit(watchdog_code);
}

/// The user's own setting wins.
void set_default(const char* name, const char* value) {
  ::setenv(name, value, 0);
}

void sleep_for(std::chrono::microseconds duration) {
  timespec time{};
  time.tv_nsec = static_cast<long>(duration.count()) * 1000;
  ::nanosleep(&time, nullptr);
}

/// A frame in MPI's hands. Its bytes stay where they are until the request is complete.
struct Transfer {
  Bytes bytes;
  MPI_Request request = MPI_REQUEST_NULL;
};

/// Whether the transfer is over; `failed` is set when with an error.
bool complete(Transfer& transfer, bool& failed) {
  int done = 0;
  if (MPI_Test(&transfer.request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
    failed = true;
    return true;
  }
  return done != 0;
}

/// What a message costs while it waits, beside its bytes: a flood of empty ones is a flood as well.
constexpr std::uint64_t kMessageCost = 64;

struct Link {
  // Outwards.
  std::deque<Bytes> messages;      ///< Front: partly sent.
  std::uint64_t queued_bytes = 0;  ///< Of all messages not yet wholly sent.
  std::size_t sent_of_front = 0;
  std::uint32_t next_chunk = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_acknowledged = 0;
  std::deque<Transfer> sends;            ///< Data frames, at most kWindow.
  std::deque<Transfer> acknowledgement;  ///< At most one: a later one says all that an earlier one did.

  // Inwards.
  std::deque<Transfer> receives;  ///< In the order of matching; bounded by the windows of both directions.
  Assembler assembler;
  std::uint64_t acknowledged = 0;  ///< Data frames that the peer was told of.
  std::uint64_t inbox_bytes = 0;   ///< Whole messages that the program has not taken yet.

  bool given_up = false;
};

}  // namespace

MpiEnvironment::MpiEnvironment(int* argc, char*** argv) {
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr && std::getenv("PMIX_RANK") == nullptr) {
    throw bad_input(
        "this program is one rank of several: start it with 'hanse run FILE.ini', or with "
        "'mpirun -n 1 hanse-coordinator FILE.ini : -n WORKERS hanse-worker FILE.ini'");
  }
  set_default("OMPI_MCA_async_mpi_finalize", "1");
  set_default("OMPI_MCA_btl_tcp_flags", "send");
  set_default("OMPI_MCA_btl_vader_single_copy_mechanism", "none");
  set_default("OMPI_MCA_mpi_yield_when_idle", "1");
  // Sums along a binomial tree: rank 0 sends nothing in them, so the death of a rank finds nothing in its queues.
  set_default("OMPI_MCA_coll_libnbc_ireduce_algorithm", "2");
  int provided = 0;
  if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS ||
      provided < MPI_THREAD_FUNNELED) {
    throw Failure(ExitCode::could_not_finish, "MPI does not start");
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  int rank = 0;
  int size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  rank_ = static_cast<Peer>(rank);
  size_ = static_cast<Peer>(size);
}

MpiEnvironment::~MpiEnvironment() {
  watchdog_code = std::uncaught_exceptions() > 0 ? static_cast<int>(ExitCode::could_not_finish) : 0;
  ::signal(SIGALRM, leave_at_once);
  ::alarm(kFinalizeSeconds);
  MPI_Finalize();
  ::alarm(0);
}

struct MpiChannel::State {
  Peer self = 0;
  std::vector<Link> links;
  std::deque<Incoming> inbox;
  std::vector<std::pair<Peer, std::string>> given_up;
  std::uint64_t message_limit = std::uint64_t{256} << 20;
  std::uint64_t queue_limit = std::uint64_t{1} << 30;
  std::uint64_t bytes_sent = 0;
  MpiSums sums;
  SteadyClock clock;

  void give_up(Peer peer, const std::string& reason);
  bool isend(std::deque<Transfer>& transfers, Peer to, Bytes frame);
  bool advance_sends(Peer peer);
  bool send_next_frame(Peer peer);
  bool send_acknowledgement(Peer peer);
  bool match_one();
  bool refuse_size(Peer peer, int bytes, int tag);
  bool advance_receives(Peer peer);
  void take_frame(Peer peer, ByteView frame);
  bool pass();
  bool all_out() const;
  bool transfers_over() const;
  std::string unheard() const;
  template <class Done>
  void run_until(Instant deadline, Done done);
};

/// Ends the dealings with a peer. Its transfers stay, because MPI may still be reading and writing their
/// bytes.
void MpiChannel::State::give_up(Peer peer, const std::string& reason) {
  Link& link = links[peer];
  if (link.given_up) {
    return;
  }
  link.given_up = true;
  link.messages.clear();
  link.queued_bytes = 0;
  given_up.emplace_back(peer, "rank " + std::to_string(peer) + " " + reason);
}

bool MpiChannel::State::isend(std::deque<Transfer>& transfers, Peer to, Bytes frame) {
  // The frame gets its place first: MPI keeps its address.
  Transfer& transfer = transfers.emplace_back();
  transfer.bytes = std::move(frame);
  const int error = MPI_Isend(transfer.bytes.data(), static_cast<int>(transfer.bytes.size()), MPI_BYTE,
                              static_cast<int>(to), kTag, MPI_COMM_WORLD, &transfer.request);
  if (error != MPI_SUCCESS) {
    transfers.pop_back();
    give_up(to, "cannot be reached");
    return false;
  }
  return true;
}

bool MpiChannel::State::send_next_frame(Peer peer) {
  Link& link = links[peer];
  if (link.messages.empty() || link.frames_sent - link.frames_acknowledged >= kWindow || link.given_up) {
    return false;
  }
  const Bytes& message = link.messages.front();
  const ByteView chunk = ByteView(message).subspan(link.sent_of_front,
                                                   std::min(kChunkSize, message.size() - link.sent_of_front));
  FrameHeader header;
  header.sequence = link.frames_sent;
  header.message_length = message.size();
  header.chunk = link.next_chunk;
  const std::size_t chunk_length = chunk.size();
  if (!isend(link.sends, peer, write_frame(header, chunk))) {
    return false;
  }
  ++link.frames_sent;
  ++link.next_chunk;
  link.sent_of_front += chunk_length;
  bytes_sent += chunk_length;
  if (link.sent_of_front == message.size()) {
    link.queued_bytes -= message.size() + kMessageCost;
    link.messages.pop_front();
    link.sent_of_front = 0;
    link.next_chunk = 0;
  }
  return true;
}

/// Tells the peer how many of its frames were taken, unless the program has not taken its messages: then its
/// window stays shut, and its bytes stay with it.
bool MpiChannel::State::send_acknowledgement(Peer peer) {
  Link& link = links[peer];
  const std::uint64_t taken = link.assembler.frames_taken();
  if (link.given_up || taken == link.acknowledged || !link.acknowledgement.empty() ||
      link.inbox_bytes > message_limit) {
    return false;
  }
  FrameHeader header;
  header.type = FrameHeader::acknowledgement;
  header.sequence = taken;
  link.acknowledged = taken;
  return isend(link.acknowledgement, peer, write_frame(header, {}));
}

bool MpiChannel::State::advance_sends(Peer peer) {
  Link& link = links[peer];
  bool moved = false;
  bool failed = false;
  for (std::deque<Transfer>* transfers : {&link.sends, &link.acknowledgement}) {
    while (!transfers->empty() && complete(transfers->front(), failed)) {
      transfers->pop_front();
      moved = true;
    }
  }
  if (failed) {
    give_up(peer, "cannot be reached");
  }
  while (send_next_frame(peer)) {
    moved = true;
  }
  return send_acknowledgement(peer) || moved;
}

bool MpiChannel::State::refuse_size(Peer peer, int bytes, int tag) {
  if (tag == kTag && bytes >= static_cast<int>(kFrameHeaderSize) &&
      bytes <= static_cast<int>(kLongestFrame)) {
    return false;
  }
  give_up(peer, tag != kTag ? "sent a message that is not of this channel"
                            : "sent a frame of " + std::to_string(bytes) + " bytes, which must have " +
                                  std::to_string(kFrameHeaderSize) + " to " + std::to_string(kLongestFrame));
  return true;
}

/// Matches the next message of any peer and starts to receive it, if its size is allowed.
bool MpiChannel::State::match_one() {
  int found = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status{};
  if (MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, &message, &status) != MPI_SUCCESS ||
      found == 0) {
    return false;
  }
  const auto peer = static_cast<Peer>(status.MPI_SOURCE);
  int bytes = 0;
  MPI_Get_count(&status, MPI_BYTE, &bytes);
  Link& link = links[peer];
  // Peers that were given up are not received from at all: an unreceived message costs its sender's bytes, no
  // more.
  if (refuse_size(peer, bytes, status.MPI_TAG) || link.given_up) {
    return true;
  }
  if (link.receives.size() > 4 * kWindow) {
    give_up(peer, "sends more frames than it may");
    return true;
  }
  Transfer& transfer = link.receives.emplace_back();
  transfer.bytes.resize(static_cast<std::size_t>(bytes));
  // Not MPI_Mrecv: a sender that stops half-way would hold us for ever.
  if (MPI_Imrecv(transfer.bytes.data(), bytes, MPI_BYTE, &message, &transfer.request) != MPI_SUCCESS) {
    link.receives.pop_back();
    give_up(peer, "sent a frame that could not be received");
  }
  return true;
}

bool MpiChannel::State::advance_receives(Peer peer) {
  Link& link = links[peer];
  bool moved = false;
  bool failed = false;
  while (!link.receives.empty() && complete(link.receives.front(), failed)) {
    const Transfer transfer = std::move(link.receives.front());
    link.receives.pop_front();
    moved = true;
    if (failed) {
      give_up(peer, "sent a frame that could not be received");
    } else if (!link.given_up) {
      take_frame(peer, transfer.bytes);
    }
  }
  return moved;
}

void MpiChannel::State::take_frame(Peer peer, ByteView frame) {
  Link& link = links[peer];
  const auto header = read_frame(frame);
  if (!header) {
    give_up(peer, header.what());
    return;
  }
  if (header->type == FrameHeader::acknowledgement) {
    if (header->sequence < link.frames_acknowledged || header->sequence > link.frames_sent) {
      give_up(peer, "acknowledged frames that were not sent");
      return;
    }
    link.frames_acknowledged = header->sequence;
    return;
  }
  // The peer cannot know of more acknowledgements than were sent, so this bound is exact.
  if (link.assembler.frames_taken() >= link.acknowledged + kWindow) {
    give_up(peer, "sends more frames than it may");
    return;
  }
  const auto ended = link.assembler.add(*header, frame.subspan(kFrameHeaderSize), message_limit);
  if (!ended) {
    give_up(peer, ended.what());
  } else if (*ended) {
    Bytes message = link.assembler.take();
    link.inbox_bytes += message.size() + kMessageCost;
    inbox.push_back({peer, std::move(message)});
  }
}

/// Moves everything on once, without waiting; false when nothing moved.
bool MpiChannel::State::pass() {
  bool moved = false;
  // MPI_Improbe looks first and makes progress afterwards: the second call sees what the first one fetched.
  for (int misses = 0, frames = 0; misses < 2 && frames < kFramesPerPass; ++frames) {
    if (match_one()) {
      moved = true;
    } else {
      ++misses;
    }
  }
  for (Peer peer = 0; peer < links.size(); ++peer) {
    moved = advance_receives(peer) || moved;
    moved = advance_sends(peer) || moved;
  }
  return sums.advance() || moved;
}

bool MpiChannel::State::all_out() const {
  return std::all_of(links.begin(), links.end(), [](const Link& link) {
    return link.given_up || (link.messages.empty() && link.frames_acknowledged == link.frames_sent &&
                             link.acknowledgement.empty());
  });
}

bool MpiChannel::State::transfers_over() const {
  return std::all_of(links.begin(), links.end(),
                     [](const Link& link) {
                       return link.sends.empty() && link.acknowledgement.empty() && link.receives.empty();
                     }) &&
         !sums.pending();
}

/// Passes until `done` or the deadline: polling right after traffic, then sleeping longer and longer.
template <class Done>
void MpiChannel::State::run_until(Instant deadline, Done done) {
  auto last_traffic = std::chrono::steady_clock::now();
  auto sleep = kShortestSleep;
  while (true) {
    const bool moved = pass();
    if (done() || clock.now() >= deadline) {
      return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (moved) {
      last_traffic = now;
      sleep = kShortestSleep;
    } else if (now - last_traffic < kPollingTime) {
      ::sched_yield();
    } else {
      sleep_for(sleep);
      sleep = std::min(2 * sleep, kLongestSleep);
    }
  }
}

MpiChannel::MpiChannel(const MpiEnvironment& environment) : state_(std::make_unique<State>()) {
  state_->self = environment.rank();
  state_->links.resize(environment.size());
}

MpiChannel::~MpiChannel() {
  // The last acknowledgements leave, so that a peer's flush() does not wait for them.
  state_->run_until(state_->clock.now() + Milliseconds(200), [&] { return state_->all_out(); });
  if (!state_->transfers_over()) {
    // MPI may still touch the bytes of what a dead peer never took: they live as long as the process.
    static_cast<void>(state_.release());
  }
}

void MpiChannel::set_message_limit(std::uint64_t bytes) {
  state_->message_limit = bytes;
}
void MpiChannel::set_queue_limit(std::uint64_t bytes) {
  state_->queue_limit = bytes;
}
Peer MpiChannel::self() const {
  return state_->self;
}
Peer MpiChannel::size() const {
  return static_cast<Peer>(state_->links.size());
}
std::uint64_t MpiChannel::bytes_sent() const {
  return state_->bytes_sent;
}
const std::vector<std::pair<Peer, std::string>>& MpiChannel::given_up() const {
  return state_->given_up;
}

void MpiChannel::send(Peer to, Bytes message) {
  check(to < size() && to != self(), "a message goes to another process that exists");
  Link& link = state_->links[to];
  if (link.given_up) {
    return;
  }
  if (link.queued_bytes + message.size() + kMessageCost > state_->queue_limit) {
    state_->give_up(
        to, "does not take its messages: " + std::to_string(link.queued_bytes) + " bytes wait for it");
    return;
  }
  link.queued_bytes += message.size() + kMessageCost;
  link.messages.push_back(std::move(message));
  // The first frames leave now: a program may compute for long before it comes back.
  state_->advance_sends(to);
}

std::optional<Incoming> MpiChannel::receive(Instant deadline) {
  if (state_->inbox.empty()) {
    state_->run_until(deadline, [&] { return !state_->inbox.empty(); });
  }
  if (state_->inbox.empty()) {
    return std::nullopt;
  }
  Incoming first = std::move(state_->inbox.front());
  state_->inbox.pop_front();
  state_->links[first.from].inbox_bytes -= first.message.size() + kMessageCost;
  return first;
}

void MpiChannel::flush(Instant deadline) {
  state_->run_until(deadline, [&] { return state_->all_out(); });
}

void MpiChannel::flush_to(std::uint64_t bytes, Instant deadline) {
  state_->run_until(deadline, [&] {
    std::uint64_t waiting = 0;
    for (const Link& link : state_->links) {
      waiting += link.queued_bytes;
    }
    return waiting <= bytes;
  });
}

namespace {

/// A rank's part of the trial sum: every sum of two wraps, and no two ranks have the same.
template <class T>
std::vector<T> trial_part(std::uint64_t rank) {
  std::vector<T> part(1037);
  for (std::uint64_t i = 0; i < part.size(); ++i) {
    part[i] = static_cast<T>(std::uint64_t{0} - 1 - 1009 * rank - (2 * rank + 3) * i);
  }
  return part;
}

template <class T>
Residues trial_sum(Peer size) {
  std::vector<T> sum(trial_part<T>(0).size());
  for (Peer rank = 0; rank < size; ++rank) {
    const auto part = trial_part<T>(rank);
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += part[i];
    }
  }
  return sum;
}

}  // namespace

/// The peers that have not acknowledged what was sent to them, to name who may be the cause of a silence.
std::string MpiChannel::State::unheard() const {
  std::string ranks;
  for (Peer peer = 0; peer < links.size(); ++peer) {
    if (links[peer].frames_acknowledged < links[peer].frames_sent) {
      ranks += (ranks.empty() ? "; no sign of life from rank " : ", ") + std::to_string(peer);
    }
  }
  return ranks;
}

Result<bool> MpiChannel::open_sums(Instant deadline) {
  State& state = *state_;
  state.sums.begin();
  state.run_until(deadline, [&] { return state.sums.open() || state.sums.failed(); });
  if (!state.sums.open()) {
    return Error{"not all processes joined the tree of sums in time" + state.unheard()};
  }
  join_sum(trial_part<std::uint32_t>(self()));
  join_sum(trial_part<std::uint64_t>(self()));
  if (self() != 0) {
    return true;
  }
  for (const Residues& expected : {trial_sum<std::uint32_t>(size()), trial_sum<std::uint64_t>(size())}) {
    const auto sum = take_sum(deadline);
    if (!sum) {
      return sum.error();
    }
    if (*sum != expected) {
      return Error{
          "a trial sum over all processes came out wrong: their MPI does not add modulo a power of two"};
    }
  }
  return true;
}

void MpiChannel::join_sum(Residues part) {
  state_->sums.join(std::move(part));
}

Result<Residues> MpiChannel::take_sum(Instant deadline) {
  std::optional<Residues> sum = state_->sums.take();
  if (!sum) {
    state_->run_until(deadline, [&] {
      sum = state_->sums.take();
      return sum.has_value() || state_->sums.failed();
    });
  }
  if (!sum) {
    return Error{"not all processes gave their part of the sum in time" + state_->unheard()};
  }
  return std::move(*sum);
}

}  // namespace hanse
