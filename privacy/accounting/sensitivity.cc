#include "privacy/accounting/sensitivity.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"

namespace hanse {
namespace {

/// For one way to have `count` participations in some leaves worth `value`: at index a, the most leaves that can be
/// left free after the last participation when at least a leaves are free before the first; -1: impossible. Both only
/// count up to the separation.
using Freedom = std::vector<std::int64_t>;

/// All ways that are not worse than others: count, then value, largest first.
using Ways = std::map<std::uint64_t, std::map<std::uint64_t, Freedom, std::greater<>>>;

class Tree {
 public:
  explicit Tree(const Participation& participation)
      : most_(participation.most), separation_(static_cast<std::int64_t>(participation.separation)) {}

  Ways leaf() const {
    Freedom one(static_cast<std::size_t>(separation_) + 1, -1);
    one[0] = 0;
    return {{1, {{1, one}}}};
  }

  /// Both beside each other, of `left` and `right` leaves; with a common node above them if `joined`.
  Ways beside(const Ways& a, std::uint64_t left, const Ways& b, std::uint64_t right, bool joined) const {
    Ways all;
    for (const auto& [count, ways] : b) {
      for (const auto& [value, freedom] : ways) {
        add(all, count, value + (joined ? count * count : 0), later(freedom, left));
      }
    }
    for (const auto& [count, ways] : a) {
      for (const auto& [value, freedom] : ways) {
        add(all, count, value + (joined ? count * count : 0), freer(freedom, right));
      }
    }
    for (const auto& [count_a, ways_a] : a) {
      for (const auto& [count_b, ways_b] : b) {
        const std::uint64_t count = count_a + count_b;
        if (count > most_) {
          continue;
        }
        for (const auto& [value_a, freedom_a] : ways_a) {
          for (const auto& [value_b, freedom_b] : ways_b) {
            add(all, count, value_a + value_b + (joined ? count * count : 0), both(freedom_a, freedom_b));
          }
        }
      }
    }
    return all;
  }

 private:
  std::int64_t capped(std::uint64_t leaves) const {
    return static_cast<std::int64_t>(std::min(leaves, static_cast<std::uint64_t>(separation_)));
  }
  /// `left` more free leaves before.
  Freedom later(const Freedom& freedom, std::uint64_t left) const {
    Freedom result(freedom.size());
    for (std::size_t a = 0; a < result.size(); ++a) {
      result[a] = freedom[a > left ? a - left : 0];
    }
    return result;
  }
  /// `right` more free leaves after.
  Freedom freer(const Freedom& freedom, std::uint64_t right) const {
    Freedom result = freedom;
    for (std::int64_t& free : result) {
      free = free < 0 ? -1 : std::min(separation_, free + capped(right));
    }
    return result;
  }
  Freedom both(const Freedom& first, const Freedom& second) const {
    Freedom result(first.size(), -1);
    for (std::size_t a = 0; a < result.size() && first[a] >= 0; ++a) {
      result[a] = second[static_cast<std::size_t>(std::max<std::int64_t>(0, separation_ - first[a]))];
    }
    return result;
  }
  static bool is_covered(const Freedom& by, const Freedom& freedom) {
    for (std::size_t a = 0; a < by.size() && freedom[a] >= 0; ++a) {
      if (by[a] < freedom[a]) {
        return false;
      }
    }
    return true;
  }
  void add(Ways& all, std::uint64_t count, std::uint64_t value, const Freedom& freedom) const {
    if (freedom[0] < 0) {
      return;
    }
    auto& ways = all[count];
    for (auto it = ways.begin(); it != ways.end() && it->first >= value; ++it) {
      if (is_covered(it->second, freedom)) {
        return;
      }
    }
    auto& mine = ways.try_emplace(value, Freedom(freedom.size(), -1)).first->second;
    for (std::size_t a = 0; a < mine.size(); ++a) {
      mine[a] = std::max(mine[a], freedom[a]);
    }
    std::erase_if(ways, [&](const auto& way) { return way.first < value && is_covered(mine, way.second); });
  }

