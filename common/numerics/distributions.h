#pragma once

#include <span>
#include <vector>

namespace hanse {

/// The point of { p : p_k >= 0, sum of p = total } that is nearest to `values` in the Euclidean norm (Held, Wolfe, Crowder
/// 1974): what is left of noisy counts when their sum is known better than each of them. It takes the same off all of them and
/// lets none fall below zero, so that noise above and below zero cancels, whereas setting negative counts to zero would add
/// what nobody counted. All zero where `total` is not positive.
void project_to_simplex(std::span<double> values, double total);

/// Noisy counts of one group as a distribution: projected to their own sum, `smoothing` added to each, divided by the total.
/// Uniform where there is nothing at all.
void counts_to_distribution(std::span<double> counts, double smoothing);

}  // namespace hanse
