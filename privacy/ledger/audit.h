#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "privacy/accounting/pld.h"
#include "privacy/ledger/ledger_state.h"

namespace hanse {

struct Budget {
  double epsilon = 0;
  double delta = 0;
};

/// What the noise is worth against an adversary.
struct AdversaryRow {
  std::uint32_t collusion = 0;  ///< Merchants that hand over their noise to it.
  SpentRow spent;               ///< By Renyi divergences.
};

/// The same releases by their privacy loss distributions: tighter, for a plan that was kept to. The certificate is the
/// Renyi filter's row, which holds however the parameters were chosen.
struct PlanRow {
  std::string population;
  double delta = 0;
  EpsilonBracket bracket;
};

/// An earlier ledger of the same people.
struct EarlierLedger {
  std::filesystem::path ledger;
  std::string run_id;
  std::vector<SpentRow> rows;
};

/// What an audit found.
struct AuditReport {
  enum class Verdict {
    holds,       ///< Everything that is claimed is so.
    unfinished,  ///< Nothing contradicts anything, and something is still to come.
    broken       ///< Something is not as it must be.
  };

  std::filesystem::path ledger;
  std::vector<std::string> findings;   ///< Each a sentence: why it is broken.
  std::vector<std::string> open_ends;  ///< Each a sentence: what is still to come.
  std::vector<std::string> notes;      ///< Worth knowing, no fault.
  std::uint64_t lines = 0;             ///< Verified.
  std::uint64_t signatures = 0;        ///< Verified, of coordinator and merchants.
  std::uint64_t copies = 0;            ///< Merchants' copies found.
  std::uint64_t copies_agreeing = 0;   ///< Of these, with the coordinator's bytes, whole or up to their end.
  LedgerState state;                   ///< After the last line that holds.
  std::vector<AdversaryRow> adversaries;
  std::vector<PlanRow> plan_rows;  ///< None when rounds were repeated beyond the plan, or nothing has noise.
  std::vector<EarlierLedger> earlier;  ///< That were given and link up, the latest first.
  std::vector<SpentRow> total;         ///< Of this ledger and all earlier ones, for each unit and population.
  std::optional<Budget> budget;        ///< That was asked about.

  Verdict verdict() const {
    return !findings.empty() ? Verdict::broken : open_ends.empty() ? Verdict::holds : Verdict::unfinished;
  }
  bool holds() const { return verdict() == Verdict::holds; }
};

/// Audits a run directory (or a ledger file), trusting nobody: chain, tree, signatures of coordinator and merchants,
/// order, merchants' copies, every bound, epsilon at every prefix by this program's own accountants, the claim, the
/// model on disk. `earlier`: run directories or ledgers that it continues, the latest first; their spending is added.
/// Throws bad_input when there is no ledger to read.
AuditReport audit(const std::filesystem::path& run, std::optional<Budget> budget = std::nullopt,
                  std::span<const std::filesystem::path> earlier = {});

/// The verdict for people, and as one JSON object.
std::string text_of(const AuditReport& report);
std::string json_of(const AuditReport& report);

}  // namespace hanse
