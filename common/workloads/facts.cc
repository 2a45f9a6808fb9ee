#include "common/workloads/facts.h"

#include <cmath>

namespace hanse {

WorkloadFacts facts_of(const FeatureSpace& space, RowKind kind, const Encoding& encoding,
                       std::uint32_t merchants) {
  return {.kind = kind,
          .space = encoded_space(space, encoding),
          .mean = encoding.mean,
          .deviation = encoding.deviation,
          .width = encoding.width,
          .train_rows = encoding.train_rows,
          .merchants = merchants,
          .rating_low = space.rating_low,
          .rating_high = space.rating_high,
          .label = space.label,
          .label_low = encoding.label_low,
          .label_high = encoding.label_high,
          .label_declared = !std::isnan(space.label_low)};
}

}  // namespace hanse
