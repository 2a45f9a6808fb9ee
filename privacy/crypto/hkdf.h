#pragma once

#include <initializer_list>

#include "common/base/bytes.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/secret.h"

namespace hanse {

/// HMAC-SHA256 (RFC 2104) of the parts one after the other.
Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);
inline Secret<32> hmac_sha256(ByteView key, ByteView message) {
  return hmac_sha256(key, {message});
}

/// HKDF-Extract with SHA-256 (RFC 5869): a key from uneven material.
Secret<32> hkdf_extract(ByteView salt, ByteView material);
/// HKDF-Expand to 32 bytes: one HMAC of the info parts, one after the other, and the byte 1. Every key of the
/// protocol is made by this call, with its own label first (privacy/secure_sum/pair_keys.h).
Secret<32> hkdf_expand(const Secret<32>& key, std::initializer_list<ByteView> info);
inline Secret<32> hkdf_expand(const Secret<32>& key, ByteView info) {
  return hkdf_expand(key, {info});
}

}  // namespace hanse
