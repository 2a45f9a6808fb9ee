#include "common/workloads/ranking.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"

namespace hanse {
namespace {

constexpr std::size_t kShortList = 10;
constexpr std::size_t kLongList = 20;

/// What a wanted item at place 0, 1, ... counts.
double gain(std::size_t place) {
  return 1 / std::log2(static_cast<double>(place) + 2);
}

/// How many items come before `item`.
std::size_t place_of(std::uint32_t item, std::span<const float> scores, std::span<const std::uint32_t> seen) {
  const float own = scores[item];
  const auto is_before = [&](std::size_t other) {
    return scores[other] > own || (scores[other] == own && other < item) ? std::size_t{1} : std::size_t{0};
  };
  std::size_t place = 0;
  for (std::size_t other = 0; other < scores.size(); ++other) {
    place += is_before(other);
  }
  for (const std::uint32_t other : seen) {
    place -= other < scores.size() && other != item ? is_before(other) : 0;
  }
  return place;
}

}  // namespace

RankingQuality rank_items(std::span<const float> scores, std::span<const std::uint32_t> seen,
                          std::span<const std::uint32_t> wanted) {
  check(!wanted.empty(), "an item is wanted");
  RankingQuality quality;
  for (const std::uint32_t item : wanted) {
    if (item >= scores.size() || std::binary_search(seen.begin(), seen.end(), item)) {
      continue;
    }
    if (!std::isfinite(scores[item])) {
      continue;  // No number comes before or after it.
    }
    const std::size_t place = place_of(item, scores, seen);
    quality.ndcg_10 += place < kShortList ? gain(place) : 0;
    quality.hit_rate_10 = place < kShortList ? 1 : quality.hit_rate_10;
    quality.recall_20 += place < kLongList ? 1 : 0;
  }
  double best = 0;
  for (std::size_t place = 0; place < std::min(kShortList, wanted.size()); ++place) {
    best += gain(place);
  }
  quality.ndcg_10 /= best;
  quality.recall_20 /= static_cast<double>(std::min(kLongList, wanted.size()));
  return quality;
}

Metrics ranking_metrics(std::span<const double> total) {
  check(total.size() == kRankingLength, "a total is as long as its sum");
  const double customers = total[3];
  if (!(customers >= 0.5)) {
    return {};
  }
  const auto mean = [&](double sum) { return std::clamp(sum / customers, 0.0, 1.0); };
  return {{"test_ndcg_10", mean(total[0])},
          {"test_recall_20", mean(total[1])},
          {"test_hit_rate_10", mean(total[2])}};
}

}  // namespace hanse
