#pragma once

#include <initializer_list>
#include <span>

#include "common/base/bytes.h"

// Included by .cc files of this folder only; everyone else asks digest.h and hkdf.h.
namespace hanse::openssl {

/// SHA-256 of `first`, then `parts`, then `last`. The context is kept from call to call, since fetching one costs more
/// than hashing a short message, but nothing of the message or of its hash stays in it.
void sha256_of(ByteView first, std::initializer_list<ByteView> parts, ByteView last,
               std::span<std::byte, 32> out);

}  // namespace hanse::openssl
