#include "common/numerics/smoothing.h"

#include <cmath>

#include "common/base/seeded_generator.h"
#include "common/numerics/normal.h"
#include "tests/reference/smoothing_reference.h"

namespace hanse {
namespace {

std::vector<double> noisy(std::size_t count, double trend, double season, double noise) {
  SeededGenerator generator{17};
  std::vector<double> series;
  for (std::size_t t = 0; t < count; ++t) {
    series.push_back(100 + trend * static_cast<double>(t) + (t % 4 == 0 ? season : -season / 3) +
                     noise * generator.normal());
  }
  return series;
}

double mean_square(const std::vector<double>& series, const std::vector<double>& ahead, std::size_t begin) {
  double sum = 0;
  for (std::size_t t = begin; t < series.size(); ++t) {
    sum += (series[t] - ahead[t]) * (series[t] - ahead[t]);
  }
  return sum / static_cast<double>(series.size() - begin);
}

TEST(Smoothing, ForecastsByHand) {
  const std::vector<double> series = {10, 20, 40};

  EXPECT_EQ(forecast({.method = Smoothing::naive}, series, 2), (std::vector<double>{40, 40}));
  EXPECT_EQ(forecast({.method = Smoothing::moving_average, .window = 2}, series, 1),
            (std::vector<double>{30}));
  // 10; 15; 27.5.
  EXPECT_EQ(forecast({.method = Smoothing::simple, .level = 0.5}, series, 1), (std::vector<double>{27.5}));
  // Level 20 and trend 10; 40 is met by 30: level 35, trend 10 + 0.5 (15 - 10) = 12.5.
  EXPECT_EQ(forecast({.method = Smoothing::holt, .level = 0.5, .trend = 0.5}, series, 2),
            (std::vector<double>{47.5, 60}));
}

TEST(Smoothing, ErrorsEqualTheRecursionWrittenOut) {
  const std::vector<double> series = noisy(40, 1, 5, 3);

  EXPECT_NEAR(mean_square_ahead({.method = Smoothing::simple, .level = 0.3}, series, 0),
              mean_square(series, reference::simple_ahead(series, 0.3), 1), 1e-9);
  EXPECT_NEAR(mean_square_ahead({.method = Smoothing::holt, .level = 0.4, .trend = 0.2}, series, 25),
              mean_square(series, reference::holt_ahead(series, 0.4, 0.2), 25), 1e-9);
}

TEST(Smoothing, HoltWintersBeginsWithATrendThatIsNotInItsSeason) {
  const SmoothingModel model{
      .method = Smoothing::holt_winters, .level = 0.3, .trend = 0.2, .season = 0.1, .period = 4};
  std::vector<double> seen;
  for (int t = 0; t < 8; ++t) {
    seen.push_back(t + (t % 4 == 2 ? 10 : 0));
  }

  const std::vector<double> next = forecast(model, seen, 4);

  for (int h = 0; h < 4; ++h) {
    EXPECT_NEAR(next[static_cast<std::size_t>(h)], 8 + h + (h == 2 ? 10 : 0), 1e-9);
  }
}

TEST(Smoothing, HoltContinuesALineAndHoltWintersALineWithASeason) {
  const std::vector<double> line = noisy(30, 2, 0, 0);
  const std::vector<double> wave = noisy(32, 2, 9, 0);

  const auto straight = forecast({.method = Smoothing::holt, .level = 0.3, .trend = 0.2}, line, 3);
  const auto waving = forecast(
      {.method = Smoothing::holt_winters, .level = 0.3, .trend = 0.2, .season = 0.2, .period = 4}, wave, 4);

  for (std::size_t h = 0; h < 3; ++h) {
    EXPECT_NEAR(straight[h], 100 + 2 * static_cast<double>(30 + h), 1e-9);
  }
  const std::vector<double> longer = noisy(36, 2, 9, 0);
  for (std::size_t h = 0; h < 4; ++h) {
    EXPECT_NEAR(waving[h], longer[32 + h], 1.5);  // The first season's own slope is in what it begins with.
  }
}

TEST(Smoothing, TheFitIsBetterThanAnyGridOfParameters) {
  const std::vector<double> series = noisy(60, 0.5, 0, 4);

  const SmoothingModel simple = fitted(Smoothing::simple, series, 0);
  const SmoothingModel holt = fitted(Smoothing::holt, series, 0);

  for (double level = 0.05; level < 1; level += 0.05) {
    EXPECT_LE(mean_square_ahead(simple, series, 0),
              mean_square_ahead({.method = Smoothing::simple, .level = level}, series, 0) + 1e-3);
    for (double trend = 0.05; trend < 1; trend += 0.05) {
      EXPECT_LE(
          mean_square_ahead(holt, series, 0),
          mean_square_ahead({.method = Smoothing::holt, .level = level, .trend = trend}, series, 0) + 0.05);
    }
  }
}

TEST(Smoothing, TheMethodFollowsTheSeries) {
  EXPECT_EQ(chosen(noisy(60, 3, 0, 1), 8, 0).method, Smoothing::holt);
  EXPECT_EQ(chosen(noisy(60, 1, 30, 1), 8, 4).method, Smoothing::holt_winters);
}

TEST(Smoothing, OfAShortSeriesTakesTheLastValue) {
  EXPECT_EQ(chosen(std::vector<double>{1, 2, 3}, 2, 0).method, Smoothing::naive);
  EXPECT_EQ(chosen(std::vector<double>{1, 2, 3}, 3, 0).method, Smoothing::naive);
  EXPECT_FALSE(can_fit(Smoothing::holt_winters, 100, 0));
  EXPECT_FALSE(can_fit(Smoothing::holt_winters, 19, 4));
  EXPECT_TRUE(can_fit(Smoothing::holt_winters, 20, 4));
}

TEST(Smoothing, AConstantSeriesIsForeseenWithoutAnError) {
  const std::vector<double> series(30, 7.0);

  const SmoothingModel model = chosen(series, 5, 0);

  EXPECT_NEAR(forecast(model, series, 1)[0], 7, 1e-12);
  EXPECT_NEAR(mean_square_ahead(model, series, 0), 0, 1e-20);
}

TEST(Smoothing, ErrorsGrowByHand) {
  const ErrorGrowth simple = error_growth({.method = Smoothing::simple, .level = 0.5}, 3);
  const ErrorGrowth holt = error_growth({.method = Smoothing::holt, .level = 0.5, .trend = 1}, 2);

  EXPECT_EQ(simple.one, (std::vector<double>{1, 1.25, 1.5}));
  EXPECT_EQ(simple.total, (std::vector<double>{1, 1 + 2.25, 1 + 2.25 + 4}));
  EXPECT_EQ(holt.one, (std::vector<double>{1, 2}));  // psi_1 = 0.5 (1 + 1).
  EXPECT_EQ(error_growth({.method = Smoothing::naive}, 2).one, (std::vector<double>{1, 2}));
}

// A random walk observed without noise: its total over three weeks has variance 1 + 4 + 9, and one order in twenty is late.
TEST(Smoothing, TheReorderPointIsExceededAsOftenAsItSays) {
  const ErrorGrowth growth = error_growth({.method = Smoothing::naive}, 3);
  const ReorderPoint point = reorder_point(std::vector<double>{50, 50, 50}, growth, 2, 3, 0.95);
  SeededGenerator generator{5};
  int late = 0;

  for (int trial = 0; trial < 20000; ++trial) {
    double demand = 50;
    double total = 0;
    for (int week = 0; week < 3; ++week) {
      demand += 2 * generator.normal();
      total += demand;
    }
    late += total > point.reorder_point ? 1 : 0;
  }

  EXPECT_NEAR(point.safety_stock, normal_quantile(0.95) * 2 * std::sqrt(14.0), 1e-9);
  EXPECT_EQ(point.expected, 150);
  EXPECT_NEAR(late, 1000, 5 * 31);
}

}  // namespace
}  // namespace hanse
