#include "privacy/crypto/keystream.h"

#include <algorithm>
#include <array>

#include "privacy/crypto/openssl.h"

namespace hanse {
namespace {

using openssl::must;
using openssl::raw;

constexpr std::size_t kChunk = 8192;
// Counter mode adds the stream to its input; the stream itself is the encryption of zeros.
constexpr std::array<std::byte, kChunk> kZeros{};

}  // namespace

struct Keystream::Context {
  openssl::CipherContext cipher;
};

Keystream::Keystream(const Secret<32>& key_and_iv) : context_(std::make_unique<Context>()) {
  static const openssl::Cipher aes(EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr));
  context_->cipher.reset(EVP_CIPHER_CTX_new());
  const unsigned char* bytes = raw(key_and_iv.expose().data());
  must(aes && context_->cipher &&
           EVP_EncryptInit_ex2(context_->cipher.get(), aes.get(), bytes, bytes + 16, nullptr) == 1,
       "AES-128-CTR is there");
}

Keystream::~Keystream() = default;
Keystream::Keystream(Keystream&&) noexcept = default;
Keystream& Keystream::operator=(Keystream&&) noexcept = default;

void Keystream::next(std::span<std::byte> out) {
  while (!out.empty()) {
    const std::size_t count = std::min(out.size(), kChunk);
    int written = 0;
    must(EVP_EncryptUpdate(context_->cipher.get(), raw(out.data()), &written, raw(kZeros.data()),
                           static_cast<int>(count)) == 1,
         "AES-128-CTR runs");
    out = out.subspan(count);
  }
}

}  // namespace hanse
