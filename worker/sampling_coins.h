#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/secure_random.h"
#include "privacy/crypto/secret.h"
#include "privacy/sampling_coin.h"

namespace hanse {

/// Poisson sampling: a coin for each unit, which shows heads with probability `rate`, whatever the others show. The number
/// of units that take part is itself random and is told to nobody.
///
/// A merchant makes its own coins in each round, from its own secure randomness, and forgets them: a customer of three
/// merchants has three independent coins. No key is shared from which somebody could compute them, so sampling hides a unit
/// from everybody but its own merchant. With weights 1 / K a customer at K merchants then moves a sum by D2 j / K with j
/// binomial in (K, rate), whose Renyi divergences of integer orders are at most those of D2 with probability `rate`: the
/// moments of the privacy loss are convex in each merchant's part, and among parts in [0, 1] of one mean the coin of 0 and
/// 1 has the largest. Whole privacy loss distributions are not ordered so; DpEvent::coins is for them.
class SamplingCoins {
 public:
  SamplingCoins(double rate, SecureRandom& random) : random_(random), rate_(rate) {}

  ~SamplingCoins() { wipe(std::as_writable_bytes(std::span(coins_))); }
  SamplingCoins(const SamplingCoins&) = delete;
  SamplingCoins& operator=(const SamplingCoins&) = delete;

  /// The next unit's coin. Exact but for the rounding of `rate` down to a multiple of 2^-63.
  bool next_takes_part() {
    if (at_ == coins_.size()) {
      random_.fill(std::as_writable_bytes(std::span(coins_)));
      at_ = 0;
    }
    return takes_part(rate_, coins_[at_++]);
  }

 private:
  SecureRandom& random_;
  double rate_;
  std::array<std::uint64_t, 32> coins_{};
  std::size_t at_ = coins_.size();
};

}  // namespace hanse
