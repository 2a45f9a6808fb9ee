#include "privacy/secure_sum/graph_parameters.h"

#include <cmath>
#include <ostream>
#include <string>

#include "common/config/configuration.h"

namespace hanse {

void PrintTo(const RingParameters& ring, std::ostream* out) {
  *out << "k = " << ring.neighbours << ", t = " << ring.threshold;
}

namespace {

/// Fractions of corrupt and dropped ones in percent, and the answers for them.
struct Scenario {
  std::uint32_t corrupt;
  std::uint32_t dropouts;
};
constexpr Scenario kScenarios[] = {{5, 5}, {10, 5}, {10, 10}, {20, 5}, {33, 5}};
struct Row {
  std::uint32_t merchants;
  RingParameters rings[5];
};

RingAssumptions assuming(std::uint32_t merchants, Scenario scenario, ShareHolders holders) {
  return {.merchants = merchants,
          .corrupt = scenario.corrupt * merchants / 100,
          .missing = scenario.dropouts * merchants / 100,
          .holders = holders};
}

void expect_rows(const std::vector<Row>& rows, ShareHolders holders) {
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < std::size(kScenarios); ++i) {
      EXPECT_EQ(find_ring(assuming(row.merchants, kScenarios[i], holders)), row.rings[i])
          << row.merchants << " merchants, " << kScenarios[i].corrupt << " % corrupt, "
          << kScenarios[i].dropouts << " % dropped";
    }
  }
}

// Bell et al. 2020 with split views, as published implementations compute it.
TEST(FindRing, GivesThePublishedNumbersWhenTheNeighboursAloneHoldShares) {
  expect_rows({{100, {{16, 11}, {22, 17}, {32, 22}, {32, 27}, {42, 37}}},
               {200, {{30, 21}, {40, 30}, {56, 39}, {52, 42}, {68, 58}}},
               {500, {{44, 31}, {56, 42}, {82, 57}, {76, 60}, {112, 93}}},
               {1000, {{52, 37}, {66, 49}, {96, 67}, {90, 71}, {132, 109}}},
               {10000, {{62, 44}, {80, 59}, {122, 85}, {114, 89}, {178, 146}}}},
              ShareHolders::neighbours);
}

// From a second implementation, in exact integers.
TEST(FindRing, CountsTheMerchantItselfAmongTheHolders) {
  expect_rows({{100, {{16, 12}, {20, 16}, {30, 21}, {30, 26}, {40, 36}}},
               {200, {{30, 21}, {40, 31}, {54, 38}, {50, 41}, {66, 57}}},
               {500, {{46, 33}, {56, 42}, {84, 59}, {78, 62}, {110, 92}}},
               {1000, {{52, 37}, {64, 48}, {98, 69}, {92, 73}, {134, 111}}},
               {4096, {{60, 43}, {74, 55}, {116, 81}, {108, 85}, {164, 135}}}},
              ShareHolders::neighbours_and_self);
}

// 5 merchants, 1 corrupt, 1 missing, 2 neighbours, all 3 holders needed: 2 t - h = 3 corrupt holders cannot be,
// the graph is a circle that two gaps of one cut, and a missing merchant's secret has 2 holders left at most.
TEST(RisksOf, AreThoseOfASmallCircleByHand) {
  const RingAssumptions assumed{.merchants = 5, .corrupt = 1, .missing = 1};

  const RingRisks three = risks_of(assumed, {2, 3});
  const RingRisks two = risks_of(assumed, {2, 2});

  EXPECT_EQ(three.split_view, -INFINITY);
  EXPECT_NEAR(three.disconnection, std::log2(5 * 2 / 2 * 0.1), 1e-6);  // Both of 2 given ones, of 5: 1 in 10.
  EXPECT_NEAR(three.too_few, std::log2(5), 1e-6);                      // Surely, for each of 5.
  // 2 t - h = 1: one corrupt merchant among the 2 neighbours drawn from 4.
  EXPECT_NEAR(two.split_view, std::log2(5 * 0.5), 1e-6);
  EXPECT_EQ(two.too_few, -INFINITY);  // The one that is missing is the merchant itself.
}

// No tail is taken for smaller than it is: compared with sums of exact binomials.
TEST(RisksOf, AreUpperBoundsOfExactTails) {
  const auto choose = [](int n, int k) {
    double product = 1;
    for (int i = 1; i <= k; ++i) {
      product = product * (n - k + i) / i;
    }
    return k < 0 || k > n ? 0.0 : std::round(product);
  };
  const RingAssumptions assumed{.merchants = 30, .corrupt = 6, .missing = 4};
  for (const int k : {4, 8, 12}) {
    for (int t = k / 2 + 1; t <= k; ++t) {
      double corrupt = 0, missing = 0;
      for (int x = 0; x <= k; ++x) {
        corrupt += x >= 2 * t - k - 1 ? choose(6, x) * choose(23, k - x) : 0;
        missing += k - x < t ? choose(3, x) * choose(26, k - x) : 0;
      }

      const RingRisks risks =
          risks_of(assumed, {static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(t)});

      const double exact = std::log2(30) + std::log2(corrupt / choose(29, k));
      EXPECT_GE(risks.split_view, exact) << k << ", " << t;
      const bool above_the_mean = (2 * t - k - 1) * 29 > 6 * k;
      if (above_the_mean && corrupt > 0) {
        EXPECT_NEAR(risks.split_view, exact, 1e-6) << k << ", " << t;
      }
      const double too_few = std::log2(30) + std::log2(missing / choose(29, k));
      EXPECT_GE(risks.too_few, too_few) << k << ", " << t;
    }
  }
}

