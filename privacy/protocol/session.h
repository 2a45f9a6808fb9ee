#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "privacy/protocol/arbiter_messages.h"
#include "privacy/protocol/messages.h"

namespace hanse {

/// What one side checks a roster against.
struct RosterRules {
  const SessionParameters& parameters;
  const std::map<std::string, PublicKey>& identities;  ///< Pinned identities by name; empty: none are.
  const std::vector<MerchantHello>& own;  ///< The worker's own HELLOs: must be in it, byte for byte.
  const ArbiterHello* arbiter = nullptr;  ///< Verified; there with Encryption::paillier.
};

/// A session that all sides derive alike.
struct VerifiedSession {
  Digest
      id{};  ///< SHA-256 of a label, the parameters, the arbiter's key if there is one, and all HELLOs in order.
  std::vector<std::vector<std::uint32_t>> neighbours;  ///< Of each merchant, increasing; empty without masks.
};

/// Checks the roster once for all merchants of a worker: names increase,
/// signatures hold for these parameters, identities and keys are distinct and those that are pinned, own
/// entries are unchanged, nobody is the arbiter too, and there are at least 3 merchants to hide among. An error names the first merchant at
/// fault.
Result<VerifiedSession> verify_roster(const std::vector<MerchantHello>& merchants, const RosterRules& rules);

}  // namespace hanse
