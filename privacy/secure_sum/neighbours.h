#pragma once

#include <cstdint>
#include <vector>

#include "privacy/crypto/digest.h"

namespace hanse {

/// Merchants up to which everyone masks with everyone; beyond, with k others.
inline constexpr std::uint32_t kCompleteGraphMax = 128;

/// The k neighbours of every merchant, increasing. With k = merchants - 1 all others; with fewer, which must be
/// an even number, the Harary graph over a random order of the merchants drawn from `order`, in which each masks
/// with the k / 2 next on either side (Bell et al. 2020). Symmetric, connected, exactly k-regular.
std::vector<std::vector<std::uint32_t>> neighbour_graph(std::uint32_t merchants, std::uint32_t k,
                                                        const Digest& order);

/// A merchant's neighbours and the merchant itself.
inline std::uint32_t holders_among(const std::vector<std::uint32_t>& neighbours) {
  return static_cast<std::uint32_t>(neighbours.size()) + 1;
}

/// How many shares open a secret: the same number in every round, or one that follows the holders invited.
struct ThresholdRule {
  std::uint32_t fixed = 0;    ///< 0: follows.
  std::uint32_t corrupt = 0;  ///< Most corrupt holders of one merchant's secrets.
};

/// Shares that open a secret held by `holders` invited merchants, itself included: the fixed number, or
/// max(floor(2 h / 3), floor((h + c) / 2)) + 1. Then h + c < 2 t: two halves that are told opposite stories,
/// with c holders in both, cannot open both secrets of a merchant. More than `holders` means that a round with
/// so few is refused.
std::uint32_t holder_threshold(std::uint32_t holders, const ThresholdRule& rule);

}  // namespace hanse
