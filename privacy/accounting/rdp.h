#pragma once

#include <span>
#include <vector>

#include "privacy/accounting/dp_event.h"

namespace hanse {

/// Renyi differential privacy of one release of `event` (its count is ignored) at `order` > 1 (Mironov 2017),
/// in nats.
///
/// Every unit, either law: order / (2 z^2), and 4 times that for replace-one (for discrete noise Canonne, Kamath, Steinke 2020, in any
/// dimension).
///
/// Poisson-sampled at rate q (Mironov, Talwar, Zhang 2019): log A / (order - 1), where with a = order
///   A = E (1 - q + q r)^a = sum over k of C(a, k) (1 - q)^(a - k) q^k exp(k (k - 1) / (2 z^2)),
/// and r is the ratio of the densities with and without the unit. Integer orders sum A - 1, whose terms are
/// all positive, so tiny values keep their digits. Fractional orders of continuous noise integrate it by the
/// trapezoid rule, in log space; below z = 0.1, where epsilon is in the hundreds, they are interpolated as
/// for discrete noise. No order is ever dropped.
///
/// Why the sum also bounds discrete, sampled noise, in any dimension. Let mu0 be the law of the noise, mu1
/// the law of the noise shifted by the unit's integer vector D, r = mu1 / mu0.
///   1. Conditioned on the other units' coins, the two outputs are mu0 and (1 - q) mu0 + q mu1, up to a
///      common shift; joint quasi-convexity removes the condition.
///   2. E_mu0 (1 - q + q r)^a is a polynomial in r for integer a, and all it needs is
///      E_mu0 r^k <= exp(k (k - 1) / (2 z^2)). That is the Renyi bound of the unsampled discrete Gaussian at
///      order k (Canonne, Kamath, Steinke), with equality for k = 0 and 1. The polynomial's coefficients are
///      positive, so the bound passes through the sum.
///   3. The opposite direction is never larger: x -> D - x maps the lattice to itself and swaps mu0 and mu1,
///      which is all that the symmetry argument of Mironov, Talwar, Zhang (theorem 5) uses, with sums for
///      integrals.
///   4. a -> log E_mu0 (1 - q + q r)^a = (a - 1) RDP(a) is convex and 0 at a = 1. Between integers it lies
///      below the chord of the integer bounds: fractional orders interpolate (a - 1) RDP(a) linearly.
///
/// K coins, sampled, and replace-one: the Renyi divergences of the pair that dominates the event (see PldAccountant), by
/// the trapezoid rule, the larger of both directions where they differ. Nothing here mirrors mu0 and the mixture of
/// several shifts into each other, so the reverse direction is integrated, not argued away. For discrete noise the pair
/// is the Gaussian one of which it is a post-processing, so every real order is a bound. Below z = 0.1 any coin counts
/// as all of them (a farther shift dominates a nearer one), and replace-one as unsampled.
double rdp(const DpEvent& event, double order);

/// The reference orders 1.1, 1.2 ... 10.9, 11 ... 63, 128, 256, 512, 1024.
std::span<const double> default_orders();

struct EpsilonAtOrder {
  double epsilon = 0;  ///< Infinite when something was released without noise.
  double order = 0;    ///< The order that gave it.
};

/// Epsilon of all events together at `delta` in (0, 1), by the conversion of Balle et al. 2020 (theorem 21):
///   min over orders of  rdp + log1p(-1/order) - (log delta + log order) / (order - 1),  and at least 0.
/// Valid for parameters fixed in advance. Events must be valid (`is_valid`). To grow a list of events,
/// RdpAccountant.
EpsilonAtOrder epsilon(std::span<const DpEvent> events, double delta,
                       std::span<const double> orders = default_orders());

/// The same minimised over all real orders above 1: never more than epsilon() at the default orders, and what the
/// reference orders miss beyond 1024 or below 1.1.
EpsilonAtOrder epsilon_over_real_orders(std::span<const DpEvent> events, double delta);

}  // namespace hanse
