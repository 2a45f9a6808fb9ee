#pragma once

#include <cstdint>

#include "common/data/units.h"

namespace hanse {

/// How many test rows of one unit an evaluation sum has room for; a unit with more counts for less.
struct TestRows {
  Unit privacy = Unit::none;
  double per_unit = 0;  ///< With a unit of privacy; 0: 1, 8 or 256 for a record, customer or merchant.
  std::uint64_t max_units =
      1u << 20;  ///< Public bound on the rows of a merchant, which all have room without one.

  /// `natural` is whose vectors are added without a unit of privacy: records, or merchants.
  double most(Unit natural) const {
    if (privacy == Unit::none) {
      return natural == Unit::merchant ? static_cast<double>(max_units) : 1;
    }
    if (per_unit > 0) {
      return per_unit;
    }
    return privacy == Unit::record ? 1 : is_customer(privacy) ? 8 : 256;
  }
};

}  // namespace hanse
