#pragma once

#include <cstddef>
#include <cstdint>

namespace hanse {

/// Width of the ring Z/2^w in which sums are masked and added.
enum class Ring : std::uint8_t { bits32 = 32, bits64 = 64 };

/// Largest number of merchants in a roster: a constant, so that grids do not depend on who takes part.
inline constexpr std::uint64_t kMerchantsMax = 1u << 14;

/// Whether a number can be a clip norm: between 1e-100 and 1e100, so that no grid's step vanishes or overflows.
bool is_clip_norm(double value);

/// The public constants of one private sum. All ranks derive the same, and the digest of their bytes goes
/// into the mask keys and the ledger's intent. From the grid on, everything is an integer:
///
///   step   gamma = clip_norm / D2 with D2 = 2^grid_bits; a unit's vector is trunc(x / gamma), of norm at most D2;
///   noise  each merchant adds discrete Gaussian noise of variance share_variance (steps squared), so that any
///          shares_min of them carry sigma^2 >= shares_min * share_variance;
///   ring   merchants_max * (gain * units_max * D2 + noise_bound) < 2^(w-1): no wrap is possible, see sum_bound().
struct SumParameters {
  std::uint64_t length = 0;
  double clip_norm = 1;  ///< L2 bound of one unit.
  std::uint32_t grid_bits = 20;
  Ring ring = Ring::bits64;
  std::uint64_t units_max = 1;       ///< Public bound on the units of one merchant.
  std::uint64_t share_variance = 0;  ///< Steps squared; 0: released without noise.
  std::uint32_t shares_min = 1;      ///< Fewest merchants in an opened sum.
  std::uint32_t merchants_max = 1;   ///< Merchants of the roster.
  std::uint32_t merchants_per_unit =
      1;  ///< K: merchants at which one unit may appear; each clips to clip_norm / K.
  std::uint32_t gain =
      1;  ///< Of a sum with parts of earlier ones in it: gain_of() its coefficients (privacy/accounting/turns.h).

  friend bool operator==(const SumParameters&, const SumParameters&) = default;

  double step() const;
  /// D2, in steps: what one unit changes the sum by, at all its merchants together.
  std::uint64_t sensitivity() const { return std::uint64_t{1} << grid_bits; }
  /// L2 bound of one unit's vector at one merchant: clip_norm / K.
  double local_clip_norm() const { return clip_norm / merchants_per_unit; }
  /// Guaranteed noise standard deviation over sensitivity, sqrt(shares_min * share_variance) / D2; 0 without
  /// noise.
  double noise_multiplier() const;
  /// True when sum_bound() is below 2^63: always, but for parameters that a peer made up.
  bool has_headroom() const;
  /// Largest magnitude an entry of an honest total can have: merchants_max * gain * units_max * D2 + 12 standard
  /// deviations of all noise shares together. A discrete Gaussian passes 12 sigma with probability below
  /// 2^-103.
  std::uint64_t sum_bound() const;
  /// The same of one merchant's own entry: gain * units_max * D2 + 12 standard deviations of its noise share.
  std::uint64_t merchant_bound() const;
};

/// What the caller knows when it asks for parameters.
struct SumRequest {
  std::uint64_t length = 0;
  double clip_norm = 1;
  std::uint64_t units_max = 1;
  std::uint32_t merchants = 1;  ///< Merchants of the roster.
  std::uint32_t shares_min = 1;
  std::uint32_t collusion =
      0;  ///< Of these shares so many may be known: the others alone reach the wished noise.
  std::uint32_t merchants_per_unit = 1;
  double noise_multiplier = 0;  ///< Wished z = sigma / clip norm; 0: no noise.
  std::uint32_t gain = 1;
  enum class RingWish { automatic, bits32, bits64 } ring = RingWish::automatic;
};

/// Chooses grid and ring and proves the headroom.
///
/// With noise the grid has 20 bits (spec: truncation is far below the noise, and 128-bit arithmetic of the
/// sampler is exact), fewer only for noise multipliers beyond 2^11. Without noise the grid is as fine as 64
/// bits allow for kMerchantsMax merchants of units_max units and the gain, so that it depends on no split. The narrower
/// ring is taken whenever it holds the sum; a wished ring of 32 bits makes the grid coarser, down to 8 bits.
/// Throws bad_input naming the key to change when nothing fits.
SumParameters choose_parameters(const SumRequest& request);

}  // namespace hanse
