#pragma once

#include <cstdint>
#include <span>

#include "common/workloads/model.h"

namespace hanse {

/// How good a customer's ranked list of items is; each figure is in [0, 1].
struct RankingQuality {
  double ndcg_10 =
      0;  ///< Sum over the wanted items among the first 10 of 1 / log2(place + 1), places from 1, over its maximum.
  double recall_20 = 0;    ///< Wanted items among the first 20, over min(20, wanted items).
  double hit_rate_10 = 0;  ///< 1 when a wanted item is among the first 10.
};

/// Ranks all items by `scores`, the highest first and of equal ones the lower index, without those in `seen`, and compares
/// with the `wanted` ones. Both increase; items beyond the scores are on no list, so that a wanted one is missed. There is
/// a wanted item.
RankingQuality rank_items(std::span<const float> scores, std::span<const std::uint32_t> seen,
                          std::span<const std::uint32_t> wanted);

/// The private sum of it over customers: the three figures, then the number of customers. A customer's vector has a norm of
/// at most 2.
inline constexpr std::size_t kRankingLength = 4;
inline constexpr double kRankingNorm = 2;
/// test_ndcg_10, test_recall_20, test_hit_rate_10 of a total: means over customers. Nothing when there are none.
Metrics ranking_metrics(std::span<const double> total);

}  // namespace hanse
