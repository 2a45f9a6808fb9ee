#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hanse {

/// Points side by side, `columns` numbers each.
struct NearestCentre {
  std::size_t index = 0;
  double square = 0;  ///< Of the distance.
};

/// The centre that is nearest to a point; of equal ones the first. `centres` are not empty.
NearestCentre nearest_centre(std::span<const double> point, std::span<const double> centres);

/// `count` centres for weighted points, which lower the weighted sum of squared distances to the nearest centre: the best of
/// `starts` runs of Lloyd's algorithm (1982) from starts by k-means++ (Arthur and Vassilvitskii 2007). Weights are not
/// negative. Where there are fewer points than centres some centres are alike; without points all are 0.
std::vector<double> kmeans_centres(std::span<const double> points, std::span<const double> weights,
                                   std::size_t columns, std::size_t count, int starts, std::uint64_t seed);

}  // namespace hanse
