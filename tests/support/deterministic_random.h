#pragma once

#include <functional>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/secure_random.h"
#include "common/base/seeded_generator.h"

namespace hanse {

/// A SecureRandom that repeats itself, so that whole federations are functions of a seed. Lives with the tests:
/// no product can reach it.
class DeterministicSecureRandom final : public SecureRandom {
 public:
  /// `see` is shown all that is drawn.
  explicit DeterministicSecureRandom(std::uint64_t seed, std::function<void(ByteView)> see = nullptr)
      : generator_({0x7465737473, seed}), see_(std::move(see)) {}
  void fill(std::span<std::byte> out) override {
    for (std::byte& byte : out) {
      byte = static_cast<std::byte>(generator_() >> 56);
    }
    if (see_) {
      see_(out);
    }
  }

 private:
  SeededGenerator generator_;
  std::function<void(ByteView)> see_;
};

}  // namespace hanse
