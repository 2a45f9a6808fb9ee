#include "privacy/clip.h"

#include <cmath>

namespace hanse {

std::optional<double> clip_factor(const Contribution& contribution, double clip_norm) {
  constexpr double margin = 1 - 0x1p-30;
  const double row_norm = contribution.scale() * contribution.row_norm();
  double square = row_norm * row_norm;
  // Four sums side by side: one would wait for itself at every entry.
  const std::span<const double> values = contribution.values();
  double lanes[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= values.size(); i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      lanes[lane] += values[i + lane] * values[i + lane];
    }
  }
  for (; i < values.size(); ++i) {
    lanes[0] += values[i] * values[i];
  }
  square += (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  const double limit = clip_norm * margin;
  if (square <= limit * limit) {
    return 1.0;  // As most are: no root is taken.
  }
  const double norm = std::sqrt(square);
  if (!std::isfinite(norm)) {
    return std::nullopt;
  }
  return norm <= limit ? 1.0 : clip_norm / norm * margin;
}

}  // namespace hanse
