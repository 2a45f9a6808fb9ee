#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "privacy/accounting/dp_event.h"

namespace hanse {

/// What the two ends of a bracket may be off by, in epsilon. Each is a bound, not an estimate, and all of
/// them are inside the bracket.
struct EpsilonErrors {
  double discretisation = 0;  ///< The grid of privacy losses: what is left of upper - lower.
  double aliasing = 0;        ///< Losses outside the window, folded into it (Chernoff).
  double round_off = 0;       ///< Double precision: cell masses, Fourier transform, powers.
  double truncation = 0;      ///< Losses beyond the grid, counted as infinite.
};

/// lower <= epsilon <= upper, where epsilon is the smallest at which the composition is (epsilon, delta)-DP.
/// Claim `upper`.
struct EpsilonBracket {
  double lower = 0;
  double upper = 0;  ///< Infinite when something was released without noise.
  EpsilonErrors errors = {};
  double grid_step = 0;         ///< h, in nats; 0: a closed form.
  std::uint64_t points = 0;     ///< N, points of the Fourier transform.
  double tilt = 0;              ///< theta.
  bool adds = false;            ///< The worse direction: the unit is in the second of the data sets compared.
  bool gaussian_limit = false;  ///< Some discrete noise was of an unknown grid and taken for continuous.
};

/// How narrow a bracket is wished: upper - lower <= max(absolute, relative * epsilon) but for tiny epsilon,
/// where the width follows epsilon down. A finer wish costs time as one over its square root.
struct PldPrecision {
  double absolute = 5e-4;
  double relative = 1e-5;
  bool closed_form =
      true;  ///< false: composes unsampled Gaussian noise on the grid as well, to test the grid.
};

/// Adds up releases by their privacy loss distributions, like RdpAccountant by Renyi divergences and a few
/// per cent tighter. For parameters fixed in advance (a plan); outside a plan only RdpAccountant is a filter.
///
/// Let (P, Q) be the outputs on neighbouring data sets that dominate an event's, L = log dP/dQ under P. Then
///   delta(epsilon) = E (1 - exp(epsilon - L_1 - ... - L_T))+ .
/// 1. Each L is moved to the grid h Z twice. Upwards by connecting the dots (Doroshenko et al. 2022): the
///    measures P and Q of a cell go to its two ends such that both are kept, so the curve delta(epsilon)
///    becomes its chords. Downwards by seeing neighbouring outputs as one, in groups whose odds P / Q lie on the
///    grid: whoever sees less tells less (GridLaws). Both keep P and Q, so they err by O(T h^2), and by Blackwell's
///    theorem the order of the three curves survives composition.
/// 2. The sum's law is the product of the Fourier transforms of N points, each tilted by exp(theta x) / M(theta)
///    with theta at the saddle point of delta, so that the mass lies around epsilon, and window and round-off are
///    errors relative to delta. Equal events are powers. delta(epsilon) is read off the spectrum: the payoff's
///    transform is a geometric sum (TiltedSum). One release alone has its curve in closed form.
/// 3. The unit removed (P has it) and added (Q has it) are composed apart, and the worse counts (Lebeda et al.
///    2024): a single step's worse direction need not stay it.
///
/// Dominating pairs, s = noise_multiplier. Every unit: N(1, s^2) and N(0, s^2). Poisson-sampled: the mixture
/// (1 - q) N(0, s^2) + q N(1, s^2) instead of the first; K coins: sum of Binomial(K, q)(j) N(j/K, s^2)
/// (Choquette-Choo et al. 2023 for why the line is the worst of all dimensions). Replace-one: the same and its
/// mirror image. Many releases to every unit are one of 1/s^2 = sum of 1/s_i^2, in closed form (Balle, Wang 2018).
///
/// Discrete noise is post-processed Gaussian noise, up to nothing. Let y = N(0, r^2) in R^d plus an integer
/// vector, and z in Z^d have probability exp(-||z - y||^2 / (2 t^2)) / c(y). Completing the square, z has
/// the law of the discrete Gaussian of variance r^2 + t^2 shifted by that vector, but for c(y), which is constant
/// up to a factor (1 + e)/(1 - e) a coordinate, e = 2 sum over k of exp(-2 pi^2 t^2 k^2) (Poisson
/// summation). With t = 3, e < 10^-76. The way from y to z does not know the data, hence discrete noise of
/// deviation z D2 steps is at least as private as Gaussian noise of z sqrt(1 - 9 / (z D2)^2), in any dimension,
/// sampled or not; what is left, 4 d e an event, is far below the round-off. The same factor argument carries it to
/// sums of shares, which are as close to one discrete Gaussian (Kairouz, Liu, Steinke 2021, theorem 1).
class PldAccountant {
 public:
  explicit PldAccountant(PldPrecision precision = {}) : precision_(precision) {}

  /// Adds `event.count` releases. The event must be valid (`is_valid`). Neither the order of events nor their
  /// grouping changes the result, to the last bit. A copy is cheap: to ask "what if", compose into it.
  void compose(const DpEvent& event);
  /// Epsilon of everything composed so far at `delta` in (0, 1), at least 0. Sound for any delta down to 1e-20
  /// and below; the cost does not depend on counts much, and is linear in the number of different mechanisms.
  EpsilonBracket epsilon(double delta) const;
  /// Whether anything was released without noise: epsilon is then infinite at every delta.
  bool without_noise() const { return without_noise_; }

 private:
  // Law, noise multiplier, sampling rate, coins, adjacency, steps: what makes two events equal.
  using Mechanism = std::tuple<NoiseLaw, double, double, std::uint32_t, Adjacency, double>;

  PldPrecision precision_;
  std::map<Mechanism, std::uint64_t> counts_;
  bool without_noise_ = false;
};

}  // namespace hanse
