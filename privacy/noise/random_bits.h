#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "common/base/secure_random.h"
#include "privacy/crypto/keystream.h"
#include "privacy/crypto/secret.h"

namespace hanse {

__extension__ using Uint128 = unsigned __int128;

/// Uniform integers from a SecureRandom, fetched in chunks because one call a number would cost more than the
/// number. A job of more than a chunk takes a key of its own from the SecureRandom and goes on with that key's AES
/// keystream, which costs a fraction of a nanosecond a byte. Wiped when it dies.
class RandomBits {
 public:
  /// `expected_bytes` keeps a small job from fetching a whole chunk.
  RandomBits(SecureRandom& random, std::size_t expected_bytes)
      : random_(random), chunk_(std::clamp<std::size_t>(expected_bytes, 64, bytes_.size())), at_(chunk_) {
    if (expected_bytes > bytes_.size()) {
      Secret<32> key;
      random_.fill(key.expose_for_writing());
      stream_.emplace(key);
    }
  }
  ~RandomBits() { wipe(bytes_); }
  RandomBits(const RandomBits&) = delete;
  RandomBits& operator=(const RandomBits&) = delete;

  /// Uniform over all values of the unsigned integer U.
  template <typename U>
  U next() {
    if (chunk_ - at_ < sizeof(U)) [[unlikely]] {
      refill();
    }
    U value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(U));
    at_ += sizeof(U);
    return value;
  }

  /// Uniform over 0 ... bound - 1, exactly (Lemire 2019: the rare overrepresented products are drawn again).
  std::uint64_t below(std::uint64_t bound) {
    if (bound <= 0x1'0000) {
      return below_with<std::uint32_t, std::uint64_t>(bound);
    }
    return below_with<std::uint64_t, Uint128>(bound);
  }

 private:
  [[gnu::noinline]] void refill() {
    const std::span<std::byte> chunk = std::span(bytes_).first(chunk_);
    if (stream_) {
      stream_->next(chunk);
    } else {
      random_.fill(chunk);
    }
    at_ = 0;
  }

  template <typename U, typename Wide>
  std::uint64_t below_with(std::uint64_t bound) {
    constexpr unsigned kBits = 8 * sizeof(U);
    const U narrow = static_cast<U>(bound);
    Wide product = static_cast<Wide>(next<U>()) * narrow;
    if (static_cast<U>(product) < narrow) [[unlikely]] {
      const U surplus = static_cast<U>(static_cast<U>(U{0} - narrow) % narrow);  // 2^kBits mod bound
      while (static_cast<U>(product) < surplus) {
        product = static_cast<Wide>(next<U>()) * narrow;
      }
    }
    return static_cast<std::uint64_t>(product >> kBits);
  }

  SecureRandom& random_;
  std::optional<Keystream> stream_;
  std::array<std::byte, 8192> bytes_{};
  std::size_t chunk_;
  std::size_t at_;
};

}  // namespace hanse
