#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/workloads/facts.h"
#include "common/workloads/workload.h"

namespace hanse {

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
