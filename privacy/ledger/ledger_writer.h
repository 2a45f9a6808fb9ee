#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/durable_file.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/signature.h"
#include "privacy/ledger/ledger_state.h"

namespace hanse {

/// A new run's identifier: 32 random hexadecimal digits.
std::string fresh_run_id(SecureRandom& random);

/// The coordinator's ledger: signs records, puts each on disk before it returns it, and holds itself to the
/// same verifier as everyone else. A line that the verifier refuses is never written: that is a
/// Failure(could_not_finish). Ask would_allow() before a round.
class LedgerWriter {
 public:
  /// A new ledger with `plan` as its first line; plan.coordinator is set from `key`. `previous` is the hash
  /// of the last line of the ledger that plan.previous names. Throws bad_input when the file is there
  /// already.
  static LedgerWriter create(std::filesystem::path file, SigningKey key, Plan plan,
                             std::optional<Digest> previous = std::nullopt);
  /// Continues a ledger after an end or a crash: verifies it whole. A last line without newline was never
  /// answered by anyone (a line is sent after it is on disk), so it is cut off. Throws Failure(refused) when
  /// it does not hold.
  static LedgerWriter resume(std::filesystem::path file, SigningKey key);

  /// Takes back lines that merchants have and this disk lost: the next ones of this ledger, each signed by this very key.
  /// They are on disk when it returns. Throws Failure(refused) at the first that does not follow.
  void recover(std::span<const std::string> lines);

  /// Signs, writes, returns the line (without newline) to be sent. `unix_time` is moved up to the last one.
  std::string write(Intent intent);
  /// `round` and `intent` are taken from the open intent, and `model` too when aborted.
  std::string write(Release release);
  std::string write(const Claim& claim);
  /// Those of `cosignatures`, over state().to_cosign(), that hold and count for the next head, by increasing merchant.
  std::vector<Cosignature> valid(std::vector<Cosignature> cosignatures) const;
  /// The head over all lines so far, with signatures that valid() gave.
  std::string write_head(std::vector<Cosignature> cosignatures, std::uint64_t unix_time);
  /// Answers the open intent with an aborted release; nothing when there is none.
  void abort_open(const std::string& reason);

  const LedgerState& state() const { return state_; }
  /// The lines from number `begin` on, without newlines, as they stand on the disk: what brings a merchant up to date. They
  /// are not kept in memory, where the signatures of thousands of merchants would grow with every round. Throws
  /// Failure(could_not_finish) when the disk does not give them back.
  std::vector<std::string> lines_from(std::uint64_t begin) const;
  const std::string& last_line() const { return last_line_; }
  /// What resume() cut off, as a sentence for the log.
  const std::optional<std::string>& repaired() const { return repaired_; }

 private:
  LedgerWriter(std::filesystem::path file, SigningKey key);
  std::string write_payload(Payload payload, const Digest& prev, Signatures how = Signatures::check);
  void note_line(std::string_view line);

  SigningKey key_;
  LedgerState state_;
  std::filesystem::path file_;
  std::vector<std::uint64_t> ends_;  ///< Of each line and its newline, in bytes of the file.
  std::string last_line_;
  DurableLog log_;
  std::optional<std::string> repaired_;
};

}  // namespace hanse
