#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "privacy/ledger/ledger_state.h"

namespace hanse {

struct Budget {
  double epsilon = 0;
  double delta = 0;
};

/// What an audit found. It holds when there is no finding.
struct AuditReport {
  std::filesystem::path ledger;
  std::vector<std::string> findings;  ///< Each a sentence.
  std::vector<std::string> notes;     ///< Worth knowing, no fault.
  std::uint64_t lines = 0;            ///< Verified.
  std::uint64_t copies = 0;           ///< Merchants' copies found.
  std::uint64_t copies_agreeing = 0;  ///< Of these, with the coordinator's bytes, whole or up to their end.
  LedgerState state;                  ///< After the last line that holds.
  std::optional<Budget> budget;       ///< That was asked about.

  bool holds() const { return findings.empty(); }
};

/// Audits a run directory (or a ledger file), trusting nobody: chain, signatures, order, merchants' copies,
/// every bound, epsilon at every prefix, the claim, the model on disk. Throws bad_input when there is no
/// ledger to read.
AuditReport audit(const std::filesystem::path& run, std::optional<Budget> budget = std::nullopt);

/// The verdict for people, and as one JSON object.
std::string text_of(const AuditReport& report);
std::string json_of(const AuditReport& report);

}  // namespace hanse
