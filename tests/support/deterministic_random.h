#pragma once

#include "common/base/secure_random.h"
#include "common/base/seeded_generator.h"

namespace hanse {

/// A SecureRandom that repeats itself, so that whole federations are functions of a seed. Lives with the tests:
/// no product can reach it.
class DeterministicSecureRandom final : public SecureRandom {
 public:
  explicit DeterministicSecureRandom(std::uint64_t seed) : generator_({0x7465737473, seed}) {}
  void fill(std::span<std::byte> out) override {
    for (std::byte& byte : out) {
      byte = static_cast<std::byte>(generator_() >> 56);
    }
  }

 private:
  SeededGenerator generator_;
};

}  // namespace hanse
