#include "coordinator/output/chart.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace hanse {
namespace {

Chart chart_with(std::vector<ChartPoint> points) {
  Chart chart;
  chart.title = "Loss";
  chart.series = {{"Training", std::move(points)}};
  return chart;
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != text.npos; at += word.size()) {
    ++count;
  }
  return count;
}

TEST(Chart, DrawsACurveWithItsLastValue) {
  const std::string svg = chart_svg(chart_with({{1, 0.7}, {2, 0.5}, {3, 0.4125}}));

  EXPECT_EQ(count_of(svg, "<polyline"), 1u);
  EXPECT_NE(svg.find(">0.4125</text>"), std::string::npos);
  EXPECT_NE(svg.find("goes from 0.7 to 0.4125"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(Chart, OnePointIsADot) {
  const std::string svg = chart_svg(chart_with({{1, 0.5}}));

  EXPECT_EQ(count_of(svg, "<polyline"), 0u);
  EXPECT_EQ(count_of(svg, "<circle"), 1u);
  EXPECT_GE(count_of(svg, "class=\"grid\""), 2u);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST(Chart, NoPointSaysSo) {
  EXPECT_NE(chart_svg(chart_with({})).find("Nothing was recorded."), std::string::npos);
  EXPECT_NE(chart_svg(chart_with({{1, std::nan("")}})).find("Nothing was recorded."), std::string::npos);
}

TEST(Chart, TenThousandRoundsStaySmallAndKeepTheirPeaks) {
  std::vector<ChartPoint> points;
  for (int i = 1; i <= 10000; ++i) {
    points.push_back({static_cast<double>(i), i == 5003 ? 9.0 : 1.0 / i});
  }

  const auto kept = thinned(points, 240);
  const std::string svg = chart_svg(chart_with(points));

  EXPECT_LE(kept.size(), 480u);
  EXPECT_EQ(kept.front().x, 1);
  EXPECT_EQ(kept.back().x, 10000);
  EXPECT_TRUE(std::any_of(kept.begin(), kept.end(), [](const ChartPoint& p) { return p.y == 9; }));
  EXPECT_TRUE(
      std::is_sorted(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.x < b.x; }));
  EXPECT_LT(svg.size(), 20000u);
  EXPECT_NE(svg.find(">10k</text>"), std::string::npos);
}

TEST(Chart, ConstantsAndHugeNumbersHaveAxesToo) {
  for (const double value : {0.0, 5.0, -3.0, 1e12, 1e-12}) {
    const std::string svg = chart_svg(chart_with({{1, value}, {2, value}}));

    EXPECT_EQ(svg.find("nan"), std::string::npos) << value;
    EXPECT_GE(count_of(svg, "class=\"grid\""), 1u) << value;
  }
}

TEST(NiceTicks, AreOneTwoOrFiveTimesAPowerOfTen) {
  EXPECT_EQ(nice_ticks(0, 10, 5, false), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(nice_ticks(1, 3, 6, true), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(nice_ticks(0, 95, 5, false), (std::vector<double>{0, 20, 40, 60, 80}));
  EXPECT_TRUE(nice_ticks(1, 1, 5, false).empty());
}

}  // namespace
}  // namespace hanse
