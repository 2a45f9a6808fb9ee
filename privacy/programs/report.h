#pragma once

#include <string>

#include "privacy/accounting/rdp.h"
#include "privacy/programs/mechanism_options.h"

namespace hanse {

/// An epsilon with everything it depends on, as a small table or as one JSON object.
std::string describe(const MechanismOptions& options, const EpsilonAtOrder& result, bool as_json);

}  // namespace hanse
