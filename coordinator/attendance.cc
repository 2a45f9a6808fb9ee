#include "coordinator/attendance.h"

#include <algorithm>
#include <map>
#include <utility>

namespace hanse {

Attendance::Attendance(std::vector<Peer> hosts)
    : hosts_(std::move(hosts)), misses_(hosts_.size(), 0), guilty_(hosts_.size(), false) {}

void Attendance::missed(std::uint32_t merchant) {
  ++misses_[merchant];
}

bool Attendance::at_fault(std::uint32_t merchant) {
  const bool news = !stays_away(merchant);
  misses_[merchant] = std::max(misses_[merchant] + 1, kMissesAllowed);
  guilty_[merchant] = true;
  return news;
}

void Attendance::took_part(std::uint32_t merchant) {
  if (stays_away(merchant)) {
    for (std::uint32_t other = 0; other < hosts_.size(); ++other) {
      if (hosts_[other] == hosts_[merchant] && !guilty_[other]) {
        misses_[other] = std::min(misses_[other], kMissesAllowed - 1);
      }
    }
  }
  misses_[merchant] = 0;
  guilty_[merchant] = false;
}

std::vector<std::uint32_t> Attendance::all(const std::set<Peer>& lost) const {
  std::vector<std::uint32_t> all;
  for (std::uint32_t merchant = 0; merchant < hosts_.size(); ++merchant) {
    if (!lost.contains(hosts_[merchant])) {
      all.push_back(merchant);
    }
  }
  return all;
}

std::vector<std::uint32_t> Attendance::invited(std::uint64_t round, const std::set<Peer>& lost) const {
  std::vector<std::uint32_t> invited = all(lost);
  std::erase_if(invited, [&](std::uint32_t merchant) { return stays_away(merchant); });
  if (round % kProbeEvery == 0) {
    const std::vector<std::uint32_t> probed = probes(round, invited.size(), lost);
    invited.insert(invited.end(), probed.begin(), probed.end());
    std::sort(invited.begin(), invited.end());
  }
  return invited;
}

bool Attendance::has_its_turn(std::uint32_t merchant, std::uint64_t round) const {
  constexpr std::uint32_t kRarest = 3;
  const std::uint32_t in_vain = std::min(misses_[merchant] - kMissesAllowed, kRarest);
  return round % (kProbeEvery << in_vain) == 0;
}

/// One of each worker first; from round to round others.
std::vector<std::uint32_t> Attendance::probes(std::uint64_t round, std::size_t present,
                                              const std::set<Peer>& lost) const {
  std::map<Peer, std::vector<std::uint32_t>> away;
  std::size_t most = 0;
  for (const std::uint32_t merchant : all(lost)) {
    if (stays_away(merchant) && has_its_turn(merchant, round)) {
      std::vector<std::uint32_t>& of_host = away[hosts_[merchant]];
      of_host.push_back(merchant);
      most = std::max(most, of_host.size());
    }
  }
  const auto turn = static_cast<std::size_t>(round / kProbeEvery);
  std::vector<std::uint32_t> candidates;
  for (std::size_t place = 0; place < most; ++place) {
    for (const auto& [host, merchants] : away) {
      if (place < merchants.size()) {
        candidates.push_back(merchants[(place + turn) % merchants.size()]);
      }
    }
  }
  if (candidates.empty()) {
    return {};
  }
  const std::size_t count = std::min(candidates.size(), 1 + present / kPresentForAProbe);
  std::rotate(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(turn % candidates.size()),
              candidates.end());
  candidates.resize(count);
  return candidates;
}

}  // namespace hanse
