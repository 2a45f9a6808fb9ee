#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/clock.h"

namespace hanse {

/// Rank of a process in the federation: 0 is the coordinator, 1..W the workers.
using Peer = std::uint32_t;

struct Incoming {
  Peer from = 0;
  Bytes message;
};

struct Outgoing {
  Peer to = 0;
  Bytes message;
};

/// Messages between two processes, point to point: whole, or not at all. No collective, no wait without a
/// deadline, no receive before a size is known and allowed. What is lost or late is the protocol's to notice.
class Channel {
 public:
  virtual ~Channel() = default;

  virtual Peer self() const = 0;
  /// Number of processes, coordinator included.
  virtual Peer size() const = 0;

  /// Queues a message and returns at once; it moves on during receive() and flush(). A peer that does not
  /// take its messages costs memory up to a bound, then is given up (given_up()).
  virtual void send(Peer to, Bytes message) = 0;

  /// The next message, or nothing at `deadline`. Sleeps while idle (under 5 % of a core).
  virtual std::optional<Incoming> receive(Instant deadline) = 0;

  /// Moves queued messages on until all are out or `deadline` passes.
  virtual void flush(Instant deadline) = 0;

  /// Peers that broke the framing rules or stopped taking messages, each with the reason in a sentence.
  virtual const std::vector<std::pair<Peer, std::string>>& given_up() const = 0;

  /// Payload bytes sent so far.
  virtual std::uint64_t bytes_sent() const = 0;
};

}  // namespace hanse
