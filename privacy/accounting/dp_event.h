#pragma once

#include <cmath>
#include <cstdint>

namespace hanse {

/// The noise of a mechanism.
enum class NoiseLaw {
  gaussian,           ///< Continuous: reference values and planning.
  discrete_gaussian,  ///< Exact integers: what Hanse releases.
};

/// What was released: `count` sums of one mechanism. Zero-out adjacency with public population constants,
/// whose Gaussian and Poisson-sampled figures are those of add/remove.
struct DpEvent {
  NoiseLaw noise = NoiseLaw::discrete_gaussian;
  double noise_multiplier = 0;  ///< Standard deviation over L2 sensitivity; 0: released without noise.
  double sampling_rate = 1;     ///< Poisson sampling of units by private coins; 1: every unit.
  std::uint64_t count = 1;
};

/// Whether an event means anything: a finite multiplier >= 0 and a rate in [0, 1]. Whoever reads events from
/// a file or a peer asks this before accounting for them.
inline bool is_valid(const DpEvent& event) {
  return std::isfinite(event.noise_multiplier) && event.noise_multiplier >= 0 && event.sampling_rate >= 0 &&
         event.sampling_rate <= 1;
}

/// Whether the event bounds no epsilon at all: something was released and nothing was added to it.
inline bool is_without_noise(const DpEvent& event) {
  return event.noise_multiplier == 0 && event.sampling_rate > 0 && event.count > 0;
}

}  // namespace hanse
