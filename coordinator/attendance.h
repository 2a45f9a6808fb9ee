#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "common/transport/channel.h"

namespace hanse {

/// Who took part lately, and whom to invite therefore. A merchant that missed kMissesAllowed rounds in a row, or was at
/// fault, stays away from then on, but for probes: now and then a few of those who stay away are invited, so few that a
/// round does not fail for want of them, and each the more rarely the more often it did not come. One that then takes part brings the others of its worker back, as what kept
/// them away was its host or the way to it.
class Attendance {
 public:
  static constexpr std::uint32_t kMissesAllowed = 2;
  static constexpr std::uint64_t kProbeEvery = 8;       ///< Rounds.
  static constexpr std::size_t kPresentForAProbe = 10;  ///< Merchants; the first probe takes none.

  /// hosts[merchant]: its worker.
  explicit Attendance(std::vector<Peer> hosts);

  void missed(std::uint32_t merchant);
  void took_part(std::uint32_t merchant);
  /// True when it was not staying away already.
  bool at_fault(std::uint32_t merchant);

  bool stays_away(std::uint32_t merchant) const { return misses_[merchant] >= kMissesAllowed; }
  /// Missed none since it last took part.
  bool is_present(std::uint32_t merchant) const { return misses_[merchant] == 0; }

  /// Those whose workers are not `lost`, increasing.
  std::vector<std::uint32_t> all(const std::set<Peer>& lost) const;
  /// Of these, those to invite to `round`.
  std::vector<std::uint32_t> invited(std::uint64_t round, const std::set<Peer>& lost) const;

 private:
  bool has_its_turn(std::uint32_t merchant, std::uint64_t round) const;
  std::vector<std::uint32_t> probes(std::uint64_t round, std::size_t present,
                                    const std::set<Peer>& lost) const;

  std::vector<Peer> hosts_;
  std::vector<std::uint32_t> misses_;  ///< In a row.
  std::vector<bool> guilty_;           ///< At fault since it last took part.
};

}  // namespace hanse
