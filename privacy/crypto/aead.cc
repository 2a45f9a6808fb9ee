#include "privacy/crypto/aead.h"

#include <array>
#include <cstring>
#include <limits>

#include "privacy/crypto/openssl.h"

namespace hanse {
namespace {

using openssl::must;
using openssl::raw;

std::array<std::byte, 12> nonce_of(std::uint64_t counter) {
  std::array<std::byte, 12> nonce{};
  std::memcpy(nonce.data() + 4, &counter, sizeof counter);
  return nonce;
}

int length_of(ByteView bytes) {
  must(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()), "a box is below 2 GiB");
  return static_cast<int>(bytes.size());
}

const EVP_CIPHER* aes_256_gcm() {
  static const openssl::Cipher cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  must(cipher != nullptr, "AES-256-GCM is there");
  return cipher.get();
}

}  // namespace

Bytes aead_seal(const Secret<32>& key, std::uint64_t counter, ByteView associated, ByteView plain) {
  const openssl::CipherContext context(EVP_CIPHER_CTX_new());
  const auto nonce = nonce_of(counter);
  Bytes box(plain.size() + kAeadTagSize);
  int written = 0;
  must(context &&
           EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), raw(key.expose().data()), raw(nonce.data()),
                               nullptr) == 1 &&
           EVP_EncryptUpdate(context.get(), nullptr, &written, raw(associated.data()),
                             length_of(associated)) == 1 &&
           EVP_EncryptUpdate(context.get(), raw(box.data()), &written, raw(plain.data()), length_of(plain)) ==
               1 &&
           EVP_EncryptFinal_ex(context.get(), raw(box.data()) + written, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize,
                               box.data() + plain.size()) == 1,
       "AES-256-GCM seals");
  return box;
}

Result<Bytes> aead_open(const Secret<32>& key, std::uint64_t counter, ByteView associated, ByteView box) {
  if (box.size() < kAeadTagSize) {
    return Error{"a sealed box is cut short"};
  }
  const openssl::CipherContext context(EVP_CIPHER_CTX_new());
  const auto nonce = nonce_of(counter);
  const ByteView body = box.first(box.size() - kAeadTagSize);
  std::array<std::byte, kAeadTagSize> tag;
  std::memcpy(tag.data(), box.data() + body.size(), tag.size());
  Bytes plain(body.size());
  int written = 0;
  must(context &&
           EVP_DecryptInit_ex2(context.get(), aes_256_gcm(), raw(key.expose().data()), raw(nonce.data()),
                               nullptr) == 1 &&
           EVP_DecryptUpdate(context.get(), nullptr, &written, raw(associated.data()),
                             length_of(associated)) == 1 &&
           EVP_DecryptUpdate(context.get(), raw(plain.data()), &written, raw(body.data()), length_of(body)) ==
               1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) == 1,
       "AES-256-GCM opens");
  if (EVP_DecryptFinal_ex(context.get(), raw(plain.data()) + written, &written) != 1) {
    wipe(plain);
    ERR_clear_error();
    return Error{"a sealed box does not open: it was altered, or made with another key"};
  }
  return plain;
}

}  // namespace hanse
