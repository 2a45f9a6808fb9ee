#pragma once

#include "privacy/crypto/paillier.h"
#include "privacy/packing.h"
#include "privacy/protocol/link.h"
#include "privacy/protocol/round_secrets.h"
#include "tests/support/deterministic_random.h"

/// What targets and their seeds must have in common: keys that are the same in every process.
namespace hanse::fuzz {

inline DeterministicSecureRandom fixed_random() {
  return DeterministicSecureRandom(26);
}
inline LinkRequest fixed_request() {
  DeterministicSecureRandom random = fixed_random();
  return LinkRequest(1, random);
}
inline SigningKey fixed_identity() {
  Secret<32> seed;
  seed.expose_for_writing()[0] = std::byte{26};
  return SigningKey::from_seed(std::move(seed));
}

struct FixedPair {
  PairKeys dealer;
  PairKeys holder;
};
inline FixedPair fixed_pair() {
  DeterministicSecureRandom random = fixed_random();
  const X25519Key dealer = X25519Key::generate(random);
  const X25519Key holder = X25519Key::generate(random);
  return {*PairKeys::derive(dealer, holder.public_key(), {}, 0, 1),
          *PairKeys::derive(holder, dealer.public_key(), {}, 1, 0)};
}
inline const Digest kFixedSession{};
inline const ShareAddress kFixedAddress{kFixedSession, 1, 0, 1};
inline ShareBox fixed_share_box() {
  return seal_shares(fixed_pair().dealer.sending(1), kFixedAddress, Secret<40>(), Secret<40>());
}

inline PaillierSize small_paillier() {
  return PaillierSize::for_tests(128);
}
inline PaillierPrivateKey fixed_paillier() {
  DeterministicSecureRandom random = fixed_random();
  return PaillierPrivateKey::generate(small_paillier(), random);
}
inline constexpr std::uint32_t kPackedBits = 256;
inline SumParameters packed_parameters() {
  return {.length = 9,
          .clip_norm = 1,
          .grid_bits = 20,
          .ring = Ring::bits64,
          .units_max = 4,
          .share_variance = 1000,
          .shares_min = 3,
          .merchants_max = 5};
}

}  // namespace hanse::fuzz