TEST(FindRing, KeepsWhatItPromisesAndNothingSmallerDoes) {
  for (const std::uint32_t merchants : {129u, 777u, 5000u}) {
    const RingAssumptions assumed = assuming(merchants, {10, 5}, ShareHolders::neighbours_and_self);
    const auto ring = find_ring(assumed);
    ASSERT_TRUE(ring.has_value());

    const RingRisks kept = risks_of(assumed, *ring);
    EXPECT_LE(std::exp2(kept.split_view) + std::exp2(kept.disconnection), std::exp2(-40));
    EXPECT_LE(kept.too_few, -20);
    for (std::uint32_t t = 1; t <= ring->neighbours - 1; ++t) {
      const RingRisks smaller = risks_of(assumed, {ring->neighbours - 2, t});
      EXPECT_TRUE(smaller.split_view > -41 || smaller.disconnection > -41 || smaller.too_few > -20) << t;
    }
    EXPECT_GT(risks_of(assumed, {ring->neighbours, ring->threshold - 1}).split_view, -41);
  }
}

TEST(FindRing, NeedsNoMoreForTheLargestRosterThanIsTold) {
  const auto ring = find_ring(assuming(16384, {10, 5}, ShareHolders::neighbours_and_self));

  EXPECT_EQ(ring, (RingParameters{82, 61}));
}

TEST(FindRing, FindsNothingWhereHalfMayBeCorrupt) {
  EXPECT_EQ(find_ring({.merchants = 200, .corrupt = 100, .missing = 60}), std::nullopt);
  EXPECT_EQ(find_ring({.merchants = 3, .corrupt = 1, .missing = 1}), std::nullopt);
}

// --- from wishes to a graph ---

std::string refusal_of(std::uint32_t merchants, const GraphWishes& wishes) {
  const auto graph = plan_graph(merchants, wishes);
  return graph ? "" : graph.what();
}

void expect_refusal(std::uint32_t merchants, const GraphWishes& wishes,
                    const std::vector<std::string>& words) {
  const std::string sentence = refusal_of(merchants, wishes);
  for (const std::string& word : words) {
    EXPECT_NE(sentence.find(word), std::string::npos) << word << " is not in: " << sentence;
  }
}

TEST(PlanGraph, IsCompleteUpTo128MerchantsAndARingBeyond) {
  for (const std::uint32_t merchants : {3u, 4u, 20u, 128u}) {
    const auto graph = plan_graph(merchants, {});

    ASSERT_TRUE(graph.ok()) << graph.what();
    EXPECT_TRUE(graph->complete(merchants));
    EXPECT_EQ(holder_threshold(merchants, graph->threshold), 2 * merchants / 3 + 1);
  }
  const auto ring = plan_graph(129, {});
  ASSERT_TRUE(ring.ok()) << ring.what();
  EXPECT_FALSE(ring->complete(129));
  EXPECT_EQ(ring->neighbours, 24u);
  EXPECT_EQ(ring->threshold.fixed, 19u);
}

TEST(PlanGraph, IsThatOfTheAssumptions) {
  const auto careful = plan_graph(1000, {.corrupt = 0.33, .dropouts = 0.05});
  const auto usual = plan_graph(1000, {});

  EXPECT_EQ((RingParameters{careful->neighbours, careful->threshold.fixed}), (RingParameters{134, 111}));
  EXPECT_EQ((RingParameters{usual->neighbours, usual->threshold.fixed}), (RingParameters{64, 48}));
}

TEST(PlanGraph, TakesMoreThanIsNeeded) {
  const auto more = plan_graph(1000, {.neighbours = 100});
  const auto all = plan_graph(200, {.neighbours = 199});
  const auto higher = plan_graph(1000, {.threshold = 55});

  ASSERT_TRUE(more.ok()) << more.what();
  EXPECT_EQ(more->neighbours, 100u);
  EXPECT_GT(more->threshold.fixed, 51u);
  ASSERT_TRUE(all.ok()) << all.what();
  EXPECT_TRUE(all->complete(200));
  ASSERT_TRUE(higher.ok()) << higher.what();
  EXPECT_EQ(higher->threshold.fixed, 55u);
  EXPECT_GE(higher->neighbours, 64u);
}

