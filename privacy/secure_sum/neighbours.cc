#include "privacy/secure_sum/neighbours.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "common/base/check.h"
#include "common/base/seeded_generator.h"

namespace hanse {

std::vector<std::vector<std::uint32_t>> neighbour_graph(std::uint32_t merchants, std::uint32_t k,
                                                        const Digest& order_digest) {
  check(merchants >= 2 && k >= 1 && (k + 1 >= merchants || k % 2 == 0),
        "a graph has at least two merchants, and on a ring an even number of neighbours");
  std::vector<std::uint32_t> order(merchants);
  std::iota(order.begin(), order.end(), 0u);
  if (k + 1 < merchants) {
    // The order is public and the same for all; it must only be beyond anybody's choice.
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), order_digest.data(), sizeof words);
    SeededGenerator generator({words[0], words[1], words[2], words[3]});
    shuffle(std::span(order), generator);
  }
  std::vector<std::vector<std::uint32_t>> neighbours(merchants);
  for (std::uint32_t place = 0; place < merchants; ++place) {
    std::vector<std::uint32_t>& list = neighbours[order[place]];
    if (k + 1 >= merchants) {
      std::ranges::copy_if(order, std::back_inserter(list),
                           [&](std::uint32_t other) { return other != order[place]; });
    } else {
      for (std::uint32_t distance = 1; distance <= k / 2; ++distance) {
        list.push_back(order[(place + distance) % merchants]);
        list.push_back(order[(place + merchants - distance) % merchants]);
      }
    }
    std::ranges::sort(list);
  }
  return neighbours;
}

std::uint32_t holder_threshold(std::uint32_t holders, const ThresholdRule& rule) {
  check(holders >= 1, "a secret has at least one holder");
  if (rule.fixed > 0) {
    return rule.fixed;
  }
  return std::max(static_cast<std::uint32_t>(2 * std::uint64_t{holders} / 3), (holders + rule.corrupt) / 2) +
         1;
}

}  // namespace hanse
