#include "common/numerics/kmeans.h"

#include <algorithm>
#include <limits>

#include "common/base/check.h"
#include "common/base/seeded_generator.h"

namespace hanse {
namespace {

constexpr int kRoundsMax = 200;

struct Points {
  std::span<const double> numbers;
  std::span<const double> weights;
  std::size_t columns;

  std::size_t size() const { return weights.size(); }
  std::span<const double> operator[](std::size_t i) const { return numbers.subspan(i * columns, columns); }
};

/// Index i with probability weights[i] over their sum; the last of positive weight where rounding leaves none.
std::size_t drawn(const std::vector<double>& weights, SeededGenerator& generator) {
  double sum = 0;
  for (const double weight : weights) {
    sum += weight;
  }
  double left = generator.uniform() * sum;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) {
      chosen = i;
      if (left < weights[i]) {
        break;
      }
    }
    left -= weights[i];
  }
  return chosen;
}

std::vector<double> plus_plus_start(const Points& points, std::size_t count, SeededGenerator& generator) {
  std::vector<double> chances(points.weights.begin(), points.weights.end());
  std::vector<double> centres;
  while (centres.size() < count * points.columns) {
    const std::span<const double> centre = points[drawn(chances, generator)];
    centres.insert(centres.end(), centre.begin(), centre.end());
    for (std::size_t i = 0; i < points.size(); ++i) {
      chances[i] = points.weights[i] * nearest_centre(points[i], centres).square;
    }
  }
  return centres;
}

/// One of Lloyd's rounds; the weighted sum of squares of the centres before it.
double lloyd_round(const Points& points, std::vector<double>& centres) {
  const std::size_t columns = points.columns;
  std::vector<double> sums(centres.size(), 0.0);
  std::vector<double> weights(centres.size() / columns, 0.0);
  double inertia = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const NearestCentre nearest = nearest_centre(points[i], centres);
    inertia += points.weights[i] * nearest.square;
    weights[nearest.index] += points.weights[i];
    for (std::size_t c = 0; c < columns; ++c) {
      sums[nearest.index * columns + c] += points.weights[i] * points[i][c];
    }
  }
  for (std::size_t k = 0; k < weights.size(); ++k) {
    for (std::size_t c = 0; weights[k] > 0 && c < columns; ++c) {
      centres[k * columns + c] = sums[k * columns + c] / weights[k];
    }
  }
  return inertia;
}

}  // namespace

NearestCentre nearest_centre(std::span<const double> point, std::span<const double> centres) {
  NearestCentre nearest{.index = 0, .square = std::numeric_limits<double>::infinity()};
  for (std::size_t k = 0; (k + 1) * point.size() <= centres.size(); ++k) {
    const double* const centre = centres.data() + k * point.size();
    double square = 0;
    for (std::size_t c = 0; c < point.size(); ++c) {
      square += (point[c] - centre[c]) * (point[c] - centre[c]);
    }
    if (square < nearest.square) {
      nearest = {.index = k, .square = square};
    }
  }
  return nearest;
}

std::vector<double> kmeans_centres(std::span<const double> points, std::span<const double> weights,
                                   std::size_t columns, std::size_t count, int starts, std::uint64_t seed) {
  check(points.size() == weights.size() * columns && columns > 0 && count > 0,
        "points and weights go together");
  if (weights.empty()) {
    return std::vector<double>(count * columns, 0.0);
  }
  const Points all{.numbers = points, .weights = weights, .columns = columns};
  std::vector<double> best;
  double least = std::numeric_limits<double>::infinity();
  for (int start = 0; start < starts; ++start) {
    SeededGenerator generator{seed, static_cast<std::uint64_t>(start)};
    std::vector<double> centres = plus_plus_start(all, count, generator);
    double inertia = lloyd_round(all, centres);
    for (int round = 0; round < kRoundsMax; ++round) {
      const double before = inertia;
      inertia = lloyd_round(all, centres);
      if (!(inertia < before)) {
        break;
      }
    }
    if (inertia < least) {
      least = inertia;
      best = std::move(centres);
    }
  }
  return best;
}

}  // namespace hanse
