#pragma once

#include <memory>

#include "common/transport/channel.h"

namespace hanse {

/// MPI from its beginning to its end in this process. Sets what a fault-tolerant and safe run needs where a
/// process can set it for itself (the user's own OMPI_MCA_* settings win): no fence in MPI_Finalize, which
/// hangs once a rank is dead; no single-copy or remote-write transfer, by which an over-long message is
/// written past the receiver's buffer; yielding while it waits.
class MpiEnvironment {
 public:
  /// Throws bad_input when the process was started without mpirun: MPI would then be a world of one.
  MpiEnvironment(int* argc, char*** argv);
  /// Leaves MPI; a watchdog ends the process when MPI cannot.
  ~MpiEnvironment();
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;

  Peer rank() const { return rank_; }
  Peer size() const { return size_; }

 private:
  Peer rank_ = 0;
  Peer size_ = 1;
};

/// Messages over MPI, point to point, by one thread. A message travels as frames of at most 32 KiB behind a
/// header of 32 bytes; at most four frames to a peer are on their way unacknowledged, so that the death of a
/// peer finds little in MPI's queues (Open MPI aborts the sender otherwise) and a peer that stands still
/// costs its window and no more.
///
/// What arrives is matched by MPI_Improbe and received only when its size is that of a frame. A frame that is
/// too long, out of order, of another version or beyond the window ends the dealings with its sender, which
/// is then named in given_up(); a message that was never received stays where it is, because receiving it
/// would be the danger.
///
/// No call blocks on a peer. Only one MpiChannel a process.
class MpiChannel final : public Channel {
 public:
  explicit MpiChannel(const MpiEnvironment& environment);
  ~MpiChannel() override;

  /// Longest message that is accepted from a peer; a longer one ends the dealings with it. Default 256 MiB.
  void set_message_limit(std::uint64_t bytes);
  /// Most bytes that wait for one peer; a peer with more is given up. Default 1 GiB.
  void set_queue_limit(std::uint64_t bytes);

  Peer self() const override;
  Peer size() const override;
  void send(Peer to, Bytes message) override;
  std::optional<Incoming> receive(Instant deadline) override;
  /// Waits for the acknowledgement of everything queued to peers that still take messages.
  void flush(Instant deadline) override;
  void flush_to(std::uint64_t bytes, Instant deadline) override;
  const std::vector<std::pair<Peer, std::string>>& given_up() const override;
  std::uint64_t bytes_sent() const override;

  /// Sums by MPI_Ireduce (common/transport/mpi_sums.h). What travels in them is received without regard to its
  /// size and without a header, as MPI does: for processes that trust each other so far.
  Result<bool> open_sums(Instant deadline) override;
  void join_sum(Residues part) override;
  /// The Error names the ranks that give no sign of life.
  Result<Residues> take_sum(Instant deadline) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hanse
