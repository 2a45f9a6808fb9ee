#include "privacy/crypto/hkdf.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>

#include "privacy/crypto/openssl.h"

namespace hanse {
namespace {

using openssl::must;
using openssl::raw;

constexpr std::array<std::byte, 1> kZero{};
constexpr std::array<std::byte, 1> kOne{std::byte{1}};

/// One context a thread, keyed anew for each message: fetching it costs more than a short HMAC.
EVP_MAC_CTX* mac_context() {
  thread_local const openssl::MacContext context = [] {
    const openssl::Mac mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    openssl::MacContext made(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    must(made && EVP_MAC_CTX_set_params(made.get(), parameters) == 1, "HMAC-SHA256 is there");
    return made;
  }();
  return context.get();
}

void rekey(ByteView key) {
  must(EVP_MAC_init(mac_context(), raw(key.data()), key.size(), nullptr) == 1, "HMAC takes a key");
}

void update(ByteView part) {
  must(EVP_MAC_update(mac_context(), raw(part.data()), part.size()) == 1, "HMAC takes a message");
}

/// The code of what was taken in. The context outlives the key: a key that everybody knows takes its place,
/// so that no ratchet that was turned on stays readable in it.
Secret<32> finish() {
  Secret<32> code;
  std::size_t length = 0;
  must(EVP_MAC_final(mac_context(), raw(code.expose_for_writing().data()), &length, 32) == 1 && length == 32,
       "HMAC gives a code");
  rekey(kZero);
  return code;
}

}  // namespace

Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  // An empty key means "keep the last one" to OpenSSL; a zero byte is the same key to HMAC.
  rekey(key.empty() ? ByteView(kZero) : key);
  std::ranges::for_each(parts, update);
  return finish();
}

Secret<32> hkdf_extract(ByteView salt, ByteView material) {
  return hmac_sha256(salt, {material});
}

Secret<32> hkdf_expand(const Secret<32>& key, std::initializer_list<ByteView> info) {
  rekey(key.expose());
  std::ranges::for_each(info, update);
  update(kOne);
  return finish();
}

}  // namespace hanse
