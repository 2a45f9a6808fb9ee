#include "privacy/secure_sum/pair_keys.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>

#include "common/base/check.h"
#include "privacy/crypto/hkdf.h"

namespace hanse {
namespace {

template <class T>
ByteView field(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

Secret<32> wrapping_pad(const Secret<32>& u, std::uint32_t neighbour) {
  return hkdf_expand(u, {bytes_of("hanse/1 wrap"), field(neighbour)});
}

}  // namespace

Result<PairKeys> PairKeys::derive(const X25519Key& own, const PublicPoint& peer, const Digest& session_id,
                                  std::uint32_t own_id, std::uint32_t peer_id) {
  check(own_id != peer_id, "a pair has two merchants");
  const Result<Secret<32>> agreed = own.agree(peer);
  if (!agreed) {
    return agreed.error();
  }
  const bool own_is_low = own_id < peer_id;
  const std::uint32_t low = std::min(own_id, peer_id);
  const std::uint32_t high = std::max(own_id, peer_id);
  Secret<96> material;
  const auto parts = material.expose_for_writing();
  std::ranges::copy(agreed->expose(), parts.begin());
  std::ranges::copy(own_is_low ? own.public_key() : peer, parts.begin() + 32);
  std::ranges::copy(own_is_low ? peer : own.public_key(), parts.begin() + 64);
  const Secret<32> prk = hkdf_extract(session_id, material.expose());

  PairKeys keys;
  keys.chain_.key = hkdf_expand(prk, {bytes_of("hanse/1 chain"), field(low), field(high)});
  keys.sending_.key = hkdf_expand(prk, {bytes_of("hanse/1 share"), field(own_id), field(peer_id)});
  keys.receiving_.key = hkdf_expand(prk, {bytes_of("hanse/1 share"), field(peer_id), field(own_id)});
  keys.agreement_ = hkdf_expand(prk, {bytes_of("hanse/1 agree"), field(low), field(high)});
  return keys;
}

Secret<32> PairKeys::Ratchet::turn(std::uint64_t to, std::string_view label) {
  check(to >= round && to - round <= kSkipMax, "a ratchet only turns forward, and not too far");
  for (; round < to; ++round) {
    key = hkdf_expand(key, bytes_of("hanse/1 next"));
  }
  Secret<32> given = hkdf_expand(key, {bytes_of(label), field(to)});
  key = hkdf_expand(key, bytes_of("hanse/1 next"));
  ++round;
  return given;
}

Secret<32> edge_mask(const Secret<32>& seed, const Digest& context) {
  return hkdf_expand(seed, {bytes_of("hanse/1 mask"), context});
}

std::array<std::byte, 16> edge_fingerprint(const Secret<32>& seed, const Digest& context) {
  const Secret<32> code = hkdf_expand(seed, {bytes_of("hanse/1 edge"), context});
  std::array<std::byte, 16> fingerprint;
  std::copy_n(code.expose().begin(), fingerprint.size(), fingerprint.begin());
  return fingerprint;
}

Secret<32> self_mask(const Secret<32>& b, const Digest& context) {
  return hkdf_expand(b, {bytes_of("hanse/1 self"), context});
}

std::array<std::byte, 32> wrap_seed(const Secret<32>& seed, const Secret<32>& u, std::uint32_t neighbour) {
  const Secret<32> pad = wrapping_pad(u, neighbour);
  std::array<std::byte, 32> wrapped;
  std::ranges::transform(seed.expose(), pad.expose(), wrapped.begin(), std::bit_xor<>());
  return wrapped;
}

Secret<32> unwrap_seed(const std::array<std::byte, 32>& wrapped, const Secret<32>& u,
                       std::uint32_t neighbour) {
  const Secret<32> pad = wrapping_pad(u, neighbour);
  Secret<32> seed;
  std::ranges::transform(wrapped, pad.expose(), seed.expose_for_writing().begin(), std::bit_xor<>());
  return seed;
}

}  // namespace hanse
