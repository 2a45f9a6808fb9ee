#include "common/workloads/figure_tables.h"

#include <cmath>

namespace hanse {
namespace {

TEST(FigureTables, PutFiguresOfADimensionSideBySideInTheOrderOfItsNumbers) {
  const Metrics figures = {{"test_auc", 0.9},
                           {detail_name("test_auc", "region", "10"), 0.8},
                           {detail_name("test_auc", "region", "2"), 0.95},
                           {detail_name("test_auc", "region", "below 2"), 0.7},
                           {detail_name("test_loss", "region", "2"), 0.25},
                           {detail_name("tpr", "rate", "0.1"), 0.5}};

  const Insights insights = figure_tables(figures);

  ASSERT_EQ(insights.tables.size(), 2u);
  EXPECT_EQ(insights.tables[0].name, "figures_by_rate");
  const InsightTable& regions = insights.tables[1];
  EXPECT_EQ(regions.columns, (std::vector<std::string>{"region", "test_auc", "test_loss"}));
  ASSERT_EQ(regions.rows.size(), 3u);
  EXPECT_EQ(std::get<std::string>(regions.rows[0][0]), "below 2");
  EXPECT_EQ(std::get<std::string>(regions.rows[1][0]), "2");
  EXPECT_EQ(std::get<double>(regions.rows[1][2]), 0.25);
  EXPECT_EQ(std::get<std::string>(regions.rows[2][0]), "10");
  EXPECT_TRUE(std::isnan(std::get<double>(regions.rows[2][2]))) << "nothing was told of it";
}

TEST(FigureTables, NameTheGapBetweenTheBestGroupAndTheWorst) {
  const Metrics figures = {{"test_auc[region=a]", 0.5},   {"test_auc[region=b]", 0.75},
                           {"test_auc[region=c]", 0.625}, {"test_rmse[region=a]", 2},
                           {"test_rmse[region=b]", 3},    {"test_auc[age=young]", 1}};

  const Insights insights = figure_tables(figures);

  EXPECT_EQ(
      insights.sentences,
      (std::vector<std::string>{"test_auc by region: best for b (0.75), worst for a (0.5): a gap of 0.25.",
                                "test_rmse by region: best for a (2), worst for b (3): a gap of 1."}));
}

TEST(FigureTables, AreNoneOfFiguresOfTheWhole) {
  EXPECT_TRUE(figure_tables({{"test_auc", 0.9}, {"train_loss", 1}}).empty());
  EXPECT_FALSE(is_detail("test_auc"));
  EXPECT_TRUE(is_detail(detail_name("test_auc", "region", "3")));
}

}  // namespace
}  // namespace hanse
