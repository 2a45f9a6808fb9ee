#pragma once

#include <array>
#include <cstddef>

#include "common/base/secure_random.h"

namespace hanse {

/// The real SecureRandom: OpenSSL's private generator (RAND_priv_bytes), which is seeded by the kernel and
/// survives fork. Small requests are served from a buffer that is wiped as it is used. One object a thread.
class SystemRandom final : public SecureRandom {
 public:
  SystemRandom() = default;
  ~SystemRandom() override;
  SystemRandom(const SystemRandom&) = delete;
  SystemRandom& operator=(const SystemRandom&) = delete;

  void fill(std::span<std::byte> out) override;

 private:
  std::array<std::byte, 4096> buffer_{};
  std::size_t used_ = sizeof(buffer_);
  int process_ = 0;  ///< A forked child must not repeat its parent's buffer.
};

}  // namespace hanse
