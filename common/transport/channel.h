#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/transport/residues.h"

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

/// Messages between two processes, point to point: whole, or not at all. No wait without a deadline, no
/// receive before a size is known and allowed. What is lost or late is the protocol's to notice.
///
/// Beside them, for those who ask: sums over all processes, added up on their way along a tree. They need every
/// process alive; nothing else here does.
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

  /// Moves them on until at most `bytes` of them wait, or `deadline` passes: for a program that makes messages faster than they
  /// are taken.
  virtual void flush_to(std::uint64_t bytes, Instant deadline) = 0;

  /// Peers that broke the framing rules or stopped taking messages, each with the reason in a sentence.
  virtual const std::vector<std::pair<Peer, std::string>>& given_up() const = 0;

  /// Payload bytes sent in messages so far.
  virtual std::uint64_t bytes_sent() const = 0;

  /// Readies sums. Every process calls it once, at about the same time, and waits for the others until
  /// `deadline`; a trial sum in each ring shows rank 0 that sums wrap as a ring asks. An Error says what stands
  /// in the way, and then there are no sums.
  virtual Result<bool> open_sums(Instant deadline) = 0;

  /// Takes part in the next sum, modulo 2^32 or 2^64. Every process joins every sum, in the same order, with one
  /// ring and length. Returns at once: the sum moves on during receive(), flush() and take_sum().
  virtual void join_sum(Residues part) = 0;

  /// At rank 0: the first sum that it joined and has not taken yet. An Error when it is not complete at
  /// `deadline`: a process is dead, stopped or far behind, and no later sum will be complete either.
  virtual Result<Residues> take_sum(Instant deadline) = 0;
};

}  // namespace hanse
