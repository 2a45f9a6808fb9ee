#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/workloads/contribution.h"

namespace hanse {

/// A table of counts that is released without noise: merchants' vectors are added, with a mark beside each cell that a merchant has,
///
///   [count of cell 1] ... [count of cell n] [merchants of cell 1] ... [merchants of cell n]
///
/// and a cell of fewer than `min_contributors` merchants counts as empty: no count is one merchant's own. Where that is 1, or a
/// single merchant has nobody to hide among, there are no marks.
struct MarkedCells {
  std::size_t cells = 0;
  std::uint32_t min_contributors = 1;

  bool marked() const { return min_contributors > 1; }
  std::size_t length() const { return marked() ? 2 * cells : cells; }

  /// Behind the counts of a whole merchant in `out`, its marks.
  void mark(Contribution& out) const {
    if (!marked()) {
      return;
    }
    std::vector<std::size_t> touched;
    for_each_entry(out, [&](std::size_t cell, double) { touched.push_back(cell); });
    for (const std::size_t cell : touched) {
      out.add(cells + cell, 1);
    }
  }

  /// The counts of a total, hidden ones as 0.
  std::vector<double> counts(std::span<const double> total) const {
    std::vector<double> counts(total.begin(), total.begin() + static_cast<std::ptrdiff_t>(cells));
    for (std::size_t cell = 0; marked() && cell < cells; ++cell) {
      counts[cell] = total[cells + cell] < min_contributors - 0.5 ? 0 : counts[cell];
    }
    return counts;
  }
};

}  // namespace hanse
