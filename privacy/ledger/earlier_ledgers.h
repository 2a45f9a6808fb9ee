#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "common/base/result.h"
#include "privacy/ledger/ledger_state.h"

namespace hanse {

/// Verifies the ledgers of earlier runs on the same people, the latest first, and that each continues the next: by its run
/// and by the hash of its last line. The oldest continues none. An Error says in a sentence which does not, and why.
Result<std::vector<LedgerState>> read_earlier(std::span<const std::filesystem::path> files);

/// Whether a plan, whose line carries `prev`, continues exactly these ledgers, and hides the same unit.
std::optional<Error> refuses_link(const Plan& plan, const Digest& prev, std::span<const LedgerState> earlier);

}  // namespace hanse
