#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "privacy/crypto/secret.h"

namespace hanse {

/// The keystream of AES-128 in counter mode (NIST SP 800-38A) of a 16-byte key and a 16-byte initial counter
/// block.
class Keystream {
 public:
  explicit Keystream(const Secret<32>& key_and_iv);
  ~Keystream();
  Keystream(Keystream&&) noexcept;
  Keystream& operator=(Keystream&&) noexcept;

  /// The next out.size() bytes.
  void next(std::span<std::byte> out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace hanse
