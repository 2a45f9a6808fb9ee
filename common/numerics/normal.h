#pragma once

namespace hanse {

/// Phi(x), the normal distribution; its lower tail keeps its relative precision.
double normal_cdf(double x);
/// Phi^-1(p); -infinity at 0, +infinity at 1.
double normal_quantile(double p);
/// Mills' ratio (1 - Phi(x)) / phi(x), for every x: what is left of a tail without its exponential.
double mills_ratio(double x);

}  // namespace hanse
