#include "common/workloads/score_histogram.h"

#include <cmath>

#include "common/base/seeded_generator.h"

namespace hanse {
namespace {

struct Scored {
  double logit = 0;
  bool positive = false;
};

std::vector<double> total_of(const ScoreHistogram& histogram, const std::vector<Scored>& records) {
  std::vector<double> total(histogram.length(), 0.0);
  for (const Scored& record : records) {
    const double label = record.positive ? 1 : 0;
    total[histogram.index_of(record.logit, label)] += 1;
    total[histogram.loss_index()] += ScoreHistogram::loss_entry(record.logit, label);
  }
  return total;
}

double brute_force_area(const std::vector<Scored>& records) {
  double ordered = 0;
  double pairs = 0;
  for (const Scored& a : records) {
    for (const Scored& b : records) {
      if (a.positive && !b.positive) {
        pairs += 1;
        ordered += a.logit > b.logit ? 1 : a.logit == b.logit ? 0.5 : 0;
      }
    }
  }
  return ordered / pairs;
}

TEST(ScoreHistogram, FiguresOfFiveRecordsAreThoseCountedByHand) {
  // Above 0: two positives, one negative; below: one positive, one negative. TP 2, FP 1, FN 1, TN 1.
  const ScoreHistogram histogram(4096);
  const std::vector<Scored> records{{2, true}, {1, true}, {-1, true}, {0.5, false}, {-2, false}};

  const Metrics metrics = histogram.metrics(total_of(histogram, records));

  EXPECT_NEAR(metrics.at("test_auc"), 5.0 / 6, 1e-12);
  EXPECT_NEAR(metrics.at("test_accuracy"), 3.0 / 5, 1e-12);
  EXPECT_NEAR(metrics.at("test_f1"), 2 * 2.0 / (2 * 2 + 1 + 1), 1e-12);
  const double loss = std::log1p(std::exp(-2)) + std::log1p(std::exp(-1)) + std::log1p(std::exp(1)) +
                      std::log1p(std::exp(0.5)) + std::log1p(std::exp(-2));
  EXPECT_NEAR(metrics.at("test_loss"), loss / 5, 1e-12);
}

TEST(ScoreHistogram, FurtherFiguresOfFiveRecordsAreThoseCountedByHand) {
  // TP 2, FP 1, FN 1, TN 1.
  const ScoreHistogram histogram(4096);
  const std::vector<Scored> records{{2, true}, {1, true}, {-1, true}, {0.5, false}, {-2, false}};

  const Metrics metrics = histogram.further_metrics(total_of(histogram, records));

  EXPECT_NEAR(metrics.at("test_precision"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("test_recall"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("test_mcc"), (2.0 * 1 - 1 * 1) / std::sqrt(3.0 * 3 * 2 * 2), 1e-12);
  // Bands 0.8-0.9: 0.881 true; 0.7-0.8: 0.731 true; 0.6-0.7: 0.622 false; 0.2-0.3: 0.269 true; 0.1-0.2: 0.119 false.
  EXPECT_NEAR(metrics.at("test_calibration_error"),
              ((1 - 0.8808) + (1 - 0.7311) + 0.6225 + (1 - 0.2689) + 0.1192) / 5, 1e-3);
  // Of two negatives one may be above the threshold, which then is just above the other, below all positives.
  EXPECT_NEAR(metrics.at("true_positive_rate[false positive rate=0.5]"), 1, 1e-12);
  EXPECT_NEAR(metrics.at("true_positive_rate[false positive rate=0.01]"), 2.0 / 3, 1e-12);
}

TEST(ScoreHistogram, SaysThatCalibratedScoresAre) {
  const ScoreHistogram histogram(4096);
  SeededGenerator generator{4};
  std::vector<Scored> honest, boastful;
  for (int i = 0; i < 20000; ++i) {
    const double logit = 2 * generator.normal();
    const bool positive = generator.uniform() < 1 / (1 + std::exp(-logit));
    honest.push_back({logit, positive});
    boastful.push_back({3 * logit, positive});
  }

  const Metrics fair = histogram.further_metrics(total_of(histogram, honest));

  EXPECT_LT(fair.at("test_calibration_error"), 0.02);
  EXPECT_GT(histogram.further_metrics(total_of(histogram, boastful)).at("test_calibration_error"), 0.1);
  EXPECT_NEAR(fair.at("came_true[predicted probability=0.3-0.4]"),
              fair.at("predicted[predicted probability=0.3-0.4]"), 0.05);
}

TEST(ScoreHistogram, AreaIsThatOfAllPairsWithTiesCountingOneHalf) {
  const ScoreHistogram histogram(4096);
  SeededGenerator generator{3};
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<Scored> records;
    for (int i = 0; i < 60; ++i) {
      const bool positive = generator.below(3) == 0;
      // Few different scores, so that ties abound.
      records.push_back(
          {.logit = static_cast<double>(generator.below(9)) - (positive ? 3.0 : 4.0), .positive = positive});
    }

    EXPECT_NEAR(histogram.metrics(total_of(histogram, records)).at("test_auc"), brute_force_area(records),
                1e-12);
  }
}

TEST(ScoreHistogram, AreaOfEqualScoresIsOneHalf) {
  const ScoreHistogram histogram(32);

  const Metrics metrics = histogram.metrics(total_of(histogram, {{1, true}, {1, false}, {1, false}}));

  EXPECT_EQ(metrics.at("test_auc"), 0.5);
}

TEST(ScoreHistogram, LeavesOutWhatIsUndefined) {
  const ScoreHistogram histogram(32);

  const Metrics nobody = histogram.metrics(std::vector<double>(histogram.length(), 0.0));
  const Metrics negatives = histogram.metrics(total_of(histogram, {{-1, false}}));

  EXPECT_TRUE(nobody.empty());
  EXPECT_FALSE(negatives.contains("test_auc"));
  EXPECT_FALSE(negatives.contains("test_f1"));
  EXPECT_EQ(negatives.at("test_accuracy"), 1);
}

TEST(ScoreHistogram, TheMiddleOfTheBinsIsLogitZero) {
  const ScoreHistogram histogram(32);

  EXPECT_EQ(histogram.bin_of(0), 16u);
  EXPECT_EQ(histogram.bin_of(-1e-9), 15u);
  EXPECT_EQ(histogram.bin_of(-1e9), 0u);
  EXPECT_EQ(histogram.bin_of(1e9), 31u);
}

TEST(ScoreHistogram, NoRecordIsLongerThanTheNormItPromises) {
  for (const double logit : {-1e6, -4.0, 0.0, 4.0, 1e6}) {
    for (const double label : {0.0, 1.0}) {
      const double loss = ScoreHistogram::loss_entry(logit, label);
      EXPECT_LE(std::sqrt(1 + loss * loss), ScoreHistogram::record_norm());
    }
  }
}

TEST(ScoreHistogram, FiguresOfNoiseAloneStayPossible) {
  const ScoreHistogram histogram(32);
  SeededGenerator generator{6};

  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> noise(histogram.length());
    for (double& entry : noise) {
      entry = 10 * generator.normal();
    }
    for (const auto& [name, figure] : histogram.metrics(noise)) {
      EXPECT_GE(figure, 0) << name;
      EXPECT_TRUE(name == "test_loss" || name == "test_rows" || figure <= 1) << name;
    }
  }
}

TEST(ScoreHistogram, NoiseOnManyEmptyBinsDoesNotPullTheAreaTowardsOneHalf) {
  const ScoreHistogram histogram(32);
  SeededGenerator generator{8};
  std::vector<Scored> records;
  for (int i = 0; i < 5000; ++i) {
    const bool positive = i % 5 == 0;
    records.push_back({.logit = generator.normal() + (positive ? 0.5 : -1.5), .positive = positive});
  }
  const std::vector<double> exact = total_of(histogram, records);
  double error = 0;

  for (int trial = 0; trial < 100; ++trial) {
    std::vector<double> noisy = exact;
    for (double& entry : noisy) {
      entry += 10 * generator.normal();
    }
    error += (histogram.metrics(noisy).at("test_auc") - histogram.metrics(exact).at("test_auc")) / 100;
  }

  EXPECT_NEAR(error, 0, 0.01);  // One trial has a deviation of about 0.03.
}

}  // namespace
}  // namespace hanse
