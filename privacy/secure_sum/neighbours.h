#pragma once

#include <cstdint>
#include <vector>

#include "privacy/crypto/digest.h"

namespace hanse {

/// Merchants up to which everyone masks with everyone; beyond, with k others (secure-aggregation.md, 6.5).
inline constexpr std::uint32_t kCompleteGraphMax = 128;

/// Number of neighbours of a merchant: merchants - 1 up to kCompleteGraphMax or when `wished` is as large;
/// else `wished` rounded up to even, or, left at 0, the even number from 8 log2(merchants), which is above
/// the published bounds for 5 % corrupt and 5 % dropped merchants at every size.
std::uint32_t degree(std::uint32_t merchants, std::uint32_t wished);

/// Neighbours of every merchant, increasing. Complete, or the Harary graph over a random order of the
/// merchants drawn from the session id, in which each masks with the k / 2 next on either side (Bell et al.
/// 2020). Symmetric and connected.
std::vector<std::vector<std::uint32_t>> neighbour_graph(std::uint32_t merchants, std::uint32_t wished,
                                                        const Digest& session_id);

/// Shares that open a secret held by `holders` (neighbours and the merchant itself): `wished`, or floor(2 h /
/// 3) + 1 when that is 0; between 1 and `holders`.
std::uint32_t holder_threshold(std::uint32_t holders, std::uint32_t wished);

}  // namespace hanse
