#pragma once

#include <array>
#include <cstdint>

#include "common/base/result.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/secret.h"
#include "privacy/crypto/x25519.h"

namespace hanse {

/// The key hierarchy. i and j are merchant ids, lo < hi the same two in order;
/// numbers are little-endian, ids of 32 bits, rounds of 64. E(k; a, b) is HKDF-Expand to 32 bytes of label a
/// and fields b.
///
///   once a session   PRK    = HKDF-Extract(salt = session id, X25519(x_i, X_j) || X_lo || X_hi)
///                    CK[0]  = E(PRK; "hanse/1 chain", lo, hi)   the ratchet
///                    KE i>j = E(PRK; "hanse/1 share", i, j)     AES-256-GCM of share boxes, one a direction
///                    KA     = E(PRK; "hanse/1 agree", lo, hi)   codes over sets of survivors
///   each round r     S      = E(CK[r]; "hanse/1 seed", r)       the only value ever revealed
///                    CK[r+1]= E(CK[r]; "hanse/1 next")          the old one is erased
///   from S and ctx   mask   = E(S; "hanse/1 mask", ctx)         AES-128 key || IV
///                    edge   = E(S; "hanse/1 edge", ctx)         its first 16 bytes: equal at both ends
///   own secrets      self   = E(b; "hanse/1 self", ctx)         AES-128 key || IV
///                    wrap   = S xor E(u; "hanse/1 wrap", j)
///
/// Revealing S of one round tells nothing of CK, hence of no other round; erasing CK keeps earlier rounds
/// closed to whoever breaks in later.
class PairKeys {
 public:
  /// The keys of `own_id` with its neighbour `peer_id`. An error when the peer's point is of low order.
  static Result<PairKeys> derive(const X25519Key& own, const PublicPoint& peer, const Digest& session_id,
                                 std::uint32_t own_id, std::uint32_t peer_id);

  /// S of `round`. Rounds only grow; skipped ones are stepped over, at most kSkipMax at a time (check).
  Secret<32> seed(std::uint64_t round);
  static constexpr std::uint64_t kSkipMax = 1u << 16;

  const Secret<32>& sending() const { return sending_; }      ///< Share boxes to the peer.
  const Secret<32>& receiving() const { return receiving_; }  ///< Share boxes from the peer.
  const Secret<32>& agreement() const { return agreement_; }

 private:
  PairKeys() = default;

  Secret<32> chain_;
  std::uint64_t chain_round_ = 0;
  Secret<32> sending_;
  Secret<32> receiving_;
  Secret<32> agreement_;
};

/// Key and IV of the mask of an edge, and its fingerprint: equal at both ends exactly when seed and context
/// are.
Secret<32> edge_mask(const Secret<32>& seed, const Digest& context);
std::array<std::byte, 16> edge_fingerprint(const Secret<32>& seed, const Digest& context);
/// Key and IV of a merchant's own mask.
Secret<32> self_mask(const Secret<32>& b, const Digest& context);

/// The seed of the edge with `neighbour`, disguised under the escrow key u; and back.
std::array<std::byte, 32> wrap_seed(const Secret<32>& seed, const Secret<32>& u, std::uint32_t neighbour);
Secret<32> unwrap_seed(const std::array<std::byte, 32>& wrapped, const Secret<32>& u,
                       std::uint32_t neighbour);

}  // namespace hanse
