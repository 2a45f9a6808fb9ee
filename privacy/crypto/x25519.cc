#include "privacy/crypto/x25519.h"

#include "privacy/crypto/openssl.h"

namespace hanse {

using openssl::must;
using openssl::raw;

struct X25519Key::Handle {
  openssl::Pkey key;
};

X25519Key::X25519Key() : handle_(std::make_unique<Handle>()) {}
X25519Key::~X25519Key() = default;
X25519Key::X25519Key(X25519Key&&) noexcept = default;
X25519Key& X25519Key::operator=(X25519Key&&) noexcept = default;

X25519Key X25519Key::generate(SecureRandom& random) {
  Secret<32> scalar;
  random.fill(scalar.expose_for_writing());
  return from_scalar(std::move(scalar));
}

X25519Key X25519Key::from_scalar(Secret<32> scalar) {
  X25519Key key;
  EVP_PKEY* const pkey =
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, raw(scalar.expose().data()), 32);
  key.handle_->key.reset(pkey);
  std::size_t length = key.point_.size();
  must(pkey != nullptr && EVP_PKEY_get_raw_public_key(pkey, raw(key.point_.data()), &length) == 1,
       "an X25519 scalar gives a point");
  return key;
}

Result<Secret<32>> X25519Key::agree(const PublicPoint& peer) const {
  EVP_PKEY* const own = handle_->key.get();
  const openssl::Pkey other(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, raw(peer.data()), peer.size()));
  must(own != nullptr && other, "X25519 keys are allocated");
  const openssl::PkeyContext context(EVP_PKEY_CTX_new(own, nullptr));
  Secret<32> shared;
  std::size_t length = 32;
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1 ||
      EVP_PKEY_derive(context.get(), raw(shared.expose_for_writing().data()), &length) != 1 || length != 32 ||
      shared == Secret<32>()) {
    ERR_clear_error();
    return Error{"an X25519 key is of low order or invalid"};
  }
  return shared;
}

}  // namespace hanse
