#pragma once

#include <cstdint>

#include "common/base/seeded_generator.h"

namespace hanse {

/// The turn of a unit, 0 .. turns - 1, the same at all merchants that know it: a hash of the public seed and the unit's key
/// (unit_key in common/data/units.h). No secret and no draw: the turns of units are as public as their number.
///
/// It must stay as it is while a run lasts, also where the run goes on with changed data: a unit with a second turn in one cycle
/// would spend c_0^2 twice. So the key is of the unit alone: its name, or a record's content before any encoding, never its place
/// among others. A record whose content was changed is another record.
inline std::uint32_t turn_of(std::uint64_t seed, std::uint64_t unit_key, std::uint32_t turns) {
  return static_cast<std::uint32_t>(split_mix(split_mix(seed ^ 0x7475726E) ^ unit_key) % turns);
}

}  // namespace hanse
