#pragma once

#include <array>
#include <cstddef>

#include "common/base/bytes.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/secret.h"

namespace hanse {

/// Ed25519 (RFC 8032).
using PublicKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

class SigningKey {
 public:
  static SigningKey generate(SecureRandom& random);
  static SigningKey from_seed(Secret<32> seed);

  const PublicKey& public_key() const { return public_key_; }
  Signature sign(ByteView message) const;
  /// The 32-byte seed, for the key file.
  const Secret<32>& seed() const { return seed_; }

 private:
  Secret<32> seed_;
  PublicKey public_key_{};
};

bool verify(const PublicKey& key, ByteView message, const Signature& signature);

}  // namespace hanse
