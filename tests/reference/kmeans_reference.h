#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "common/base/seeded_generator.h"

/// k-means in the plainest centralised code, which sees all points: k-means++ (Arthur and Vassilvitskii 2007), Lloyd's rounds
/// until nothing falls any more, the best of several starts.
namespace hanse::reference {

using Points = std::vector<std::vector<double>>;

inline double squared_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double square = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    square += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return square;
}

inline std::size_t nearest(const std::vector<double>& point, const Points& centres) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < centres.size(); ++k) {
    best = squared_distance(point, centres[k]) < squared_distance(point, centres[best]) ? k : best;
  }
  return best;
}

inline double inertia(const Points& points, const Points& centres) {
  double sum = 0;
  for (const std::vector<double>& point : points) {
    sum += squared_distance(point, centres[nearest(point, centres)]);
  }
  return sum;
}

/// One of Lloyd's rounds; a centre without points stays.
inline Points lloyd(const Points& points, const Points& centres) {
  Points sums(centres.size(), std::vector<double>(points[0].size(), 0.0));
  std::vector<double> counts(centres.size(), 0.0);
  for (const std::vector<double>& point : points) {
    const std::size_t k = nearest(point, centres);
    counts[k] += 1;
    for (std::size_t c = 0; c < point.size(); ++c) {
      sums[k][c] += point[c];
    }
  }
  Points moved = centres;
  for (std::size_t k = 0; k < centres.size(); ++k) {
    for (std::size_t c = 0; counts[k] > 0 && c < sums[k].size(); ++c) {
      moved[k][c] = sums[k][c] / counts[k];
    }
  }
  return moved;
}

inline Points kmeans(const Points& points, std::size_t count, int starts) {
  Points best;
  double least = std::numeric_limits<double>::infinity();
  for (int start = 0; start < starts; ++start) {
    SeededGenerator generator{77, static_cast<std::uint64_t>(start)};
    Points centres = {points[generator.below(points.size())]};
    std::vector<double> squares(points.size(), std::numeric_limits<double>::infinity());
    while (centres.size() < count) {
      double sum = 0;
      for (std::size_t i = 0; i < points.size(); ++i) {
        squares[i] = std::min(squares[i], squared_distance(points[i], centres.back()));
        sum += squares[i];
      }
      double left = generator.uniform() * sum;
      std::size_t chosen = 0;
      while (chosen + 1 < points.size() && left >= squares[chosen]) {
        left -= squares[chosen++];
      }
      centres.push_back(points[chosen]);
    }
    double now = inertia(points, centres);
    for (double before = std::numeric_limits<double>::infinity(); now < before;) {
      before = now;
      centres = lloyd(points, centres);
      now = inertia(points, centres);
    }
    if (now < least) {
      least = now;
      best = centres;
    }
  }
  return best;
}

}  // namespace hanse::reference
