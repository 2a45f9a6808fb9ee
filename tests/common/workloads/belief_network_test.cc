#include "common/numerics/belief_network.h"

#include <cmath>

#include "common/base/seeded_generator.h"
#include "tests/reference/network_reference.h"

namespace hanse {
namespace {

/// The sprinkler: rain (no, yes), sprinkler given rain, wet given both.
BeliefNetwork sprinkler() {
  return {.variables = {
              {.name = "rain", .words = {"no", "yes"}, .parents = {}, .table = {0.8, 0.2}},
              {.name = "sprinkler", .words = {"off", "on"}, .parents = {0}, .table = {0.6, 0.4, 0.99, 0.01}},
              {.name = "wet",
               .words = {"no", "yes"},
               .parents = {0, 1},
               .table = {1, 0, 0.1, 0.9, 0.2, 0.8, 0.01, 0.99}}}};
}

TEST(BeliefNetwork, AnswersTheSprinklerByHand) {
  const BeliefNetwork network = sprinkler();

  const auto wet = posterior(network, 2, Evidence(3));
  const auto rain = posterior(network, 0, {std::nullopt, std::nullopt, 1});

  // wet: 0.8 (0.4 0.9) + 0.2 (0.99 0.8 + 0.01 0.99) = 0.288 + 0.16038 = 0.44838.
  EXPECT_NEAR((*wet)[1], 0.44838, 1e-12);
  EXPECT_NEAR((*rain)[1], 0.16038 / 0.44838, 1e-12);
}

TEST(BeliefNetwork, KnowsWhatIsGivenAndThatTheImpossibleIs) {
  const BeliefNetwork network = sprinkler();

  EXPECT_EQ(posterior(network, 0, {1, std::nullopt, std::nullopt}), (std::vector<double>{0, 1}));
  EXPECT_FALSE(posterior(network, 0, {std::nullopt, 0, std::nullopt}) == std::nullopt);
  BeliefNetwork certain = sprinkler();
  certain.variables[0].table = {1, 0};
  EXPECT_EQ(posterior(certain, 1, {1, std::nullopt, std::nullopt}), std::nullopt);
}

TEST(BeliefNetwork, EliminationEqualsTheSumOverAllWorlds) {
  SeededGenerator generator{5};
  for (int trial = 0; trial < 20; ++trial) {
    BeliefNetwork network;
    for (std::size_t v = 0; v < 6; ++v) {
      BeliefNetwork::Variable variable{.name = "", .words = {}, .parents = {}, .table = {}};
      variable.words.resize(2 + generator.below(2));
      for (std::size_t parent = 0; parent < v; ++parent) {
        if (generator.below(2) == 0) {
          variable.parents.push_back(parent);
        }
      }
      network.variables.push_back(variable);
      for (std::size_t row = 0; row < network.rows_of(v); ++row) {
        double total = 0;
        std::vector<double> chances(variable.words.size());
        for (double& chance : chances) {
          chance = 0.05 + generator.uniform();
          total += chance;
        }
        for (const double chance : chances) {
          network.variables[v].table.push_back(chance / total);
        }
      }
    }
    Evidence evidence(6);
    evidence[generator.below(6)] = 1;
    evidence[generator.below(6)] = 0;
    for (std::size_t target = 0; target < 6; ++target) {
      if (evidence[target]) {
        continue;
      }

      const auto actual = posterior(network, target, evidence);

      const std::vector<double> expected = reference::posterior(network, target, evidence);
      for (std::size_t value = 0; value < expected.size(); ++value) {
        EXPECT_NEAR((*actual)[value], expected[value], 1e-12);
      }
    }
  }
}

TEST(BeliefNetwork, LeavesOutWhatTheAnswerDoesNotDependOn) {
  // A child of every pair of nine roots with ten words each: together they would need a table of 10^9.
  BeliefNetwork network;
  const std::vector<std::string> words(10, "w");
  for (std::size_t root = 0; root < 9; ++root) {
    network.variables.push_back({"r", words, {}, std::vector<double>(10, 0.1)});
  }
  network.variables[0].table = {0.55, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05};
  for (std::size_t a = 0; a < 9; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      network.variables.push_back({"c", words, {a, b}, std::vector<double>(1000, 0.1)});
    }
  }

  const auto answer = posterior(network, 0, Evidence(network.variables.size()));

  ASSERT_TRUE(answer);
  EXPECT_NEAR((*answer)[0], 0.55, 1e-12);
}

TEST(BeliefNetwork, GivenAllOthersIsAPosteriorToo) {
  const BeliefNetwork network = sprinkler();

  const std::vector<double> chances = given_all_others(network, 1, {1, 0, 1});

  const auto expected = posterior(network, 1, {1, std::nullopt, 1});
  EXPECT_NEAR(chances[0], (*expected)[0], 1e-12);
  EXPECT_NEAR(chances[1], (*expected)[1], 1e-12);
}

TEST(BeliefNetwork, PutsParentsFirstAndFindsCycles) {
  BeliefNetwork network = sprinkler();
  network.variables[0].parents = {2};
  network.variables[1].parents = {};
  network.variables[2].parents = {1};

  EXPECT_EQ(parents_first(network), (std::vector<std::size_t>{1, 2, 0}));
  network.variables[1].parents = {0};
  EXPECT_EQ(parents_first(network), std::nullopt);
}

TEST(BeliefNetwork, MutualInformationOfIndependentAndOfEqualVariables) {
  EXPECT_NEAR(mutual_information(std::vector<double>{0.06, 0.14, 0.24, 0.56}, 2, 2), 0, 1e-12);
  EXPECT_NEAR(mutual_information(std::vector<double>{0.5, 0, 0, 0.5}, 2, 2), std::log(2), 1e-12);
}

TEST(BeliefNetwork, TheSpanningTreeIsTheHeaviest) {
  // 0-1: 5, 0-2: 4, 1-2: 3, 2-3: 2, the rest 1.
  const std::vector<double> weights = {0, 5, 4, 1, 5, 0, 3, 1, 4, 3, 0, 2, 1, 1, 2, 0};

  EXPECT_EQ(maximum_spanning_tree(weights, 4, 0), (std::vector<std::size_t>{0, 0, 0, 2}));
  EXPECT_EQ(maximum_spanning_tree(weights, 4, 3), (std::vector<std::size_t>{2, 0, 3, 3}));
  EXPECT_EQ(maximum_spanning_tree(std::vector<double>{0}, 1, 0), (std::vector<std::size_t>{0}));
}

}  // namespace
}  // namespace hanse
