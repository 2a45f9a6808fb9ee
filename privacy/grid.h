#pragma once

#include <cstdint>
#include <span>

#include "common/workloads/contribution.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// Adds trunc(factor * contribution / step) to `entries`: onto the grid, toward zero, so that no coordinate
/// and hence no norm grows. `factor` comes from clip_factor(); the integer norm is checked against the
/// sensitivity in 128 bits, which pairs with the clipping before it.
void add_on_grid(const Contribution& contribution, double factor, const SumParameters& parameters,
                 std::span<std::int64_t> entries);

}  // namespace hanse
