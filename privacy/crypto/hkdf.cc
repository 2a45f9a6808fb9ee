#include "privacy/crypto/hkdf.h"

#include <openssl/core_names.h>

#include <array>

#include "privacy/crypto/openssl.h"

namespace hanse {
namespace {

using openssl::must;
using openssl::raw;

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

}  // namespace

Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  // An empty key means "keep the last one" to OpenSSL; a zero byte is the same key to HMAC.
  constexpr std::byte zero{};
  const ByteView given = key.empty() ? ByteView(&zero, 1) : key;
  EVP_MAC_CTX* context = mac_context();
  must(EVP_MAC_init(context, raw(given.data()), given.size(), nullptr) == 1, "HMAC takes a key");
  for (const ByteView part : parts) {
    must(EVP_MAC_update(context, raw(part.data()), part.size()) == 1, "HMAC takes a message");
  }
  Secret<32> code;
  std::size_t length = 0;
  must(EVP_MAC_final(context, raw(code.expose_for_writing().data()), &length, 32) == 1 && length == 32,
       "HMAC gives a code");
  return code;
}

Secret<32> hkdf_extract(ByteView salt, ByteView material) {
  return hmac_sha256(salt, {material});
}

Secret<32> hkdf_expand(const Secret<32>& key, std::initializer_list<ByteView> info) {
  Bytes joined;
  for (const ByteView part : info) {
    joined.insert(joined.end(), part.begin(), part.end());
  }
  constexpr std::byte one{1};
  return hmac_sha256(key.expose(), {joined, ByteView(&one, 1)});
}

}  // namespace hanse
