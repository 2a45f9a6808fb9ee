#pragma once

#include <cstdint>

#include "common/base/seeded_generator.h"

namespace hanse {

/// The turn of a unit, 0 .. turns - 1, the same at all merchants that know it: a hash of the public seed and the unit's key
/// (unit_key in common/data/units.h). No secret and no draw: the turns of units are as public as their number.
inline std::uint32_t turn_of(std::uint64_t seed, std::uint64_t unit_key, std::uint32_t turns) {
  return static_cast<std::uint32_t>(split_mix(split_mix(seed ^ 0x7475726E) ^ unit_key) % turns);
}

}  // namespace hanse
