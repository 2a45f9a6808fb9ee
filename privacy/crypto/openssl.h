#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

#include "common/base/check.h"

// Owners of OpenSSL handles. Included by .cc files of this folder only: no OpenSSL type shows in a header.
namespace hanse::openssl {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

using Pkey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER, Freer<EVP_CIPHER_free>>;
using Hash = std::unique_ptr<EVP_MD, Freer<EVP_MD_free>>;

/// A call that fails only when memory or the library itself does.
inline void must(bool success, const char* what) {
  if (!success) {
    ERR_clear_error();
    check(false, what);
  }
}

inline const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
inline unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

}  // namespace hanse::openssl
