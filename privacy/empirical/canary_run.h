#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/base/secure_random.h"
#include "privacy/empirical/canary_bounds.h"
#include "privacy/pipeline.h"

namespace hanse {

/// Canary customers go through the mechanism, and what it releases is attacked.
///
/// Canary i has coordinate i to itself. A fair coin decides whether it is in, for the whole run. If it is,
/// its contribution to the sum of round t is  s_it * 8 C * e_i  with a random public sign s_it: eight times
/// as long as the clip norm allows, at as many merchants as a unit may be at. What the clip, the grid and the
/// merchants' noise make of it is masked, added up and opened like any sum:
///
///   y_it = included_i * s_it * D2 + N(0, sigma_t^2),   sigma_t^2 = merchants * share_variance_t.
///
/// The best test of whether i was in is the likelihood ratio, here scaled to the score
///
///   score_i = 1/mu * sum over t of s_it * y_it * D2_t / sigma_t^2,
///   mu^2 = sum over t of D2_t^2 / sigma_t^2,
///
/// which is N(mu, 1) for included canaries and N(0, 1) for the others if the mechanism is what it claims to
/// be: mu-GDP and, as the canaries are the worst customers there are, not better. Scores are independent
/// given the coins, because coordinates have noise of their own.
///
/// Where units are drawn, each included canary flips its own coins, at each of its K merchants in each round,
/// as units do: it is at j of them with probability C(K, j) q^j (1 - q)^(K - j). The score is then the
/// logarithm of the likelihood ratio, with x = s_it * y_it / sigma_t and a = D2_t / sigma_t
///
///   score_i = sum over t of log( sum over j of C(K, j) q^j (1 - q)^(K - j) exp(a x j/K - (a j/K)^2 / 2) ).
///
/// Where units take turns (privacy/accounting/turns.h), every canary has turn 0, which spends most: it contributes in the
/// first of T rows, and row t shows c_(t mod T) times that. D2_t is then c_(t mod T) D2 and the sign is the turn's; noise
/// is still independent.
struct CanaryPlan {
  std::uint32_t canaries = 20000;   ///< At least 2.
  std::uint32_t merchants = 3;      ///< In every sum.
  std::vector<SumParameters> sums;  ///< Of each round, with noise; at least one.
  std::uint64_t seed = 1;           ///< Of who is in, and of signs. Noise, masks and sampling have no seed.
  std::vector<double> sampling_rates = {};       ///< Of each sum, above 0; empty: every unit is in every sum.
  std::vector<std::uint32_t> coefficients = {};  ///< Of turns; empty: there are none.
  std::vector<std::optional<std::uint64_t>> rows = {};  ///< Of each sum, where units take turns.

  double sampling_rate(std::size_t round) const { return sampling_rates.empty() ? 1 : sampling_rates[round]; }
  bool sampled() const;
  std::optional<std::uint64_t> row(std::size_t round) const {
    return rows.empty() ? std::nullopt : rows[round];
  }
  /// What an included canary moves the sum by, in steps.
  double shift(std::size_t round) const;
};

/// The same sum for an experiment: one entry a canary, and the same noise in total, as little as the
/// parameters allow (`honest_shares` of them, at most shares_min), carried by `merchants` equal shares. A unit
/// that may be at more merchants than that is at all of them. The sum must have room: canaries * D2 * merchants
/// far below 2^63.
SumParameters canary_parameters(const SumParameters& parameters, std::uint32_t honest_shares,
                                std::uint32_t canaries, std::uint32_t merchants);

/// What the plan claims when every unit is in every sum: its sums together are mu-GDP.
double claimed_mu(const CanaryPlan& plan);
/// What it claims at `delta`: of Gaussians the exact curve; of drawn units the upper end of the bracket of
/// their privacy loss distributions.
double claimed_epsilon(const CanaryPlan& plan, double delta);

/// What a merchant does with its units in one sum. The real one is prepare(); a test may plant a fault.
struct MerchantTurn {
  std::uint32_t merchant = 0;
  std::size_t round = 0;
  const SumParameters& parameters;
  const RowOfRun* place = nullptr;
};
using MerchantPart = std::function<SealedSum(const MerchantTurn&, const UnitSource& units, const Seal& seal,
                                             SecureRandom& random)>;
SealedSum honest_part(const MerchantTurn& turn, const UnitSource& units, const Seal& seal,
                      SecureRandom& random);

/// What was seen in one run.
struct CanaryRun {
  CanaryScores scores;
  /// Noise: of the entries of canaries that were left out, the root mean square over the claimed sigma. 1 if
  /// honest.
  double noise_ratio = 0;
  std::uint64_t noise_samples = 0;
  /// Shift: how far an included canary moves the sum, over D2 and the sampling rate, on average. 1 if honest.
  double shift_ratio = 0;
  double shift_error = 0;  ///< Its standard error, with the claimed noise; infinite when nobody was in.
  /// The largest correlation of the noise of two rounds, in standard errors, and how many pairs were
  /// compared: all among the first kRoundsCompared.
  double correlation = 0;
  std::size_t round_a = 0;
  std::size_t round_b = 0;
  std::uint64_t pairs = 0;
};
inline constexpr std::size_t kRoundsCompared = 64;

/// Runs the experiment. `random` is where noise, keys and masks come from.
CanaryRun run_canaries(const CanaryPlan& plan, SecureRandom& random, const MerchantPart& part = honest_part);

}  // namespace hanse
