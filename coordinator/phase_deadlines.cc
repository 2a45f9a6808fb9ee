#include "coordinator/phase_deadlines.h"

#include <algorithm>
#include <vector>

namespace hanse {

Milliseconds PhaseDeadlines::of(const std::string& phase) const {
  const auto known = times_.find(phase);
  if (patient_ || known == times_.end() || known->second.size() < kNeeded) {
    return longest_;
  }
  std::vector<Milliseconds> times(known->second.begin(), known->second.end());
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return std::min(longest_, std::max(kFloor, 4 * *middle));
}

void PhaseDeadlines::took(const std::string& phase, Milliseconds time) {
  if (patient_) {
    return;
  }
  std::deque<Milliseconds>& times = times_[phase];
  times.push_back(time);
  if (times.size() > kRemembered) {
    times.pop_front();
  }
}

}  // namespace hanse
