#pragma once

#include <cstdint>

namespace hanse {

/// The noise of a mechanism.
enum class NoiseLaw {
  gaussian,           ///< Continuous: reference values and planning.
  discrete_gaussian,  ///< Exact integers: what Hanse releases.
};

/// What was released: `count` sums of one mechanism. Zero-out adjacency with public population constants, whose
/// Gaussian and Poisson-sampled figures are those of add/remove (differential-privacy.md, 5).
struct DpEvent {
  NoiseLaw noise = NoiseLaw::discrete_gaussian;
  double noise_multiplier = 0;  ///< Standard deviation over L2 sensitivity; 0: released without noise.
  double sampling_rate = 1;     ///< Poisson sampling of units by private coins; 1: every unit.
  std::uint64_t count = 1;
};

}  // namespace hanse
