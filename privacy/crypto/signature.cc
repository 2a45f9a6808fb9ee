#include "privacy/crypto/signature.h"

#include "privacy/crypto/openssl.h"

namespace hanse {

using openssl::must;
using openssl::raw;

SigningKey SigningKey::generate(SecureRandom& random) {
  Secret<32> seed;
  random.fill(seed.expose_for_writing());
  return from_seed(std::move(seed));
}

SigningKey SigningKey::from_seed(Secret<32> seed) {
  SigningKey key;
  key.seed_ = std::move(seed);
  const openssl::Pkey pkey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(key.seed_.expose().data()), 32));
  std::size_t length = key.public_key_.size();
  must(pkey && EVP_PKEY_get_raw_public_key(pkey.get(), raw(key.public_key_.data()), &length) == 1,
       "an Ed25519 seed gives a key");
  return key;
}

Signature SigningKey::sign(ByteView message) const {
  const openssl::Pkey pkey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed_.expose().data()), 32));
  const openssl::DigestContext context(EVP_MD_CTX_new());
  Signature signature;
  std::size_t length = signature.size();
  must(pkey && context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
           EVP_DigestSign(context.get(), raw(signature.data()), &length, raw(message.data()),
                          message.size()) == 1,
       "an Ed25519 key signs");
  return signature;
}

bool verify(const PublicKey& key, ByteView message, const Signature& signature) {
  const openssl::Pkey pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(key.data()), key.size()));
  const openssl::DigestContext context(EVP_MD_CTX_new());
  must(context != nullptr, "a digest context is allocated");
  const bool holds = pkey &&
                     EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
                     EVP_DigestVerify(context.get(), raw(signature.data()), signature.size(),
                                      raw(message.data()), message.size()) == 1;
  ERR_clear_error();
  return holds;
}

}  // namespace hanse
