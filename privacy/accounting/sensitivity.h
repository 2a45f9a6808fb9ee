#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "privacy/accounting/dp_event.h"

namespace hanse {

/// In which of `steps` sums one unit takes part: at most `most` times, and after each time in none of the next
/// `separation` sums (a gap of separation + 1).
struct Participation {
  std::uint64_t most = 1;
  std::uint64_t separation = 0;
  std::uint64_t steps = 1;
};

/// Squared L2 sensitivity of all nodes of the binary tree over the steps (its maximal full trees, from left to right;
/// no restarts): the most that sum over nodes of (participations below it)^2 can be. A unit has norm 1 (Kairouz et al.
/// 2021). By recurrence over full trees of 1, 2, 4 ... leaves; per participation count and value, the table says how
/// late the last participation must be left open for each earliest first one.
std::uint64_t tree_sensitivity_squared(const Participation& participation);

/// Nodes on the way from a leaf to the root when one tree over `leaves` is finished: ceil(log2(leaves + 1)). A unit that
/// is in one leaf of each of E trees has squared sensitivity E times that.
std::uint64_t tree_depth(std::uint64_t leaves);

/// Squared L2 sensitivity of C x for a lower-triangular Toeplitz matrix of first column c, steps x steps, c not
/// negative and not increasing: the unit's best is to come first and as often as it may (Kalinin, Lampert 2024, theorem 2).
/// `c` may be shorter than steps (a banded matrix); with separation + 1 >= its length, participations do not add up.
/// Throws bad_input for other c.
double toeplitz_sensitivity_squared(std::span<const double> c, const Participation& participation);

/// First column of the square root of the prefix-sum matrix: c_0 = 1, c_k = c_(k-1) (2k - 1) / (2k).
std::vector<double> square_root_column(std::uint64_t steps);

/// First column of a buffered linear Toeplitz matrix: c_0 = 1, c_k = sum of scale_j decay_j^(k-1).
std::vector<double> buffered_column(std::span<const double> scales, std::span<const double> decays,
                                    std::uint64_t steps);

/// What correlated noise C^-1 Z costs without sampling: one Gaussian sum, of noise multiplier z / sensitivity. z is the
/// deviation of Z over the clip norm.
DpEvent correlated_event(double z, double sensitivity_squared);

/// Banded matrix factorisation under cyclic Poisson sampling (Choquette-Choo et al. 2023): the units are divided among
/// `bands` groups that take turns, so a unit is sampled once in each of ceil(steps / bands) cycles, and its bands do not
/// meet. z is over the largest column norm of C times the clip norm.
DpEvent banded_event(double z, double sampling_rate, std::uint64_t bands, std::uint64_t steps);

}  // namespace hanse
