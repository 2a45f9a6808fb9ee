#pragma once

#include <cstdint>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "privacy/crypto/secret.h"

namespace hanse {

inline constexpr std::size_t kAeadTagSize = 16;

/// AES-256-GCM (NIST SP 800-38D) with the 96-bit nonce 0 || counter (little-endian in the last 8 bytes). A
/// pair of key and counter must never seal twice: callers count, or use one key for one message.
Bytes aead_seal(const Secret<32>& key, std::uint64_t counter, ByteView associated, ByteView plain);
/// What was sealed, or an error that tells nothing more; no byte is given before the tag holds.
Result<Bytes> aead_open(const Secret<32>& key, std::uint64_t counter, ByteView associated, ByteView box);

}  // namespace hanse
