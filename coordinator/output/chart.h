#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace hanse {

/// A point of a curve; points of a series have increasing x.
struct ChartPoint {
  double x = 0;
  double y = 0;
};

struct ChartSeries {
  std::string label;
  std::vector<ChartPoint> points;
};

/// A line chart as inline SVG: axes, ticks, gridlines, a legend when there are several series, the last value
/// marked. Colours come from the page's CSS (classes s0, s1, ...; grid, axis, label, limit), so it works in
/// light and dark.
struct Chart {
  std::string title;
  std::string x_label = "round";
  std::vector<ChartSeries> series;
  std::optional<double> limit;  ///< A dashed level: the budget, the number of merchants.
  std::string limit_label;
  bool from_zero = false;
  bool whole = false;  ///< Values are counts: ticks are whole numbers.
};

/// Points of thousands of rounds are thinned to the lowest and highest of each pixel column. Not finite ones
/// are left out. Without any point the chart says so.
std::string chart_svg(const Chart& chart);

/// Round ticks (1, 2 or 5 times a power of ten) within [low, high], about `wanted` of them.
std::vector<double> nice_ticks(double low, double high, std::size_t wanted, bool whole);

/// At most 2 * buckets points: of each of `buckets` equal parts the lowest and the highest, in their order,
/// and always the first and the last point.
std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& points, std::size_t buckets);

}  // namespace hanse
