#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "privacy/crypto/secret.h"
#include "privacy/secure_sum/sign.h"

namespace hanse {

/// Who makes the keystream: OpenSSL, or FusedMask where the processor can.
enum class MaskKernel { portable, fused };
MaskKernel fastest_mask_kernel();

/// All masks of one merchant in one round: with each neighbour one that cancels in the sum, and its own. A mask is the
/// AES-128-CTR keystream of a key (16 bytes) and a first counter block (16 bytes): entry i gets its bytes
/// [w i, w (i + 1)), little-endian, with w the bytes of an entry. Empty only when encryption is off.
class RoundMasks {
 public:
  struct Mask {
    Secret<32> key_and_iv;
    Sign sign;
  };
  RoundMasks() = default;
  explicit RoundMasks(std::vector<Mask> masks) : masks_(std::move(masks)) {}

  /// Adds all masks; chunk by chunk, so that the entries stay in the first-level cache.
  void add_to(std::span<std::uint32_t> entries, MaskKernel kernel = fastest_mask_kernel()) const;
  void add_to(std::span<std::uint64_t> entries, MaskKernel kernel = fastest_mask_kernel()) const;

 private:
  std::vector<Mask> masks_;
};

}  // namespace hanse
