#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/result.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/secret.h"
#include "privacy/protocol/messages.h"
#include "privacy/secure_sum/pair_keys.h"

namespace hanse {

/// The secrets of one round and their disguises on the wire, in the terms of the messages. The cryptography
/// is that of privacy/crypto and privacy/secure_sum; here are the labels, the addresses and the sizes.
///
///   b, u           fresh 32 random bytes of each merchant: seed of its own mask; key of its escrow
///   box i -> j     AES-256-GCM under the key of that direction and round, of the shares of b_i and u_i that j
///   holds;
///                  bound to session, round, sender and receiver
///   commitment     SHA-256 of a share, or of a label with b or u, 16 bytes
///   rung box       as box, of the shares of i's rung keys (privacy/surplus_noise.h)
///   wrapped seed   S_ij xor Expand(u_i, "wrap", j)
///   agree code     HMAC under the agreement key of the pair of (label, sender, round, context, U), 16 bytes

Secret<32> random_secret(SecureRandom& random);

/// The shares of one secret: for the neighbours in their order, and for the dealer.
struct Dealing {
  std::vector<Secret<40>> others;
  Secret<40> own;
};
Dealing deal_secret(const Secret<32>& secret, std::span<const std::uint32_t> neighbours, std::uint32_t dealer,
                    std::uint32_t threshold, SecureRandom& random);

struct ShareAddress {
  const Digest& session_id;
  std::uint64_t round;
  std::uint32_t dealer;
  std::uint32_t holder;
};
/// `key` is the pair's sending(round), or receiving(round) of the other end.
ShareBox seal_shares(const Secret<32>& key, const ShareAddress& address, const Secret<40>& self_mask,
                     const Secret<40>& escrow);
struct OpenedShares {
  Secret<40> self_mask;
  Secret<40> escrow;
};
Result<OpenedShares> open_shares(const Secret<32>& key, const ShareAddress& address, const ShareBox& box);

/// The same for shares of rung keys (privacy/surplus_noise.h), by increasing rung: a second box under the same key, which
/// has a nonce and a label of its own. It opens only for a holder that was told of the same `invited` merchants: rungs
/// are counted from a threshold that follows from them, so that whoever was told another story would open another one.
Bytes seal_rung_shares(const Secret<32>& key, const ShareAddress& address, const MerchantSet& invited,
                       const std::vector<Secret<40>>& shares);
/// As many shares as the box has room for.
Result<std::vector<Secret<40>>> open_rung_shares(const Secret<32>& key, const ShareAddress& address,
                                                 const MerchantSet& invited, ByteView box);

Bytes16 commit(const Secret<40>& share);
Bytes16 commit(const Share& share);
Bytes16 commit(const Secret<32>& secret);

Bytes16 confirm_code(const PairKeys& pair, std::uint32_t sender, const Digest& session_id);
/// What a round's agree codes are about: the same for all pairs of a merchant.
struct AgreedOn {
  std::uint64_t round = 0;
  Digest context{};
  Digest included{};  ///< SHA-256 of the encoded U.
};
AgreedOn agreed_on(std::uint64_t round, const Digest& context, const MerchantSet& included);
Bytes16 agree_code(const PairKeys& pair, std::uint32_t sender, const AgreedOn& what);

}  // namespace hanse
