#pragma once

#include <string>

#include "privacy/accounting/pld.h"
#include "privacy/accounting/rdp.h"
#include "privacy/programs/mechanism_options.h"

namespace hanse {

/// The same releases by both accountants.
struct Figures {
  EpsilonAtOrder rdp = {};       ///< At the reference orders: what a budget is kept by.
  EpsilonAtOrder rdp_best = {};  ///< At the best real order.
  EpsilonBracket pld = {};

  /// The figure asked for.
  double answer(AccountantKind kind) const { return kind == AccountantKind::pld ? pld.upper : rdp.epsilon; }
};

Figures figures_of(const DpEvent& event, double delta);

/// An epsilon with everything it depends on, as a small table or as one JSON object. `z` is the noise in clip norms.
std::string describe(const MechanismOptions& options, double z, const Figures& figures, bool as_json);

}  // namespace hanse
