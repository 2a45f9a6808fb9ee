#include "privacy/crypto/digest.h"

#include "privacy/crypto/sha256.h"

namespace hanse {

Digest sha256(ByteView bytes) {
  Digest digest;
  openssl::sha256_of(bytes, {}, {}, digest);
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

std::optional<Digest> digest_from_hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  Digest digest{};
  if (text.size() != 2 * digest.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t value = digits.find(text[i]);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    digest[i / 2] |= static_cast<std::byte>(i % 2 == 0 ? value << 4 : value);
  }
  return digest;
}

}  // namespace hanse
