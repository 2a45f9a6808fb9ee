#include "common/workloads/confusion.h"

#include <cmath>

#include "common/numerics/row_table.h"
#include "common/numerics/softmax.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

/// Three classes: of 4 rows of a, 3 are told and one is taken for b; both rows of b are told; the 2 of c are taken for a and b.
std::vector<double> small_total() {
  return {3,       1,       0,  //
          0,       2,       0,  //
          1,       1,       0,  //
          8 / 2.0, 5 / 2.0, 4.0 / 32};
}

Confusion small() {
  return Confusion({"a", "b", "c"}, {});
}

TEST(Confusion, FiguresAreThoseOfTheTable) {
  const Metrics metrics = small().metrics(small_total());

  EXPECT_DOUBLE_EQ(metrics.at("test_accuracy"), 5.0 / 8);
  EXPECT_DOUBLE_EQ(metrics.at("test_loss"), 4.0 / 8);
  EXPECT_DOUBLE_EQ(metrics.at("test_precision"), (3.0 / 4 + 2.0 / 4 + 0) / 3);
  EXPECT_DOUBLE_EQ(metrics.at("test_recall"), (3.0 / 4 + 1 + 0) / 3);
  EXPECT_DOUBLE_EQ(metrics.at("test_f1"), (6.0 / 8 + 4.0 / 6 + 0) / 3);
  // c n - sum p t = 40 - (16 + 8 + 0) = 16; 64 - 32 = 32 of predictions, 64 - 24 = 40 of classes.
  EXPECT_DOUBLE_EQ(metrics.at("test_mcc"), 16 / std::sqrt(32.0 * 40.0));
}

TEST(Confusion, OfAPerfectClassifierIsOne) {
  const Metrics metrics = Confusion({"a", "b"}, {}).metrics(std::vector<double>{3, 0, 0, 1, 2, 2, 0});

  for (const char* figure : {"test_accuracy", "test_precision", "test_recall", "test_f1", "test_mcc"}) {
    EXPECT_DOUBLE_EQ(metrics.at(figure), 1) << figure;
  }
}

TEST(Confusion, WithoutRowsHasNoFigures) {
  EXPECT_TRUE(small().metrics(std::vector<double>(12, 0.0)).empty());
}

TEST(Confusion, OfOneClassHasNoCorrelation) {
  const Metrics metrics = Confusion({"a"}, {}).metrics(std::vector<double>{4, 2, 2, 0});

  EXPECT_DOUBLE_EQ(metrics.at("test_accuracy"), 1);
  EXPECT_FALSE(metrics.contains("test_mcc"));
}

TEST(Confusion, NoisyCellsGiveFiguresThatArePossible) {
  SeededGenerator generator{5};
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> total = small_total();
    for (double& entry : total) {
      entry += 5 * generator.normal();
    }

    for (const auto& [name, value] : small().metrics(total)) {
      EXPECT_TRUE(std::isfinite(value)) << name;
      EXPECT_GE(value, name == "test_mcc" ? -1 : 0) << name;
      EXPECT_LE(value, name == "test_loss" || name == "test_rows" ? 1e9 : 1) << name;
    }
  }
}

TEST(Confusion, ATestRowIsOneCellAndItsLossHoweverManyRowsAUnitHas) {
  const Dataset data = test::deal_people(test::class_people(20), 2, RowKind::record, test::class_space());
  const Confusion confusion(test::class_space().classes, {});
  // Everyone is a townsman with probability 1/2, and a saver or a spender with 1/4.
  const ClassScorer score = [](const SparseRow&, std::span<double> p) {
    p[0] = p[2] = 0.25;
    p[1] = 0.5;
  };
  const Contributor contribute = confusion.contributor(score);
  std::vector<double> total(confusion.length(), 0.0);
  std::vector<double> at_once = total;

  for (const auto& [unit, sums] : {std::pair{Unit::record, &total}, std::pair{Unit::merchant, &at_once}}) {
    for (const MerchantRows& merchant : data.merchants) {
      for_each_unit(data, merchant, unit, Population::test, [&, into = sums](const UnitRows& rows) {
        Contribution contribution;
        contribute(rows, contribution);
        for_each_entry(contribution, [&](std::size_t i, double value) { into->at(i) += value; });
      });
    }
  }

  double of_class[3] = {};
  for (const float label : data.test.labels) {
    ++of_class[static_cast<int>(label)];
  }
  const double loss = (of_class[1] * std::log(2.0) + (of_class[0] + of_class[2]) * std::log(4.0)) / 32;
  const std::vector<double> expected = {0, of_class[0], 0, 0,  of_class[1],     0,
                                        0, of_class[2], 0, 10, of_class[1] / 2, loss};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(total[i], expected[i], 1e-12) << i;
    EXPECT_NEAR(at_once[i], expected[i], 1e-12) << i;
  }
}

TEST(Confusion, InsightsNameTheWeakestClassFirstAndTheMostFrequentErrors) {
  std::vector<double> total = small_total();
  for (double& entry : total) {
    entry *= 3;
  }

  const Insights insights = small().insights(total, 0);

  ASSERT_EQ(insights.tables.size(), 2u);
  ASSERT_EQ(insights.tables[0].rows.size(), 3u);
  EXPECT_EQ(std::get<std::string>(insights.tables[0].rows[0][0]), "c");
  EXPECT_EQ(std::get<std::string>(insights.tables[0].rows[0][5]), "a");
  EXPECT_EQ(std::get<double>(insights.tables[0].rows[2][1]), 12);
  ASSERT_EQ(insights.tables[1].rows.size(), 3u);
  EXPECT_EQ(insights.sentences.size(), 1u);
}

TEST(Confusion, InsightsShowNoErrorsOfOneOrTwoRows) {
  const Insights insights = small().insights(small_total(), 0);

  ASSERT_EQ(insights.tables.size(), 1u);
  EXPECT_EQ(insights.tables[0].name, "classes");
}

TEST(Confusion, InsightsShowNothingThatNoiseCouldHaveMade) {
  const Insights insights = small().insights(small_total(), 1);

  EXPECT_TRUE(insights.empty());
}

}  // namespace
}  // namespace hanse
