#pragma once

#include <vector>

#include "privacy/accounting/dp_event.h"

namespace hanse {

/// Two mixtures of Gaussians of one standard deviation on the line,
///   P = sum of part.p N(part.centre, s^2),   Q = sum of part.q N(part.centre, s^2),
/// P's centres >= 0 >= Q's, so that the loss log P(x) / Q(x) grows with x. Lengths are in clip norms.
struct GaussianPair {
  struct Part {
    double centre = 0;
    double p = 0;
    double q = 0;
  };
  double deviation = 1;
  std::vector<Part> parts = {};

  double lowest() const;   ///< Of the centres.
  double highest() const;  ///< Of the centres.
  double log_density_p(double x) const;
  double log_density_q(double x) const;
  /// log P(x) / Q(x): independent of what both have in common, so exact to the last digits far out too.
  double loss(double x) const;
  /// The x with loss(x) = `loss`, or -infinity (infinity) when every loss is above (below). `near` is a first
  /// guess.
  double place_of(double loss, double near) const;
};

/// The pair that dominates a sampled event or one of K coins; see PldAccountant. Discrete noise counts as
/// Gaussian noise of `gaussian_multiplier`. The event has noise and a rate above 0.
GaussianPair dominating_pair(const DpEvent& event);

/// The multiplier of the Gaussian noise that discrete noise is a post-processing of: z sqrt(1 - 9 / (z D2)^2);
/// 0 when the grid is too coarse for that. z itself for continuous noise and for an unknown grid.
double gaussian_multiplier(const DpEvent& event);

/// log of the integral of P^order Q^(1 - order), for any real order: (order - 1) times the Renyi divergence of
/// P from Q, for order > 1; at 1 - order that of Q from P. By the trapezoid rule, to a relative 1e-12 or
/// absolute 1e-14 for deviations >= 0.1.
double log_power_integral(const GaussianPair& pair, double order);

}  // namespace hanse
