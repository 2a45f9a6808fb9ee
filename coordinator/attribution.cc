#include "coordinator/attribution.h"

#include <algorithm>
#include <map>
#include <set>

namespace hanse {

namespace {

using Others = std::map<std::uint32_t, std::set<std::uint32_t>>;

Blame blame_of(const std::set<std::uint32_t>& culprits, const std::set<std::uint32_t>& doubtful) {
  Blame blame;
  blame.culprits.assign(culprits.begin(), culprits.end());
  std::set_difference(doubtful.begin(), doubtful.end(), culprits.begin(), culprits.end(),
                      std::back_inserter(blame.doubtful));
  return blame;
}

}  // namespace

Blame judge_accusations(const std::vector<Accusation>& accusations, const Witnesses& witnesses,
                        std::size_t corrupt) {
  Others accusers;
  for (const Accusation& one : accusations) {
    accusers[one.accused].insert(one.accuser);
  }
  std::set<std::uint32_t> culprits;
  std::set<std::uint32_t> doubtful;
  for (const auto& [accused, by] : accusers) {
    if (2 * by.size() > witnesses(accused) || by.size() > std::max<std::size_t>(corrupt, 1)) {
      culprits.insert(accused);
    } else {
      doubtful.insert(accused);
      doubtful.insert(by.begin(), by.end());
    }
  }
  return blame_of(culprits, doubtful);
}

Blame judge_quarrels(const std::vector<Quarrel>& quarrels, const Witnesses& witnesses) {
  Others others;
  for (const auto& [one, other] : quarrels) {
    others[one].insert(other);
    others[other].insert(one);
  }
  std::set<std::uint32_t> culprits;
  for (const auto& [merchant, with] : others) {
    const bool most = std::all_of(with.begin(), with.end(), [&, count = with.size()](std::uint32_t other) {
      return others.at(other).size() < count;
    });
    if (most && 2 * with.size() > witnesses(merchant)) {
      culprits.insert(merchant);
    }
  }
  std::set<std::uint32_t> doubtful;
  for (const auto& [one, other] : quarrels) {
    if (!culprits.contains(one) && !culprits.contains(other)) {
      doubtful.insert({one, other});
    }
  }
  return blame_of(culprits, doubtful);
}

}  // namespace hanse
