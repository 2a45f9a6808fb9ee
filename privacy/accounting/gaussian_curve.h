#pragma once

namespace hanse {

/// delta(epsilon) of N(mu, 1) against N(0, 1) (Balle, Wang 2018), to a relative 1e-11 or so however small:
///   Phi(mu/2 - epsilon/mu) - exp(epsilon) Phi(-mu/2 - epsilon/mu),   epsilon >= 0, mu > 0.
double gaussian_delta(double mu, double epsilon);

/// The smallest epsilon >= 0 with gaussian_delta(mu, epsilon) <= delta, to a relative 1e-12.
double gaussian_epsilon(double mu, double delta);

}  // namespace hanse
