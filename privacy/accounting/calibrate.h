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

/// The same by any accountant: `epsilon_of(z)` must not grow with z. Stops at a relative `precision` of z.
double calibrate_noise_multiplier(const std::function<double(double z)>& epsilon_of, double epsilon,
                                  double precision);

/// The smallest noise multiplier for which PldAccountant's upper end is within epsilon, to a relative 1e-6: 5 to 8 per
/// cent less noise than RDP asks for.
double calibrate_by_pld(const std::function<std::vector<DpEvent>(double z)>& plan, double epsilon,
                        double delta);

}  // namespace hanse
