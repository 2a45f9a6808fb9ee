#pragma once

#include <array>
#include <cstddef>

#include "common/base/result.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/secret.h"

namespace hanse {

/// A public point of X25519 (RFC 7748).
using PublicPoint = std::array<std::byte, 32>;

/// A private key of X25519 with its point. Lives for one session.
class X25519Key {
 public:
  static X25519Key generate(SecureRandom& random);
  static X25519Key from_scalar(Secret<32> scalar);

  const PublicPoint& public_key() const { return point_; }
  /// The common secret with the owner of `peer`. Points of low order, which would give zeros, are refused.
  Result<Secret<32>> agree(const PublicPoint& peer) const;

 private:
  Secret<32> scalar_;
  PublicPoint point_{};
};

}  // namespace hanse
