#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace hanse {

/// The noise of a mechanism.
enum class NoiseLaw {
  gaussian,              ///< Continuous: reference values and planning.
  discrete_gaussian,     ///< Exact integers in any dimension: what Hanse releases.
  discrete_gaussian_1d,  ///< One integer of sensitivity `sensitivity_steps`: its own, slightly better curve.
};

/// What neighbouring data sets differ by.
enum class Adjacency {
  zero_out,     ///< One unit's contribution is replaced by zeros (same figures as add/remove).
  replace_one,  ///< One unit's contribution is replaced by another one: the sum moves by up to 2 clip norms.
};

/// What was released: `count` sums of one mechanism, with public population constants.
struct DpEvent {
  NoiseLaw noise = NoiseLaw::discrete_gaussian;
  double noise_multiplier = 0;  ///< Standard deviation over the clip norm of one unit; 0: without noise.
  double sampling_rate = 1;     ///< Poisson sampling of units by private coins; 1: every unit.
  std::uint64_t count = 1;
  /// K: the unit's contribution comes in K parts of norm at most clip norm / K, each with its own coin of
  /// `sampling_rate` (a customer of K merchants). Without sampling K makes no difference.
  std::uint32_t coins = 1;
  Adjacency adjacency = Adjacency::zero_out;
  /// The clip norm in steps of the integer grid; 0: unknown, and so fine that discrete noise is taken for
  /// continuous.
  double sensitivity_steps = 0;
};

/// Whether an event means anything: a finite multiplier >= 0, a rate in [0, 1], a coin, a grid. Whoever reads
/// events from a file or a peer asks this before accounting for them.
inline bool is_valid(const DpEvent& event) {
  const bool on_grid = event.noise != NoiseLaw::discrete_gaussian_1d ||
                       (event.sensitivity_steps >= 1 && event.coins == 1 &&
                        event.sensitivity_steps == std::floor(event.sensitivity_steps) &&
                        event.adjacency == Adjacency::zero_out);
  return std::isfinite(event.noise_multiplier) && event.noise_multiplier >= 0 && event.sampling_rate >= 0 &&
         event.sampling_rate <= 1 && event.coins >= 1 && std::isfinite(event.sensitivity_steps) &&
         event.sensitivity_steps >= 0 && on_grid;
}

/// Whether the event bounds no epsilon at all: something was released and nothing was added to it.
inline bool is_without_noise(const DpEvent& event) {
  return event.noise_multiplier == 0 && event.sampling_rate > 0 && event.count > 0;
}

/// Counts of releases add up to the largest number at most: none is forgotten by wrapping round.
inline std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return a > kMost - b ? kMost : a + b;
}

}  // namespace hanse
