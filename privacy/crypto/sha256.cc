#include "privacy/crypto/sha256.h"

#include <algorithm>

#include "privacy/crypto/openssl.h"

namespace hanse::openssl {
namespace {

EVP_MD_CTX* held_context() {
  thread_local const DigestContext context = [] {
    const Hash sha(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    DigestContext made(EVP_MD_CTX_new());
    must(sha && made && EVP_DigestInit_ex2(made.get(), sha.get(), nullptr) == 1, "SHA-256 is there");
    return made;
  }();
  return context.get();
}

}  // namespace

void sha256_of(ByteView first, std::initializer_list<ByteView> parts, ByteView last,
               std::span<std::byte, 32> out) {
  EVP_MD_CTX* const context = held_context();
  const auto update = [&](ByteView part) {
    must(EVP_DigestUpdate(context, raw(part.data()), part.size()) == 1, "SHA-256 takes a message");
  };
  update(first);
  std::ranges::for_each(parts, update);
  update(last);
  // Starting anew overwrites the state, which is the hash: of a ratchet it would be the next key.
  must(EVP_DigestFinal_ex(context, raw(out.data()), nullptr) == 1 &&
           EVP_DigestInit_ex2(context, nullptr, nullptr) == 1,
       "SHA-256 gives a hash");
}

}  // namespace hanse::openssl
