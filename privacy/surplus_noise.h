#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/base/secure_random.h"
#include "privacy/crypto/secret.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// Noise that is drawn for the merchants that may drop out, and taken out of the sum when they did not (add, then
/// remove: Jiang, Wang, Chen 2024, "Dordis: efficient federated learning with dropout-resilient differential privacy",
/// EuroSys). Only with privacy.remove_surplus_noise.
///
/// Shares must carry V = (shares_min - c) share_variance even when only shares_min merchants, c of them colluding, are in
/// a sum. With u merchants in it, V / (u - c) a share would do. So a share is drawn as independent parts:
///
///   left(u)   what stays of a share with u merchants in the sum: an integer, at least V / (u - c) and the less the larger u;
///             left(shares_min) = share_variance
///   base      variance left(r), from fresh randomness that nobody is ever told; r participants got the START
///   rung m    variance left(m) - left(m + 1), for m = r - 1 down to shares_min: needed while no more than m merchants are in
///             the sum, surplus from m + 1 on
///
/// Once u is agreed upon, rungs u - 1 and below are opened for each merchant in the sum, and taken out of it. Rungs u and
/// above, and the base, stay secret for ever. What is charged to the budget is V, as without removal.
struct NoiseLadder {
  std::uint64_t share_variance = 0;  ///< Steps squared.
  std::uint32_t shares_min = 1;
  std::uint32_t collusion = 0;  ///< c, less than shares_min.

  /// Variance that stays in each share with `merchants` >= shares_min in the sum: (merchants - c) left >= V, exactly.
  /// A rung that would be finer than kRungVarianceMin is none: what is above it stays.
  std::uint64_t left(std::uint32_t merchants) const;

  friend bool operator==(const NoiseLadder&, const NoiseLadder&) = default;
};

/// Smallest variance of a part, in steps squared: sums of parts are then as close to a discrete Gaussian as sums of shares
/// (kShareVarianceMin, privacy/ledger/ledger_state.h).
inline constexpr std::uint64_t kRungVarianceMin = 64;

/// The key of a rung. The noise of the rung is expanded from it, and so is the key of the rung below, but never that of a
/// rung above: whoever is told the key of rung m knows the parts m and below, and nothing of the others (HKDF-Expand is
/// a pseudorandom function). So one key a merchant is opened a round, and no two of them make a third.
///
///   key of m - 1   E(key of m; "hanse/1 lower rung")
///   noise of m     the exact sampler on the AES keystream of E(key of m; "hanse/1 surplus noise")
struct RungKey {
  std::uint32_t rung = 0;
  Secret<32> key;

  static RungKey fresh(std::uint32_t rung, SecureRandom& random);
  RungKey below() const;
  /// The key of a rung at or below this one (check).
  RungKey at(std::uint32_t lower) const;
};

/// Adds to `entries` the parts of the key's rung and of all below it: what makes the difference between left(shares_min)
/// and left(rung + 1). The same integers at the merchant that draws them and at the coordinator that takes them out.
void add_rungs(const RungKey& top, const NoiseLadder& ladder, std::span<std::int64_t> entries);

/// The rung that is opened of every merchant in a sum of `included`, or none: nothing is too much.
std::optional<std::uint32_t> rung_to_open(const SumParameters& parameters, std::uint32_t included);

/// What was taken out of an opened sum, for its release.
struct SurplusRemoval {
  std::uint64_t left = 0;  ///< left(merchants in the sum): the variance of each share without its surplus.
  std::uint32_t rungs_from = 0;          ///< The rungs that were surplus: from shares_min
  std::uint32_t rungs_to = 0;            ///< to one below the number of merchants.
  std::vector<std::uint32_t> merchants;  ///< Whose surplus is out, increasing; the others' stayed in.
  friend bool operator==(const SurplusRemoval&, const SurplusRemoval&) = default;
};

}  // namespace hanse
