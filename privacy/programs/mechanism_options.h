#pragma once

#include <string>

#include "common/config/arguments.h"
#include "privacy/accounting/dp_event.h"

namespace hanse {

/// What hanse-epsilon and hanse-calibrate ask alike: a mechanism repeated for some steps, and delta.
struct MechanismOptions {
  DpEvent event;  ///< The noise multiplier is left at 0 for the program to fill in.
  double delta = 0;
};

/// Declares --sampling-rate, --steps, --delta, --mechanism, --accountant and --json.
void declare_mechanism_options(Arguments& arguments);

/// Reads them; throws bad_input, naming the option, for what is missing or out of range.
MechanismOptions read_mechanism_options(const Arguments& arguments);

/// A positive number; bad_input otherwise.
double read_positive(const Arguments& arguments, const std::string& name);

/// "gaussian" or "discrete-gaussian".
std::string name_of(NoiseLaw law);

/// The facts without which an epsilon says nothing, worded once for tables and JSON.
inline constexpr const char* kAdjacency = "zero-out (same figures as add/remove)";
inline constexpr const char* kMethod = "RDP, converted by Balle et al. 2020";

}  // namespace hanse
