#pragma once

#include "tests/support/test_federation.h"

namespace hanse::fuzz {

/// The federation whose session is the same in every process: what one recorded, another understands.
inline constexpr std::uint32_t kFixedWorkers = 2;
inline TestFederation::Plan fixed_plan() {
  return {.seed = 26, .merchants = 4, .workers = kFixedWorkers};
}

}  // namespace hanse::fuzz
