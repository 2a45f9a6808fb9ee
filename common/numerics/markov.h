#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hanse {

// A Markov chain of n states is the matrix P of its transition probabilities, row-major: P[i n + j] is that of j after i. Rows
// add up to 1, and every state is reached from every other.

/// The distribution pi with pi P = pi, by elimination without any subtraction (Grassmann, Taksar, Heyman 1985): small
/// probabilities keep all their digits.
std::vector<double> stationary_distribution(std::span<const double> transitions, std::size_t states);

/// The expected number of steps from each state to `target`, h with h_target = 0 and h_i = 1 + sum_j P_ij h_j.
std::vector<double> expected_steps(std::span<const double> transitions, std::size_t states,
                                   std::size_t target);

/// The probability of coming from each state to `target` before `other`: 1 at target, 0 at other, q_i = sum_j P_ij q_j.
std::vector<double> reached_before(std::span<const double> transitions, std::size_t states,
                                   std::size_t target, std::size_t other);

}  // namespace hanse
