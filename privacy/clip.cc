#include "privacy/clip.h"

#include <cmath>

#include "common/base/failure.h"

namespace hanse {

Clip clip_factor(const Contribution& contribution, double clip_norm) {
  constexpr double margin = 1 - 0x1p-30;
  const double row_norm = contribution.scale() * contribution.row_norm();
  double square = row_norm * row_norm;
  for (const double value : contribution.values()) {
    square += value * value;
  }
  const double norm = std::sqrt(square);
  if (!std::isfinite(norm)) {
    throw Failure(ExitCode::could_not_finish,
                  "a contribution is not finite: training diverged; lower workload.learning_rate or "
                  "server.learning_rate");
  }
  if (norm <= clip_norm * margin) {
    return {};
  }
  return {.factor = clip_norm / norm * margin, .clipped = true};
}

}  // namespace hanse
