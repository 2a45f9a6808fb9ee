#pragma once

#include <cstddef>
#include <cstdint>

namespace hanse {

/// Width of the ring Z/2^w in which sums are masked and added.
enum class Ring : std::uint8_t { bits32 = 32, bits64 = 64 };

/// Largest number of merchants in a roster: a constant, so that grids do not depend on who takes part.
inline constexpr std::uint64_t kMerchantsMax = 1u << 14;

/// The public constants of one private sum. All ranks derive the same, and the digest of their bytes goes into
/// the mask keys and the ledger's intent. From the grid on, everything is an integer:
///
///   step   gamma = clip_norm / 2^grid_bits,  a unit's vector is trunc(x / gamma), of norm at most D2 = 2^grid_bits;
///   noise  each merchant adds discrete Gaussian noise of variance share_variance (steps squared), so that any
///          shares_min of them carry sigma^2 >= shares_min * share_variance;
///   ring   units_max * kMerchantsMax * D2 + 12 sigma of all shares < 2^(w-1): no wrap is possible.
struct SumParameters {
  std::uint64_t length = 0;
  double clip_norm = 1;              ///< L2 bound of one unit.
  std::uint32_t grid_bits = 20;
  Ring ring = Ring::bits64;
  std::uint64_t units_max = 1;       ///< Public bound on the units of one merchant.
  std::uint64_t share_variance = 0;  ///< Steps squared; 0: released without noise.
  std::uint32_t shares_min = 1;      ///< Fewest merchants in an opened sum.

  double step() const;
  /// D2, in steps.
  std::uint64_t sensitivity() const { return std::uint64_t{1} << grid_bits; }
  /// Guaranteed noise standard deviation over sensitivity; 0 without noise.
  double noise_multiplier() const;
};

/// What the caller knows when it asks for parameters.
struct SumRequest {
  std::uint64_t length = 0;
  double clip_norm = 1;
  std::uint64_t units_max = 1;
  std::uint32_t merchants = 1;     ///< Invited; enters the headroom only through its bound kMerchantsMax.
  std::uint32_t shares_min = 1;
  double noise_multiplier = 0;     ///< Wished z = sigma / clip norm; 0: no noise.
  bool allow_ring32 = true;
};

/// Chooses grid and ring and proves the headroom. Throws bad_input with the nearest feasible setting when no ring
/// of 64 bits holds the sum.
SumParameters choose_parameters(const SumRequest& request);

}  // namespace hanse
