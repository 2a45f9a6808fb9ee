#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/data/encoding.h"
#include "common/workloads/workload.h"

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

/// The workloads there are; the only list. A new workload is one file and one line here.
std::vector<std::string> workload_names();

/// The workload that [workload], [server] and [privacy] describe. Throws bad_input naming the key: an unknown
/// name (with the list of names), options that contradict each other, a unit of privacy finer than the
/// workload knows.
std::unique_ptr<Workload> make_workload(const Configuration& configuration, const WorkloadFacts& facts);

/// The sums of purpose `statistics` and `update` that `rounds` rounds take, in their order, without any data:
/// for planning a budget. Training sums are looked at with parameters that never move.
std::vector<PrivateSum> planned_sums(const Workload& workload, std::uint64_t seed, std::uint32_t rounds);

}  // namespace hanse
