#pragma once

#include <deque>
#include <map>
#include <string>

#include "common/base/clock.h"

namespace hanse {

/// How long a phase of a round is waited for:
///
///   min(longest, max(kFloor, 4 * median of the last kRemembered times that this phase of this sum took))
///
/// and `longest` while fewer than kNeeded are known. So a dead worker costs a few seconds a round instead of half a minute,
/// and one that is four times as slow as usual is still waited for. A phase that the deadline ended counts with the time
/// waited: where most are late the deadline grows by itself. After a round that failed, all is forgotten, so that a pause
/// of many workers ends no run that `longest` allows.
class PhaseDeadlines {
 public:
  static constexpr Milliseconds kFloor{5000};
  static constexpr std::size_t kRemembered = 9;
  static constexpr std::size_t kNeeded = 5;

  /// `longest` is federation.deadline_ms.
  explicit PhaseDeadlines(Milliseconds longest) : longest_(longest) {}

  Milliseconds of(const std::string& phase) const;
  void took(const std::string& phase, Milliseconds time);
  void forget() { times_.clear(); }
  void be_patient(bool patient) { patient_ = patient; }

 private:
  Milliseconds longest_;
  bool patient_ = false;
  std::map<std::string, std::deque<Milliseconds>> times_;
};

}  // namespace hanse
