#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "common/transport/residues.h"

namespace hanse {

/// Unsigned integers that MPI can add.
enum class SumType { uint8, uint16, uint32, uint64 };

/// Adds two vectors by MPI_SUM, long enough for its vector kernels and with sums that wrap, and compares with
/// modular addition: nothing when they agree, else a sentence. Open MPI 4.1.4 saturates sums of 8 and 16 bits
/// where it has AVX; those of 32 and 64 wrap, and this is how a run knows.
std::optional<std::string> wrong_sum(SumType type);

/// Throws a Failure (ExitCode::could_not_finish) unless sums of 32 and of 64 bits wrap on this host.
void check_sums_wrap();

/// Sums over all ranks, reduced to rank 0 by MPI_Ireduce on a communicator of their own: beside the channel's
/// messages, never among them. No call waits. One thread, and only while MPI runs.
///
/// A long vector goes in pieces, one after the other: a count of MPI is an int, and what is on its way when a
/// rank dies should be little.
class MpiSums {
 public:
  static constexpr std::size_t kPiece = std::size_t{1} << 20;

  /// `piece`: entries of one reduction, the same at all ranks.
  explicit MpiSums(std::size_t piece = kPiece);
  /// The buffers of a sum that is not complete live as long as the process: MPI may still touch them.
  ~MpiSums();
  MpiSums(const MpiSums&) = delete;
  MpiSums& operator=(const MpiSums&) = delete;

  /// Starts to make the communicator.
  void begin();
  bool open() const;

  /// Queues this rank's part of the next sum.
  void join(Residues part);
  /// Moves on; false when nothing moved.
  bool advance();
  /// At rank 0: the next complete sum, if there is one.
  std::optional<Residues> take();

  /// Whether something was begun and is not complete.
  bool pending() const;
  /// MPI reported an error: no sum will be complete any more.
  bool failed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hanse
