#include "tests/benchmarks/measurements.h"

#include <algorithm>

namespace hanse {

void Measurements::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration || run.error_occurred) {
      continue;
    }
    const bool manual = !run.run_name.time_type.empty();
    const double total = manual ? run.real_accumulated_time : run.cpu_accumulated_time;
    Measurement measured{.name = run.run_name.function_name,
                         .seconds = total / static_cast<double>(run.iterations)};
    if (const auto rate = run.counters.find("items_per_second"); rate != run.counters.end()) {
      measured.per_item = 1 / rate->second.value;
    }
    if (const auto bytes = run.counters.find("bytes"); bytes != run.counters.end()) {
      measured.bytes = bytes->second.value;
    }
    const auto [place, is_new] =
        best_.try_emplace({run.family_index, run.per_family_instance_index}, measured);
    if (!is_new && measured.seconds < place->second.seconds) {
      place->second = measured;
    }
  }
}

std::vector<Measurement> Measurements::all() const {
  std::vector<Measurement> all;
  std::ranges::transform(best_, std::back_inserter(all), [](const auto& entry) { return entry.second; });
  return all;
}

const Measurement* Measurements::find(const std::string& name) const {
  const auto found =
      std::ranges::find_if(best_, [&](const auto& entry) { return entry.second.name == name; });
  return found == best_.end() ? nullptr : &found->second;
}

}  // namespace hanse