TEST(PlanGraph, RefusesFewerNeighboursThanTheAssumptionsNeedAndNamesTheNearest) {
  expect_refusal(1000, {.neighbours = 62},
                 {"aggregation.neighbours=62 is too few", "aggregation.corrupt=0.1", "split views",
                  "aggregation.neighbours=64 with aggregation.threshold=48"});
  expect_refusal(1000, {.neighbours = 2}, {"aggregation.neighbours=2 is too few"});
  expect_refusal(1000, {.neighbours = 65}, {"aggregation.neighbours=65 is odd", "give 66"});
}

TEST(PlanGraph, RefusesThresholdsThatAreNotSafeOrNotReached) {
  expect_refusal(1000, {.threshold = 30}, {"aggregation.threshold=30", "split views", "threshold=48"});
  expect_refusal(1000, {.neighbours = 64, .threshold = 47},
                 {"aggregation.threshold=47 of 65", "split views", "2^-"});
  expect_refusal(1000, {.neighbours = 64, .threshold = 60},
                 {"aggregation.threshold=60 of 65", "too many", "aggregation.neighbours="});
  expect_refusal(10, {.threshold = 5}, {"aggregation.threshold=5 is not safe", "at least 6"});
  expect_refusal(40, {.corrupt = 0.5, .threshold = 27}, {"threshold=27 is not safe", "at least 31"});
}

TEST(PlanGraph, SaysWhatMayStillBeAssumedWhenNothingHolds) {
  expect_refusal(1000, {.corrupt = 0.6, .dropouts = 0.25},
                 {"no graph", "split views", "aggregation.corrupt=0.", "aggregation.dropouts=0."});
  expect_refusal(100, {.corrupt = 0.1, .dropouts = 0.4}, {"too few holders", "aggregation.threshold=56"});
  expect_refusal(100, {.corrupt = 0.7, .dropouts = 0.2}, {"too few holders", "aggregation.dropouts=0.14"});
}

TEST(PlanGraph, WhatItNamesAsNearestHolds) {
  for (double corrupt = 0; corrupt < 0.9; corrupt += 0.15) {
    for (double dropouts = 0; dropouts < 0.5; dropouts += 0.1) {
      const std::string sentence = refusal_of(400, {.corrupt = corrupt, .dropouts = dropouts});
      const auto value_after = [&](const std::string& key) -> std::optional<double> {
        const std::size_t nearest = sentence.find("the nearest that holds");
        const std::size_t at = sentence.find(key, std::min(nearest, sentence.size()));
        return at == std::string::npos ? std::nullopt
                                       : std::optional(std::stod(sentence.substr(at + key.size())));
      };
      if (const auto fewer = value_after("aggregation.corrupt=")) {
        EXPECT_EQ(refusal_of(400, {.corrupt = *fewer, .dropouts = dropouts}), "") << sentence;
      }
      if (const auto fewer = value_after("aggregation.dropouts=")) {
        EXPECT_EQ(refusal_of(400, {.corrupt = corrupt, .dropouts = *fewer}), "") << sentence;
      }
    }
  }
}

// Who is not invited holds no shares of the round.
TEST(PlanGraph, CountsThoseNotInvitedAsMissing) {
  const auto most = plan_graph(1000, {.cohort = 0.9});

  ASSERT_TRUE(most.ok()) << most.what();
  EXPECT_GT(most->neighbours, plan_graph(1000, {})->neighbours);
  expect_refusal(1000, {.cohort = 0.5}, {"no graph", "federation.cohort=0.5", "nearest"});
  EXPECT_EQ(refusal_of(1000, {.cohort = 0.5, .neighbours = 999}), "") << "everyone with everyone still can";
  EXPECT_EQ(refusal_of(100, {.cohort = 0.5}), "");
  expect_refusal(100, {.cohort = 0.1}, {"too few holders", "federation.cohort"});
}

TEST(GraphWishes, AreThoseOfTheConfiguration) {
  Configuration configuration;
  configuration.aggregation.corrupt = 0.2;
  configuration.aggregation.dropouts = 0.01;
  configuration.aggregation.neighbours = 66;
  configuration.aggregation.threshold = 50;
  configuration.federation.cohort = 0.75;

  EXPECT_EQ(graph_wishes(configuration), (GraphWishes{0.2, 0.01, 0.75, 66, 50}));
  EXPECT_EQ(graph_wishes(Configuration()), GraphWishes());
}

TEST(GraphWishes, ThatNoFederationKeepsAreAFaultBeforeItsSizeIsKnown) {
  EXPECT_FALSE(fault_of({}).has_value());
  EXPECT_TRUE(fault_of({.corrupt = 0.5, .dropouts = 0.25}).has_value());
  EXPECT_TRUE(fault_of({.corrupt = 0.1, .dropouts = 0.05, .cohort = 0.1}).has_value());
  EXPECT_TRUE(fault_of({.neighbours = 10, .threshold = 12}).has_value());
  EXPECT_FALSE(fault_of({.neighbours = 10, .threshold = 11}).has_value());
}

}  // namespace
}  // namespace hanse
