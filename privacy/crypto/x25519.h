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

/// A private key of X25519 with its point. Lives for one session. OpenSSL holds the scalar, in memory that it wipes:
/// handing it over anew for each agreement would compute the point again, as much work as the agreement itself.
class X25519Key {
 public:
  static X25519Key generate(SecureRandom& random);
  static X25519Key from_scalar(Secret<32> scalar);
  ~X25519Key();
  X25519Key(X25519Key&&) noexcept;
  X25519Key& operator=(X25519Key&&) noexcept;

  const PublicPoint& public_key() const { return point_; }
  /// The common secret with the owner of `peer`. Points of low order, which would give zeros, are refused.
  Result<Secret<32>> agree(const PublicPoint& peer) const;

 private:
  struct Handle;
  X25519Key();

  std::unique_ptr<Handle> handle_;
  PublicPoint point_{};
};

}  // namespace hanse
