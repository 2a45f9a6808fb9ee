#include "coordinator/output/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "coordinator/output/text.h"

namespace hanse {
namespace {

/// The drawing area in SVG units; on a wide screen one is a bit more than a pixel.
constexpr double kWidth = 460, kHeight = 250;
constexpr double kLeft = 52, kRight = 18, kTop = 14, kBottom = 40;
constexpr double kPlotRight = kWidth - kRight, kPlotBottom = kHeight - kBottom;
constexpr std::size_t kBuckets = 240;

struct Range {
  double low = 0;
  double high = 1;
};

std::string at(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

std::string tick_text(double value) {
  const double size = std::fabs(value);
  if (size >= 1e6) {
    return number_text(value / 1e6, 4) + "M";
  }
  if (size >= 1e4) {
    return number_text(value / 1e3, 4) + "k";
  }
  return number_text(std::fabs(value) < 1e-12 ? 0 : value, 4);
}

Range widened(Range range, double least) {
  if (range.high - range.low >= least) {
    return range;
  }
  const double middle = (range.high + range.low) / 2;
  return {middle - least / 2, middle + least / 2};
}

Range x_range(const std::vector<ChartSeries>& series) {
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const ChartSeries& one : series) {
    range.low = std::min(range.low, one.points.front().x);
    range.high = std::max(range.high, one.points.back().x);
  }
  return widened(range, 2);
}

Range y_range(const Chart& chart, const std::vector<ChartSeries>& series) {
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  const auto include = [&](double y) {
    range.low = std::min(range.low, y);
    range.high = std::max(range.high, y);
  };
  for (const ChartSeries& one : series) {
    for (const ChartPoint& point : one.points) {
      include(point.y);
    }
  }
  if (chart.limit) {
    include(*chart.limit);
  }
  if (chart.from_zero) {
    include(0);
  }
  const double size = std::max(std::fabs(range.low), std::fabs(range.high));
  range = widened(range, chart.whole ? 2 : std::max(size * 0.02, 1e-9));
  const double margin = 0.12 * (range.high - range.low);
  return {chart.from_zero && range.low >= 0 ? range.low : range.low - margin, range.high + margin};
}

/// Where data lies on the page.
struct Scale {
  Range x, y;
  double left(double value) const {
    return kLeft + (value - x.low) / (x.high - x.low) * (kPlotRight - kLeft);
  }
  double top(double value) const {
    return kPlotBottom - (value - y.low) / (y.high - y.low) * (kPlotBottom - kTop);
  }
};

void draw_text(std::string& svg, double x, double y, const char* kind, const char* anchor,
               const std::string& text) {
  svg += "<text class=\"" + std::string(kind) + "\" x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" +
         anchor + "\">" + escaped(text) + "</text>";
}

void draw_line(std::string& svg, const char* kind, double x1, double y1, double x2, double y2) {
  svg += "<line class=\"" + std::string(kind) + "\" x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" +
         at(x2) + "\" y2=\"" + at(y2) + "\"/>";
}

void draw_axes(std::string& svg, const Chart& chart, const Scale& scale) {
  for (const double tick : nice_ticks(scale.y.low, scale.y.high, 5, chart.whole)) {
    draw_line(svg, "grid", kLeft, scale.top(tick), kPlotRight, scale.top(tick));
    draw_text(svg, kLeft - 8, scale.top(tick) + 4, "label", "end", tick_text(tick));
  }
  for (const double tick : nice_ticks(scale.x.low, scale.x.high, 6, true)) {
    draw_line(svg, "axis", scale.left(tick), kPlotBottom, scale.left(tick), kPlotBottom + 4);
    draw_text(svg, scale.left(tick), kPlotBottom + 17, "label", "middle", tick_text(tick));
  }
  draw_line(svg, "axis", kLeft, kPlotBottom, kPlotRight, kPlotBottom);
  draw_text(svg, (kLeft + kPlotRight) / 2, kHeight - 5, "label", "middle", chart.x_label);
}

void draw_limit(std::string& svg, const Chart& chart, const Scale& scale) {
  if (chart.limit) {
    const double y = scale.top(*chart.limit);
    draw_line(svg, "limit", kLeft, y, kPlotRight, y);
    draw_text(svg, kLeft + 6, y + (y - kTop < 12 ? 14 : -5), "limit-label", "start", chart.limit_label);
  }
}

void draw_curve(std::string& svg, const ChartSeries& series, std::size_t index, const Scale& scale) {
  const std::string colour = "s" + std::to_string(index % 4);
  if (series.points.size() > 1) {
    svg += "<polyline class=\"curve " + colour + "\" points=\"";
    for (const ChartPoint& point : thinned(series.points, kBuckets)) {
      svg += at(scale.left(point.x)) + "," + at(scale.top(point.y)) + " ";
    }
    svg.back() = '"';
    svg += "/>";
  }
  const ChartPoint last = series.points.back();
  svg += "<circle class=\"dot " + colour + "\" cx=\"" + at(scale.left(last.x)) + "\" cy=\"" +
         at(scale.top(last.y)) + "\" r=\"3.5\"/>";
}

/// The last values stand above their dots, the lowest of several below its own, and never on each other.
void draw_last_values(std::string& svg, const std::vector<ChartSeries>& series, const Scale& scale,
                      bool whole) {
  std::vector<std::pair<double, std::size_t>> places;
  for (std::size_t i = 0; i < series.size(); ++i) {
    places.emplace_back(scale.top(series[i].points.back().y), i);
  }
  std::sort(places.begin(), places.end());
  double free = kTop;
  for (std::size_t rank = 0; rank < places.size(); ++rank) {
    const auto& [dot, i] = places[rank];
    const bool below = dot - kTop < 14 || (rank > 0 && rank + 1 == places.size());
    const double y = std::max(below ? std::min(dot + 17, kPlotBottom - 3) : dot - 9, free);
    free = y + 14;
    const ChartPoint last = series[i].points.back();
    const double x = scale.left(last.x);
    const bool right = x > kWidth - 60;
    draw_text(svg, right ? std::min(x + 6, kWidth - 4) : x, y, ("value t" + std::to_string(i % 4)).c_str(),
              right ? "end" : "middle", number_text(last.y, whole ? 6 : 4));
  }
}

std::vector<ChartSeries> finite(const std::vector<ChartSeries>& all) {
  std::vector<ChartSeries> kept;
  for (ChartSeries series : all) {
    std::erase_if(series.points,
                  [](const ChartPoint& p) { return !std::isfinite(p.x) || !std::isfinite(p.y); });
    if (!series.points.empty()) {
      kept.push_back(std::move(series));
    }
  }
  return kept;
}

std::string legend(const std::vector<ChartSeries>& series) {
  if (series.size() < 2) {
    return "";
  }
  std::string html = "<div class=\"legend\">";
  for (std::size_t i = 0; i < series.size(); ++i) {
    html += "<span><i class=\"k" + std::to_string(i % 4) + "\"></i>" + escaped(series[i].label) + "</span>";
  }
  return html + "</div>";
}

/// What the picture shows, for those who hear it.
std::string description(const Chart& chart, const std::vector<ChartSeries>& series) {
  std::string text = chart.title + " against " + chart.x_label;
  for (const ChartSeries& one : series) {
    text += "; " + one.label + " goes from " + number_text(one.points.front().y) + " to " +
            number_text(one.points.back().y);
  }
  return text;
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, std::size_t wanted, bool whole) {
  std::vector<double> ticks;
  const double span = high - low;
  if (!(span > 0) || !std::isfinite(span) || wanted == 0) {
    return ticks;
  }
  const double rough = span / static_cast<double>(wanted);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double lead = rough / power;
  double step = power * (lead <= 1.0 ? 1 : lead <= 2.0 ? 2 : lead <= 5.0 ? 5 : 10);
  if (whole) {
    step = std::max(1.0, step);
  }
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1) {
    ticks.push_back(i * step);
  }
  return ticks;
}

std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& points, std::size_t buckets) {
  if (points.size() <= 2 * buckets || buckets < 2) {
    return points;
  }
  std::vector<ChartPoint> kept = {points.front()};
  const std::size_t inner = points.size() - 2;
  for (std::size_t bucket = 0; bucket + 1 < buckets; ++bucket) {
    const auto begin = points.begin() + 1 + static_cast<std::ptrdiff_t>(bucket * inner / (buckets - 1));
    const auto end = points.begin() + 1 + static_cast<std::ptrdiff_t>((bucket + 1) * inner / (buckets - 1));
    auto [low, high] =
        std::minmax_element(begin, end, [](const auto& a, const auto& b) { return a.y < b.y; });
    if (high < low) {
      std::swap(low, high);
    }
    kept.push_back(*low);
    if (low != high) {
      kept.push_back(*high);
    }
  }
  kept.push_back(points.back());
  return kept;
}

std::string chart_svg(const Chart& chart) {
  const std::vector<ChartSeries> series = finite(chart.series);
  std::string html = "<figure class=\"chart\"><figcaption>" + escaped(chart.title) + "</figcaption>";
  if (series.empty()) {
    return html + "<p class=\"empty\">Nothing was recorded.</p></figure>\n";
  }
  const Scale scale{x_range(series), y_range(chart, series)};
  html += legend(series);
  html += "<svg viewBox=\"0 0 " + at(kWidth) + " " + at(kHeight) + "\" role=\"img\" aria-label=\"" +
          escaped(description(chart, series)) + "\">";
  draw_axes(html, chart, scale);
  draw_limit(html, chart, scale);
  for (std::size_t i = 0; i < series.size(); ++i) {
    draw_curve(html, series[i], i, scale);
  }
  draw_last_values(html, series, scale, chart.whole);
  return html + "</svg></figure>\n";
}

}  // namespace hanse
