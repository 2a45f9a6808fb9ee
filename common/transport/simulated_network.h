#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "common/base/seeded_generator.h"
#include "common/transport/channel.h"

namespace hanse {

/// What a simulated network does to messages; all zero: a perfect one. Probabilities are in [0, 1], of each
/// message.
struct SimulatedNetworkOptions {
  std::uint64_t seed = 1;
  double loss = 0;
  double duplication = 0;
  double reordering =
      0;                ///< Probability that a message may overtake, or be overtaken by, others of its link.
  double garbling = 0;  ///< Probability that one byte is changed.
  Milliseconds delay_min{0};
  Milliseconds delay_max{0};              ///< Delays are uniform in [delay_min, delay_max].
  std::map<Peer, Instant> crash_at = {};  ///< From then on a worker hears and says nothing.
};

/// A whole federation in one process: the coordinator's channel, workers that are functions, and a clock that
/// jumps to the next event, so that a deadline of a minute costs nothing. The same seed gives the same run.
///
///     SimulatedNetwork network({.seed = 7, .loss = 0.1});
///     network.add_worker([&](ByteView message) { return worker.handle(message); });
///     run_coordinator(network, network);
class SimulatedNetwork final : public Channel, public Clock {
 public:
  /// Called with a message from the coordinator; what it gives back is sent to the coordinator, in that
  /// order.
  using Handler = std::function<std::vector<Bytes>(ByteView message)>;
  /// Sees every message as it is sent, whatever becomes of it.
  using Tap = std::function<void(Peer from, Peer to, ByteView message)>;

  explicit SimulatedNetwork(SimulatedNetworkOptions options = {});

  /// Adds a worker; gives its rank: 1 for the first.
  Peer add_worker(Handler handler);
  void set_tap(Tap tap) { tap_ = std::move(tap); }
  /// The worker hears and says nothing from now on.
  void crash(Peer worker);
  /// A crashed worker starts again, with a new handler.
  void revive(Peer worker, Handler handler);
  /// Sends a message from a worker that no one asked for.
  void send_from(Peer worker, Bytes message);
  /// A worker's join_sum().
  void join_sum_from(Peer worker, Residues part);
  /// Sees, and may change, every part of a sum as it leaves its process. Sums are otherwise exact: MPI loses
  /// nothing.
  using SumTap = std::function<void(Peer from, Residues& part)>;
  void set_sum_tap(SumTap tap) { sum_tap_ = std::move(tap); }

  Instant now() const override { return now_; }

  Peer self() const override { return 0; }
  Peer size() const override { return static_cast<Peer>(handlers_.size()) + 1; }
  void send(Peer to, Bytes message) override;
  std::optional<Incoming> receive(Instant deadline) override;
  void flush(Instant deadline) override;
  void flush_to(std::uint64_t, Instant) override {}  ///< All are on their way at once.
  const std::vector<std::pair<Peer, std::string>>& given_up() const override { return given_up_; }
  std::uint64_t bytes_sent() const override { return bytes_sent_; }

  /// Workers need not open sums.
  Result<bool> open_sums(Instant) override { return true; }
  void join_sum(Residues part) override;
  Result<Residues> take_sum(Instant deadline) override;

 private:
  struct Event {
    Instant when{0};
    std::uint64_t number = 0;  ///< Order of sending, for events of the same instant.
    Peer from = 0;
    Peer to = 0;
    Bytes message;
    bool operator>(const Event& other) const {
      return std::pair(when, number) > std::pair(other.when, other.number);
    }
  };

  bool alive(Peer peer) const;
  void post(Peer from, Peer to, Bytes message);
  void schedule(Peer from, Peer to, Bytes message);
  bool deliver_next(Instant limit);
  bool sum_joined_by_all() const;

  SimulatedNetworkOptions options_;
  SeededGenerator random_;
  Tap tap_;
  SumTap sum_tap_;
  std::map<Peer, std::deque<Residues>> parts_;  ///< Of sums that rank 0 has not taken.
  std::vector<Handler> handlers_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::map<std::pair<Peer, Peer>, Instant> last_on_link_;
  std::deque<Incoming> inbox_;
  std::vector<std::pair<Peer, std::string>> given_up_;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t events_made_ = 0;
  std::size_t underway_to_workers_ = 0;
  Instant now_{0};
};

}  // namespace hanse
