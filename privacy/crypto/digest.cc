#include "privacy/crypto/digest.h"

#include <openssl/sha.h>

#include "privacy/crypto/openssl.h"

namespace hanse {

Digest sha256(ByteView bytes) {
  Digest digest;
  openssl::must(SHA256(openssl::raw(bytes.data()), bytes.size(), openssl::raw(digest.data())) != nullptr,
                "SHA-256 works");
  return digest;
}

std::string hex(ByteView bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text.push_back(digits[std::to_integer<unsigned>(byte) >> 4]);
    text.push_back(digits[std::to_integer<unsigned>(byte) & 15]);
  }
  return text;
}

}  // namespace hanse
