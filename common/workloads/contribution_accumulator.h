#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/workloads/contribution.h"

namespace hanse {

/// Adds up what several rows of one unit touch, and writes it as sparse blocks in increasing order. Block b
/// covers entries [first + b * block_size, first + (b + 1) * block_size) of the contribution. After the first
/// units nothing is allocated, and a unit costs only what it touches.
class ContributionAccumulator {
 public:
  ContributionAccumulator(std::size_t first, std::size_t blocks, std::size_t block_size);

  /// The block's sums so far, to be added to. Valid until flush().
  std::span<double> block(std::size_t b) {
    if (!touched_[b]) {
      touched_[b] = true;
      order_.push_back(static_cast<std::uint32_t>(b));
    }
    return std::span(sums_).subspan(b * block_size_, block_size_);
  }
  double& operator[](std::size_t b) { return block(b)[0]; }

  /// Writes all that was touched and forgets it.
  void flush(Contribution& out);

 private:
  std::size_t first_;
  std::size_t block_size_;
  std::vector<double> sums_;
  std::vector<bool> touched_;
  std::vector<std::uint32_t> order_;
};

}  // namespace hanse
