#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hanse {

/// One merchant's word against another's: the coordinator cannot see who is right.
struct Accusation {
  std::uint32_t accuser = 0;
  std::uint32_t accused = 0;
  std::string sentence;  ///< The accuser's.
};

/// Who breaks the rules of a round, as far as it can be told.
struct Blame {
  std::vector<std::uint32_t> culprits;  ///< Alone at fault; increasing.
  std::vector<std::uint32_t> doubtful;  ///< One of each pair is at fault, and nobody knows which; increasing.
};

/// The number of merchants that can speak about one: those that share a secret with it.
using Witnesses = std::function<std::size_t(std::uint32_t merchant)>;

/// A merchant that more than half of its witnesses accuse, or more merchants than are `corrupt` (and not one
/// alone), is alone at fault, and its accusers are not: among so many one is honest. Otherwise accuser and
/// accused are both in doubt.
Blame judge_accusations(const std::vector<Accusation>& accusations, const Witnesses& witnesses,
                        std::size_t corrupt);

/// The two ends of an edge that tell different stories about it, without either accusing the other.
struct Quarrel {
  std::uint32_t one = 0;
  std::uint32_t other = 0;
};
/// A merchant that quarrels with more than half of its witnesses, and with more than any of those it quarrels
/// with does, is alone at fault. All others that quarrel with nobody found at fault are in doubt.
Blame judge_quarrels(const std::vector<Quarrel>& quarrels, const Witnesses& witnesses);

}  // namespace hanse
