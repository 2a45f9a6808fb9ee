#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "privacy/crypto/secret.h"
#include "privacy/protocol/messages.h"
#include "privacy/secure_sum/graph_parameters.h"

namespace hanse {

/// What one side checks a roster against.
struct RosterRules {
  const SessionParameters& parameters;
  const std::map<std::string, PublicKey>& identities;  ///< Pinned identities by name; empty: none are.
  const std::vector<MerchantHello>& own;  ///< The worker's own HELLOs: must be in it, byte for byte.
};

/// A session that all sides derive alike.
struct VerifiedSession {
  Digest id{};         ///< SHA-256 of a label, the parameters and all HELLOs in order.
  SessionGraph graph;  ///< Neighbours and threshold.
  /// Of each merchant, increasing. Empty lists without masks, and before draw_graph() on a ring.
  std::vector<std::vector<std::uint32_t>> neighbours;

  bool needs_seeds = false;  ///< A ring, whose order follows from the opened seeds.
};

/// Checks the roster once for all merchants of a worker: names increase,
/// signatures hold for these parameters, identities and keys are distinct and those that are pinned, own
/// entries are unchanged, and with masks there are at least 3 merchants and a graph for them. An error names the
/// first merchant at fault.
Result<VerifiedSession> verify_roster(const std::vector<MerchantHello>& merchants, const RosterRules& rules);

/// The graph that nobody chooses. Who masks with whom decides how many colluding neighbours a merchant has, so
/// the order of the ring must be beyond the choice of the coordinator and of the merchants that collude with it:
///
///   HELLO    each merchant draws a private seed s_i and signs its commitment c_i = HKDF-Expand(s_i; label,
///            identity_i). All c_i are in the roster, hence in the session id.
///   SEEDS    a worker that has verified a roster, and only then, opens the seeds of its merchants.
///   GRAPH    every worker compares all openings with the commitments of its roster and draws the order from
///            SHA-256(label, session id, s_0, ..., s_(N-1)).
///
/// When the last of a worker's own seeds leaves it, the roster it will use is fixed, and with it every s_i, for
/// commitments open to one value only; until then its seed is unknown to everyone else. So the order is a random
/// function at a point that could neither be known nor be tried while any part of it could still be changed: it
/// is uniform as long as one seed is honest, and for a worker its own are. Nothing is won by showing rosters
/// that differ to different workers: an order holds for the worker's own seeds.
/// What is left to whoever opens last is to see the order and to let the set-up fail. A worker joins one session
/// in its life and every failed set-up ends the run for all, with a sentence, so that each try costs the
/// operators of all workers a start; g such tries raise a probability of 2^-40 to at most g 2^-40.
Digest commit_to_seed(const PublicKey& identity, const Secret<32>& seed);

/// A seed as it is sent, once the roster is verified.
Bytes32 opening_of(const Secret<32>& seed);
/// Whether `seed` is what a merchant committed to.
bool opens(const MerchantHello& merchant, const Bytes32& seed);

/// Checks the openings of all merchants, by id, against the commitments in the roster of `session`, and draws
/// the neighbours. An error names the first merchant whose seed is not the one it committed to.
Result<VerifiedSession> draw_graph(VerifiedSession session, const std::vector<MerchantHello>& merchants,
                                   const std::vector<Bytes32>& seeds);

}  // namespace hanse
