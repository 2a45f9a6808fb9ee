#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "common/base/result.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/secret.h"

namespace hanse {

/// A public point of X25519 (RFC 7748).
using PublicPoint = std::array<std::byte, 32>;

/// A private key of X25519 with its point. Lives for one session, and its scalar is wiped with it.
class X25519Key {
 public:
  ~X25519Key();
  X25519Key(X25519Key&&) noexcept;
  X25519Key& operator=(X25519Key&&) noexcept;

  static X25519Key generate(SecureRandom& random);
  static X25519Key from_scalar(Secret<32> scalar);

  const PublicPoint& public_key() const { return point_; }
  /// The common secret with the owner of `peer`. Points of low order, which would give zeros, are refused.
  Result<Secret<32>> agree(const PublicPoint& peer) const;

 private:
  struct Handle;
  X25519Key();

  std::unique_ptr<Handle> handle_;  ///< Kept: to make it anew for each peer costs a second multiplication.
  PublicPoint point_{};
};

}  // namespace hanse
