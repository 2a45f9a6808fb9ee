#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/workloads/model.h"
#include "privacy/crypto/digest.h"
#include "privacy/ledger/ledger_state.h"

namespace hanse {

/// Where a training run stands between two private sums: all that the next sum is a function of, but for secrets and noise,
/// which are drawn anew, and the ledger, which is a file of its own. Without noise, a run that continues from a checkpoint
/// ends with the same bytes of model as one that was never interrupted.
struct Checkpoint {
  Digest configuration{};          ///< SHA-256 of shared_text().
  std::uint64_t ledger_lines = 0;  ///< Lines of the ledger that it follows from, at least 1.
  Digest ledger_tip{};             ///< SHA-256 of the last of them.

  Model preparation;                  ///< What the statistics told, with the server's memory.
  Model model;                        ///< Empty while statistics are gathered.
  std::uint64_t sums = 0;             ///< Sums released.
  std::uint64_t training_rounds = 0;  ///< Training rounds whose update is in `model`.
  bool round_open = false;  ///< The last of them still lacks its evaluation and its line of metrics.

  Metrics figures;                      ///< The last of each.
  std::vector<double> evaluation = {};  ///< The last total of an evaluation; empty before.
  std::uint32_t included = 0;           ///< Merchants in the last sum.
  double seconds = 0;  ///< Since the run began, without what lay between an end and a continuation.
};

/// The version that this program writes; others are refused.
inline constexpr std::uint32_t kCheckpointVersion = 2;

/// The bytes of a checkpoint:
///   "HANSECPT" | version u32 | payload length u64 | SHA-256 of the payload | payload (cereal, portable binary)
std::string encode_checkpoint(const Checkpoint& checkpoint);

/// Reads them back. Length and digest are compared over the raw bytes before anything else reads them, and no length within
/// is believed before it was compared with the bytes that are left. Throws bad_input naming `origin`.
Checkpoint decode_checkpoint(std::string_view bytes, const std::string& origin);

/// RUN_DIR/checkpoints: the last kCheckpointsKept of a run, each named by the lines of the ledger that it follows from.
inline constexpr std::size_t kCheckpointsKept = 3;

/// Writes one so that a crash leaves it whole or not at all, and removes the oldest beyond kCheckpointsKept and any that was passed
/// over. Throws
/// Failure(could_not_finish) when the disk does not take it; those before are then untouched.
void write_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// The newest checkpoint that is whole, of this configuration, and follows from the first lines of this ledger; nothing when
/// there is none. A sentence for each newer one that was passed over goes to `passed_over`.
std::optional<Checkpoint> newest_checkpoint(const std::filesystem::path& folder, const LedgerState& ledger,
                                            const Digest& configuration,
                                            std::vector<std::string>& passed_over);

}  // namespace hanse
