#pragma once

#include <optional>

#include "common/workloads/contribution.h"

namespace hanse {

/// What to multiply a contribution by so that its L2 norm is at most `clip_norm`: 1 when it already is.
///
/// The factor stays 2^-30 below the exact ratio: the norm is a rounded sum, and the integer norm after
/// truncation must never exceed the bound. Nothing when an entry is NaN or infinite.
std::optional<double> clip_factor(const Contribution& contribution, double clip_norm);

}  // namespace hanse
