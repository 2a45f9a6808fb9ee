#pragma once

#include <algorithm>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "privacy/crypto/read_hex.h"
#include "privacy/crypto/secret.h"

namespace hanse {

/// The bytes that a test vector writes in hexadecimal digits.
inline Bytes from_hex(std::string_view digits) {
  Bytes bytes(digits.size() / 2);
  check(read_hex(digits, bytes), "a vector is hexadecimal");
  return bytes;
}

template <std::size_t N>
std::array<std::byte, N> array_from_hex(std::string_view digits) {
  std::array<std::byte, N> bytes{};
  check(read_hex(digits, bytes), "a vector is hexadecimal and of this size");
  return bytes;
}

inline Secret<32> secret_from_hex(std::string_view digits) {
  Secret<32> secret;
  check(read_hex(digits, secret.expose_for_writing()), "a vector is hexadecimal and of this size");
  return secret;
}

}  // namespace hanse
