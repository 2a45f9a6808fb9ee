#pragma once

#include <cstdint>

namespace hanse {

/// Exact one-sided bounds on the probability p of a Bernoulli trial of which `successes` out of `trials`
/// succeeded (Clopper, Pearson 1934): p is below the upper bound, and above the lower one, but for
/// probability `significance` each. Without trials they are 1 and 0.
double clopper_pearson_upper(std::uint64_t successes, std::uint64_t trials, double significance);
double clopper_pearson_lower(std::uint64_t successes, std::uint64_t trials, double significance);

/// Pr[Bin(trials, p) >= successes].
double binomial_tail(std::uint64_t trials, double p, std::uint64_t successes);

}  // namespace hanse
