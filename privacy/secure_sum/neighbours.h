#pragma once

#include <cstdint>
#include <vector>

#include "privacy/crypto/digest.h"

namespace hanse {

/// Merchants up to which everyone masks with everyone; beyond, with k others.
inline constexpr std::uint32_t kCompleteGraphMax = 128;

/// Neighbours by default, and the fewest that a federation can be told to have, in units of log2(merchants).
/// For 200 to 10,000 merchants the least is above the published bound for 5 % corrupt and 5 % dropped ones
/// (security 2^-40, failure 2^-20), the default above that for 10 % and 5 %. A floor, because the coordinator
/// names the number: with two neighbours, two colluding merchants would read a third.
inline constexpr double kDegreeDefault = 8;
inline constexpr double kDegreeLeast = 5.25;

/// Number of neighbours of a merchant, out of at least 2 merchants: `wished`, rounded up to even and to the
/// least, or, left at 0, all up to kCompleteGraphMax and the default beyond; never more than merchants - 1.
std::uint32_t degree(std::uint32_t merchants, std::uint32_t wished);

/// Neighbours of every merchant, increasing. Complete, or the Harary graph over a random order of the
/// merchants drawn from the session id, in which each masks with the k / 2 next on either side (Bell et al.
/// 2020). Symmetric and connected.
std::vector<std::vector<std::uint32_t>> neighbour_graph(std::uint32_t merchants, std::uint32_t wished,
                                                        const Digest& session_id);

/// Shares that open a secret held by `holders` (neighbours and the merchant itself): `wished`, or floor(2 h /
/// 3) + 1 when that is 0. Never more than the holders and never less than a majority of them, or two halves
/// that are told opposite stories could open both secrets of a merchant.
std::uint32_t holder_threshold(std::uint32_t holders, std::uint32_t wished);
/// A merchant's neighbours and the merchant itself.
inline std::uint32_t holders_among(const std::vector<std::uint32_t>& neighbours) {
  return static_cast<std::uint32_t>(neighbours.size()) + 1;
}

}  // namespace hanse
