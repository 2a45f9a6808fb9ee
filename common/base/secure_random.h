#pragma once

#include <cstddef>
#include <span>

namespace hanse {

/// The only door for numbers that nobody may guess: noise, masks, keys, private sampling coins. The real one is
/// privacy/crypto/system_random; a deterministic one lives in tests/support and cannot be linked into a product.
class SecureRandom {
 public:
  virtual ~SecureRandom() = default;
  /// Fills `out` with uniform bytes; a generator that fails ends the process rather than the secrecy.
  virtual void fill(std::span<std::byte> out) = 0;
};

}  // namespace hanse
