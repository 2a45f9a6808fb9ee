#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "common/data/encoding.h"

namespace hanse {

/// What a workload is told of the encoded data: public, the same on every rank.
struct WorkloadFacts {
  RowKind kind = RowKind::record;
  /// The encoded data: names of columns, ranges of words, classes. In standardised units, of which one is `deviation` (one a
  /// numeric column) of the file's from `mean`.
  FeatureSpace space = {};
  std::vector<double> mean = {};
  std::vector<double> deviation = {};
  std::uint32_t width = 0;  ///< Columns of the encoded data; at RowKind::customer the number of items.
  double train_rows = 0;    ///< As released before training.
  std::uint32_t merchants = 1;
  double update_noise = 0;  ///< Noise multiplier of training sums; no sum's shape depends on it.
  double rating_low = std::numeric_limits<double>::quiet_NaN();
  double rating_high = std::numeric_limits<double>::quiet_NaN();
  LabelKind label = LabelKind::binary;  ///< Numbers are from label_low to label_high.
  double label_low = std::numeric_limits<double>::quiet_NaN();
  double label_high = std::numeric_limits<double>::quiet_NaN();
  bool label_declared = false;  ///< The range is public knowledge: errors may be bounded by it.
};
WorkloadFacts facts_of(const FeatureSpace& space, RowKind kind, const Encoding& encoding,
                       std::uint32_t merchants);

}  // namespace hanse
