#include "privacy/secure_sum/neighbours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "common/base/check.h"
#include "common/base/seeded_generator.h"

namespace hanse {

namespace {

std::uint32_t even_from(double bound) {
  const auto number = static_cast<std::uint32_t>(std::ceil(bound));
  return number + number % 2;
}

}  // namespace

std::uint32_t degree(std::uint32_t merchants, std::uint32_t wished) {
  check(merchants >= 2, "a graph has at least two merchants");
  if (merchants <= kCompleteGraphMax && wished == 0) {
    return merchants - 1;
  }
  const double scale = std::log2(merchants);
  const std::uint32_t chosen =
      wished == 0 ? even_from(kDegreeDefault * scale)
                  : std::max(even_from(std::min(wished, merchants)), even_from(kDegreeLeast * scale));
  return std::min(chosen, merchants - 1);
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
  check(holders >= 1, "a secret has at least one holder");
  const std::uint32_t majority = holders / 2 + 1;
  const std::uint32_t two_thirds = static_cast<std::uint32_t>(2 * std::uint64_t{holders} / 3 + 1);
  return std::clamp(wished > 0 ? wished : two_thirds, majority, holders);
}

}  // namespace hanse
