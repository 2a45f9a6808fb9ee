#pragma once

#include "common/numerics/normal_equations.h"

namespace hanse {

/// Replaces A by the nearest positive semi-definite matrix in the Frobenius norm: its negative eigenvalues, which only
/// noise can have made, become zero (Higham 1988).
void project_to_positive(NormalEquations<double>& equations);

}  // namespace hanse
