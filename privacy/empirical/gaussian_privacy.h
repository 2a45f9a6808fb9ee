#pragma once

namespace hanse {

/// A mechanism is mu-GDP (Dong, Roth, Su 2022) when telling two neighbours apart by its releases is no easier
/// than telling N(0, 1) from N(mu, 1): at false positive rate a, the false negative rate is at least
/// Phi(Phi^-1(1 - a) - mu). Gaussian sums of noise multipliers z_1 ... z_T over all units are exactly that:
///   mu^2 = 1 / z_1^2 + ... + 1 / z_T^2.

/// The smallest epsilon for which mu-GDP is (epsilon, delta)-DP, by the exact curve
/// (accounting/gaussian_curve.h); 0 for mu = 0, infinite for infinite mu. `delta` lies in (0, 1).
double gdp_epsilon(double mu, double delta);

/// The smallest epsilon at `delta` for which N(0, 1) and N(mu, sd^2) are (epsilon, delta)-indistinguishable,
/// the larger of both directions. `sd` > 0. Equals gdp_epsilon(|mu|, delta) at sd = 1.
double two_gaussians_epsilon(double mu, double sd, double delta);

}  // namespace hanse
