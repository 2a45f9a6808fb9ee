#include "common/workloads/ranking.h"

#include <array>
#include <cmath>

#include "common/base/seeded_generator.h"

namespace hanse {
namespace {

const std::vector<float> kScores = {0.1f, 0.9f, 0.5f, 0.7f};

TEST(Ranking, TheWantedItemAtTheTopHasFullMarks) {
  const std::array<std::uint32_t, 1> wanted{1};

  const RankingQuality quality = rank_items(kScores, {}, wanted);

  EXPECT_EQ(quality.ndcg_10, 1);
  EXPECT_EQ(quality.recall_20, 1);
  EXPECT_EQ(quality.hit_rate_10, 1);
}

TEST(Ranking, ItemsSeenBeforeAreOnNoList) {
  const std::array<std::uint32_t, 2> seen{1, 3};
  const std::array<std::uint32_t, 1> wanted{0};

  // Without 1 and 3 the list is 2, 0.
  EXPECT_NEAR(rank_items(kScores, seen, wanted).ndcg_10, 1 / std::log2(3), 1e-12);
}

TEST(Ranking, OfEqualScoresTheLowerIndexComesFirst) {
  const std::vector<float> equal(30, 0.0f);
  const std::array<std::uint32_t, 1> tenth{9};
  const std::array<std::uint32_t, 1> eleventh{10};
  const std::array<std::uint32_t, 1> last{29};

  EXPECT_NEAR(rank_items(equal, {}, tenth).ndcg_10, 1 / std::log2(11), 1e-12);
  EXPECT_EQ(rank_items(equal, {}, eleventh).hit_rate_10, 0);
  EXPECT_EQ(rank_items(equal, {}, eleventh).recall_20, 1);
  EXPECT_EQ(rank_items(equal, {}, last).recall_20, 0);
}

TEST(Ranking, AnItemThatTheModelDoesNotKnowIsMissed) {
  const std::array<std::uint32_t, 2> wanted{1, 7};

  const RankingQuality quality = rank_items(kScores, {}, wanted);

  EXPECT_EQ(quality.recall_20, 0.5);
  EXPECT_NEAR(quality.ndcg_10, 1 / (1 + 1 / std::log2(3)), 1e-12);
}

TEST(Ranking, AnItemWithoutANumberForItsScoreIsMissed) {
  const std::vector<float> scores = {std::nanf(""), 0.5f};
  const std::array<std::uint32_t, 1> wanted{0};

  EXPECT_EQ(rank_items(scores, {}, wanted).ndcg_10, 0);
  EXPECT_EQ(rank_items(scores, {}, wanted).recall_20, 0);
}

TEST(Ranking, FiguresStayBetweenZeroAndOne) {
  SeededGenerator generator{3};
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<float> scores;
    std::vector<std::uint32_t> wanted;
    for (std::uint32_t item = 0; item < 60; ++item) {
      scores.push_back(static_cast<float>(generator.below(8)));
      if (generator.below(3) == 0) {
        wanted.push_back(item);
      }
    }

    const RankingQuality quality = rank_items(scores, {}, wanted);

    for (const double figure : {quality.ndcg_10, quality.recall_20, quality.hit_rate_10}) {
      EXPECT_GE(figure, 0);
      EXPECT_LE(figure, 1 + 1e-12);
    }
  }
}

TEST(Ranking, FiguresOfATotalAreMeansOverCustomersAndBounded) {
  const std::array<double, 4> total{1, 2, 4, 4};
  const std::array<double, 4> noise{-3, 9, 1, 2};
  const std::array<double, 4> nobody{1, 1, 1, 0};

  EXPECT_EQ(ranking_metrics(total).at("test_ndcg_10"), 0.25);
  EXPECT_EQ(ranking_metrics(total).at("test_recall_20"), 0.5);
  EXPECT_EQ(ranking_metrics(total).at("test_hit_rate_10"), 1);
  EXPECT_EQ(ranking_metrics(noise).at("test_ndcg_10"), 0);
  EXPECT_EQ(ranking_metrics(noise).at("test_recall_20"), 1);
  EXPECT_TRUE(ranking_metrics(nobody).empty());
}

}  // namespace
}  // namespace hanse