  std::uint64_t most_;
  std::int64_t separation_;
};

}  // namespace

std::uint64_t tree_sensitivity_squared(const Participation& participation) {
  check(participation.most >= 1 && participation.steps >= 1, "a unit takes part in one of one or more sums");
  check(participation.steps <= (std::uint64_t{1} << 32), "a tree has at most 2^32 leaves");
  Participation bounded = participation;
  bounded.separation = std::min(bounded.separation, bounded.steps);
  const Tree tree(bounded);
  // Full trees of 1, 2, 4 ... leaves; the forest takes those in the binary digits of steps, the largest first.
  std::vector<Ways> full = {tree.leaf()};
  for (std::uint64_t leaves = 1; 2 * leaves <= bounded.steps; leaves *= 2) {
    full.push_back(tree.beside(full.back(), leaves, full.back(), leaves, true));
  }
  Ways forest = full.back();
  std::uint64_t covered = std::uint64_t{1} << (full.size() - 1);
  for (std::size_t height = full.size() - 1; height-- > 0;) {
    const std::uint64_t leaves = std::uint64_t{1} << height;
    if ((bounded.steps & leaves) != 0) {
      forest = tree.beside(forest, covered, full[height], leaves, false);
      covered += leaves;
    }
  }
  std::uint64_t most = 0;
  for (const auto& [count, ways] : forest) {
    most = std::max(most, ways.begin()->first);
  }
  return most;
}

std::uint64_t tree_depth(std::uint64_t leaves) {
  return static_cast<std::uint64_t>(std::bit_width(leaves));
}

double toeplitz_sensitivity_squared(std::span<const double> c, const Participation& participation) {
  check(participation.most >= 1 && participation.steps >= 1, "a unit takes part in one of one or more sums");
  for (std::size_t k = 0; k < c.size(); ++k) {
    if (!(c[k] >= 0 && std::isfinite(c[k])) || (k > 0 && c[k] > c[k - 1])) {
      throw bad_input("coefficient " + std::to_string(k) +
                      " of a Toeplitz matrix must be finite, not negative, and not above the one before it");
    }
  }
  const std::size_t steps = participation.steps;
  const std::size_t gap = std::min<std::size_t>(participation.separation, steps) + 1;
  std::vector<double> column(steps);
  std::size_t begin = 0;
  for (std::uint64_t time = 0; time < participation.most && begin < steps; ++time, begin += gap) {
    for (std::size_t k = 0; k < std::min(c.size(), steps - begin); ++k) {
      column[begin + k] += c[k];
    }
  }
  double sum = 0;
  for (const double value : column) {
    sum += value * value;
  }
  return sum;
}

std::vector<double> square_root_column(std::uint64_t steps) {
  std::vector<double> c(steps, 1);
  for (std::size_t k = 1; k < c.size(); ++k) {
    c[k] = c[k - 1] * static_cast<double>(2 * k - 1) / static_cast<double>(2 * k);
  }
  return c;
}

std::vector<double> buffered_column(std::span<const double> scales, std::span<const double> decays,
                                    std::uint64_t steps) {
  check(scales.size() == decays.size(), "each buffer has a scale and a decay");
  std::vector<double> c(steps);
  std::vector<double> buffers(scales.begin(), scales.end());
  for (std::size_t k = 0; k < c.size(); ++k) {
    for (std::size_t j = 0; j < buffers.size() && k > 0; ++j) {
      c[k] += buffers[j];
      buffers[j] *= decays[j];
    }
    c[k] = k == 0 ? 1 : c[k];
  }
  return c;
}

DpEvent correlated_event(double z, double sensitivity_squared) {
  check(sensitivity_squared > 0, "a unit changes something");
  return {.noise = NoiseLaw::gaussian, .noise_multiplier = z / std::sqrt(sensitivity_squared)};
}

DpEvent banded_event(double z, double sampling_rate, std::uint64_t bands, std::uint64_t steps) {
  check(bands >= 1 && steps >= 1, "there is a band and a step");
  return {.noise = NoiseLaw::gaussian,
          .noise_multiplier = z,
          .sampling_rate = sampling_rate,
          .count = (steps - 1) / bands + 1};
}

}  // namespace hanse
