#pragma once

#include "privacy/protocol/link.h"
#include "privacy/protocol/round_secrets.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/test_federation.h"

/// What targets and their seeds must have in common: keys and sessions that are the same in every process.
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

inline constexpr std::uint32_t kFixedWorkers = 2;
inline TestFederation::Plan fixed_plan() {
  return {.seed = 26, .merchants = 4, .workers = kFixedWorkers};
}

}  // namespace hanse::fuzz
