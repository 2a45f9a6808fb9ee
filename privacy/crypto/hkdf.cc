#include "privacy/crypto/hkdf.h"

#include <algorithm>
#include <array>

#include "privacy/crypto/digest.h"
#include "privacy/crypto/sha256.h"

namespace hanse {
namespace {

constexpr std::size_t kBlock = 64;  // Bytes that SHA-256 takes in at a time.
constexpr std::array<std::byte, 1> kOne{std::byte{1}};

/// The key, filled up with zeros to a block, each byte xor `pad`.
Secret<kBlock> padded(ByteView key, std::byte pad) {
  Secret<kBlock> block;
  const auto bytes = block.expose_for_writing();
  std::ranges::copy(key, bytes.begin());
  for (std::byte& byte : bytes) {
    byte ^= pad;
  }
  return block;
}

/// HMAC of the parts and then `last`: H(key xor opad, H(key xor ipad, message)). Written out over SHA-256, because
/// OpenSSL's own takes four times as long to take a key, be asked once, and forget it.
Secret<32> hmac(ByteView key, std::initializer_list<ByteView> parts, ByteView last) {
  Digest short_key{};
  if (key.size() > kBlock) {
    short_key = sha256(key);
    key = short_key;
  }
  Secret<32> code;
  const auto out = code.expose_for_writing();
  openssl::sha256_of(padded(key, std::byte{0x36}).expose(), parts, last, out);
  openssl::sha256_of(padded(key, std::byte{0x5c}).expose(), {out}, {}, out);
  wipe(short_key);
  return code;
}

}  // namespace

Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  return hmac(key, parts, {});
}

Secret<32> hkdf_extract(ByteView salt, ByteView material) {
  return hmac(salt, {material}, {});
}

Secret<32> hkdf_expand(const Secret<32>& key, std::initializer_list<ByteView> info) {
  return hmac(key.expose(), info, kOne);
}

}  // namespace hanse
