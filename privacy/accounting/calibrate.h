#pragma once

#include <functional>
#include <vector>

#include "privacy/accounting/dp_event.h"

namespace hanse {

/// The smallest noise multiplier z for which epsilon(plan(z), delta) <= epsilon, to a relative 1e-9 and never
/// above the target. `plan` must not gain privacy when z falls. Throws bad_input when no z up to 1e6 is
/// enough.
double calibrate_noise_multiplier(const std::function<std::vector<DpEvent>(double z)>& plan, double epsilon,
                                  double delta);

}  // namespace hanse
