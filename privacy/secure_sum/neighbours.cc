#include "privacy/secure_sum/neighbours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "common/base/seeded_generator.h"

namespace hanse {

std::uint32_t degree(std::uint32_t merchants, std::uint32_t wished) {
  if (merchants <= kCompleteGraphMax && wished == 0) {
    return merchants - 1;
  }
  const std::uint32_t at_least =
      wished > 0 ? wished : static_cast<std::uint32_t>(std::ceil(8 * std::log2(merchants)));
  return std::min(at_least + at_least % 2, merchants - 1);
}

std::vector<std::vector<std::uint32_t>> neighbour_graph(std::uint32_t merchants, std::uint32_t wished,
                                                        const Digest& session_id) {
  std::vector<std::uint32_t> order(merchants);
  std::iota(order.begin(), order.end(), 0u);
  const std::uint32_t k = degree(merchants, wished);
  if (k + 1 < merchants) {
    // The order is public and the same for all; it must only be beyond anybody's choice.
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), session_id.data(), sizeof words);
    SeededGenerator generator({words[0], words[1], words[2], words[3]});
    for (std::uint32_t i = merchants; i > 1; --i) {
      std::swap(order[i - 1], order[generator.below(i)]);
    }
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

std::uint32_t holder_threshold(std::uint32_t holders, std::uint32_t wished) {
  return std::clamp(wished > 0 ? wished : 2 * holders / 3 + 1, 1u, holders);
}

}  // namespace hanse
