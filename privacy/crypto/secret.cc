#include "privacy/crypto/secret.h"

#include <openssl/crypto.h>

namespace hanse {

void wipe(std::span<std::byte> memory) {
  if (!memory.empty()) {
    OPENSSL_cleanse(memory.data(), memory.size());
  }
}

bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace hanse
