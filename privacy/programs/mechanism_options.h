#pragma once

#include <string>

#include "common/config/arguments.h"
#include "privacy/accounting/dp_event.h"

namespace hanse {

/// Which figure a program answers with; both are printed.
enum class AccountantKind { rdp, pld };

/// What hanse-epsilon and hanse-calibrate ask alike: a mechanism repeated for some steps, and delta.
struct MechanismOptions {
  std::string mechanism;
  DpEvent event;  ///< The noise multiplier is left at 0 for the program to fill in, by event_at().
  /// The largest squared sensitivity of all sums together, for noise that is correlated or reused (trees, Toeplitz
  /// matrices); 1 for independent sums.
  double sensitivity_squared = 1;
  std::uint64_t steps = 1;
  double delta = 0;
  AccountantKind accountant = AccountantKind::rdp;

  /// The releases with noise of `z` clip norms.
  DpEvent event_at(double z) const;
};

/// Declares --mechanism, --sampling-rate, --steps, --delta, --coins, --adjacency, --sensitivity-steps,
/// --participations, --separation, --bands, --accountant and --json.
void declare_mechanism_options(Arguments& arguments);

/// Reads them; throws bad_input, naming the option, for what is missing, out of range, or means nothing together.
MechanismOptions read_mechanism_options(const Arguments& arguments);

/// A positive number; bad_input otherwise.
double read_positive(const Arguments& arguments, const std::string& name);

}  // namespace hanse
