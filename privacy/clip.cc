#include "privacy/clip.h"

#include <cmath>

namespace hanse {

std::optional<double> clip_factor(const Contribution& contribution, double clip_norm) {
  constexpr double margin = 1 - 0x1p-30;
  const double row_norm = contribution.scale() * contribution.row_norm();
  double square = row_norm * row_norm;
  for (const double value : contribution.values()) {
    square += value * value;
  }
  const double norm = std::sqrt(square);
  if (!std::isfinite(norm)) {
    return std::nullopt;
  }
  return norm <= clip_norm * margin ? 1.0 : clip_norm / norm * margin;
}

}  // namespace hanse
