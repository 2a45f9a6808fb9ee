#pragma once

#include <array>
#include <cstdint>
#include <string_view>

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
///                    KE[0]  = E(PRK; "hanse/1 share", i, j)     ratchets of share boxes, one a direction i>j
///                    KA     = E(PRK; "hanse/1 agree", lo, hi)   codes over sets of survivors
///   each round r     S      = E(CK[r]; "hanse/1 seed", r)       the only value ever revealed
///                    box    = E(KE[r]; "hanse/1 box", r)        AES-256-GCM, of one box
///                    CK[r+1]= E(CK[r]; "hanse/1 next")          the old one is erased; so with KE
///   from S and ctx   mask   = E(S; "hanse/1 mask", ctx)         AES-128 key || IV
///                    edge   = E(S; "hanse/1 edge", ctx)         its first 16 bytes: equal at both ends
///   own secrets      self   = E(b; "hanse/1 self", ctx)         AES-128 key || IV
///                    wrap   = S xor E(u; "hanse/1 wrap", j)
///
/// Revealing S of one round tells nothing of CK, hence of no other round; erasing CK keeps earlier rounds
/// closed to whoever breaks in later. Erasing KE keeps the boxes closed that a merchant sent and received: with the
/// ones it sent, its own b and u of the round would be open.
class PairKeys {
 public:
  /// The keys of `own_id` with its neighbour `peer_id`. An error when the peer's point is of low order.
  static Result<PairKeys> derive(const X25519Key& own, const PublicPoint& peer, const Digest& session_id,
                                 std::uint32_t own_id, std::uint32_t peer_id);

  /// S of `round`. Rounds only grow; skipped ones are stepped over, at most kSkipMax at a time (check).
  Secret<32> seed(std::uint64_t round) { return chain_.turn(round, "hanse/1 seed"); }
  static constexpr std::uint64_t kSkipMax = 1u << 16;

  /// Keys of the share boxes of `round`, to the peer and from it. Each only once, like seed().
  Secret<32> sending(std::uint64_t round) { return sending_.turn(round, "hanse/1 box"); }
  Secret<32> receiving(std::uint64_t round) { return receiving_.turn(round, "hanse/1 box"); }
  const Secret<32>& agreement() const { return agreement_; }

 private:
  PairKeys() = default;

  /// A key that goes from round to round and never back.
  struct Ratchet {
    Secret<32> key;
    std::uint64_t round = 0;

    /// What the key gives for `round`, which is at least this one; steps beyond it.
    Secret<32> turn(std::uint64_t to, std::string_view label);
  };
  Ratchet chain_;
  Ratchet sending_;
  Ratchet receiving_;
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
