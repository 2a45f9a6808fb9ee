#include "common/workloads/contribution_accumulator.h"

#include <algorithm>

namespace hanse {

ContributionAccumulator::ContributionAccumulator(std::size_t first, std::size_t blocks,
                                                 std::size_t block_size)
    : first_(first), block_size_(block_size), sums_(blocks * block_size, 0.0), touched_(blocks, false) {}

void ContributionAccumulator::flush(Contribution& out) {
  std::sort(order_.begin(), order_.end());
  for (std::size_t i = 0; i < order_.size();) {
    std::size_t end = i + 1;
    while (end < order_.size() && order_[end] == order_[end - 1] + 1) {
      ++end;
    }
    const std::size_t begin = std::size_t{order_[i]} * block_size_;
    const std::span<double> run = std::span(sums_).subspan(begin, (end - i) * block_size_);
    out.add_block(first_ + begin, run);
    std::fill(run.begin(), run.end(), 0.0);
    for (; i < end; ++i) {
      touched_[order_[i]] = false;
    }
  }
  order_.clear();
}

}  // namespace hanse
