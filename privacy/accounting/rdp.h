#pragma once

#include <span>
#include <vector>

#include "privacy/accounting/dp_event.h"

namespace hanse {

/// Renyi differential privacy of one release of `event` at `order` > 1 (Mironov 2017).
/// Gaussian, every unit: order / (2 z^2). Poisson-sampled (Mironov, Talwar, Zhang 2019): log A / (order - 1), by the
/// binomial sum at integer orders and by quadrature in log space at fractional ones; never an order dropped. For
/// discrete noise integer orders are exact bounds and fractional ones are interpolated (log-convexity).
double rdp(const DpEvent& event, double order);

/// The reference orders 1.1 ... 10.9, 11 ... 63, 128, 256, 512, 1024.
std::span<const double> default_orders();

struct EpsilonAtOrder {
  double epsilon = 0;  ///< Infinite when something was released without noise.
  double order = 0;    ///< The order that gave it.
};

/// Epsilon of all events together at `delta`, by the conversion of Balle et al. 2020 (theorem 21):
///   min over orders of  rdp + log1p(-1/order) - (log delta + log order) / (order - 1).
EpsilonAtOrder epsilon(std::span<const DpEvent> events, double delta,
                       std::span<const double> orders = default_orders());

}  // namespace hanse
