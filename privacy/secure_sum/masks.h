#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "privacy/crypto/secret.h"

namespace hanse {

/// Adds (or subtracts) the AES-128-CTR keystream of `key_and_iv` (key 16 bytes, IV 16 bytes) to ring
/// elements: entry i gets bytes [w i, w (i + 1)) of the stream, little-endian.
enum class Sign { plus, minus };
void add_keystream(const Secret<32>& key_and_iv, Sign sign, std::span<std::uint32_t> entries);
void add_keystream(const Secret<32>& key_and_iv, Sign sign, std::span<std::uint64_t> entries);

/// All masks of one merchant in one round: with each neighbour one that cancels in the sum (the lower id
/// adds, the higher subtracts), and its own. Empty only when encryption is off.
class RoundMasks {
 public:
  struct Mask {
    Secret<32> key_and_iv;
    Sign sign;
  };
  RoundMasks() = default;
  explicit RoundMasks(std::vector<Mask> masks) : masks_(std::move(masks)) {}

  /// Adds all masks; chunk by chunk, so that the entries stay in the first-level cache.
  void add_to(std::span<std::uint32_t> entries) const;
  void add_to(std::span<std::uint64_t> entries) const;

 private:
  std::vector<Mask> masks_;
};

}  // namespace hanse
