#include "privacy/secure_sum/neighbours.h"

#include <algorithm>
#include <numeric>
#include <sstream>

#include "privacy/sum_parameters.h"
#include "tests/support/known_answers.h"

namespace hanse {
namespace {

using Graph = std::vector<std::vector<std::uint32_t>>;

Digest named(std::string_view name) {
  return sha256(bytes_of(name));
}

/// Why the lists are no graph of degree k, or nothing.
std::string fault_of(const Graph& graph, std::uint32_t k) {
  for (std::uint32_t own = 0; own < graph.size(); ++own) {
    const auto& list = graph[own];
    const std::string who = "merchant " + std::to_string(own);
    if (list.size() != k) {
      return who + " has " + std::to_string(list.size()) + " neighbours";
    }
    if (!std::ranges::is_sorted(list, std::less_equal<>())) {
      return who + " has a neighbour twice or out of order";
    }
    for (const std::uint32_t other : list) {
      if (other == own || other >= graph.size()) {
        return who + " has a neighbour that it cannot have";
      }
      if (!std::ranges::binary_search(graph[other], own)) {
        return who + " has a neighbour that does not have it";
      }
    }
  }
  return "";
}

/// How many merchants are reached from the first one that stays.
std::size_t reached(const Graph& graph, const std::vector<bool>& stays) {
  std::vector<bool> seen(graph.size());
  const auto first = static_cast<std::uint32_t>(std::ranges::find(stays, true) - stays.begin());
  std::vector<std::uint32_t> open{first};
  seen[first] = true;
  std::size_t count = 0;
  while (!open.empty()) {
    const std::uint32_t own = open.back();
    open.pop_back();
    ++count;
    for (const std::uint32_t other : graph[own]) {
      if (stays[other] && !seen[other]) {
        seen[other] = true;
        open.push_back(other);
      }
    }
  }
  return count;
}

TEST(Neighbours, AreAllOthersInACompleteGraph) {
  EXPECT_EQ(neighbour_graph(2, 1, named("order")), (Graph{{1}, {0}}));
  EXPECT_EQ(neighbour_graph(4, 3, named("order")), (Graph{{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}}));
  for (const std::uint32_t merchants : {3u, 32u, 127u, 128u, 200u}) {
    EXPECT_EQ(fault_of(neighbour_graph(merchants, merchants - 1, named("order")), merchants - 1), "")
        << merchants;
  }
  EXPECT_EQ(fault_of(neighbour_graph(201, 1'000'000, named("order")), 200), "");
}

TEST(Neighbours, FormARegularConnectedGraph) {
  for (const std::uint32_t merchants : {5u, 129u, 130u, 500u, 1001u}) {
    for (const std::uint32_t k : {2u, 4u, 64u}) {
      if (k + 1 < merchants) {
        const Graph graph = neighbour_graph(merchants, k, named("order"));

        EXPECT_EQ(fault_of(graph, k), "") << merchants;
        EXPECT_EQ(reached(graph, std::vector<bool>(merchants, true)), merchants);
      }
    }
  }
}

TEST(Neighbours, OfTheLargestRosterAreFoundToo) {
  const auto merchants = static_cast<std::uint32_t>(kMerchantsMax);

  const Graph graph = neighbour_graph(merchants, 76, named("order"));

  EXPECT_EQ(fault_of(graph, 76), "");
  EXPECT_EQ(reached(graph, std::vector<bool>(merchants, true)), merchants);
}

// A third of the merchants colludes or is gone, chosen by their ids without knowledge of the order: the others
// stay in one piece.
TEST(Neighbours, StayConnectedWithoutAThird) {
  for (int session = 0; session < 50; ++session) {
    const Graph graph = neighbour_graph(300, 66, named("order " + std::to_string(session)));
    std::vector<bool> stays(300);
    for (std::size_t i = 0; i < stays.size(); ++i) {
      stays[i] = i % 3 != 0;
    }

    EXPECT_EQ(reached(graph, stays), 200u) << session;
  }
}

TEST(Neighbours, AreThoseOfASecondImplementation) {
  const KnownAnswers answers(HANSE_SOURCE_DIR "/tests/privacy/secure_sum/vectors/vectors.txt");

  const Graph graph = neighbour_graph(answers.number("graph.merchants"), answers.number("graph.degree"),
                                      answers.bytes<32>("graph.order"));

  for (const std::uint32_t own : {0u, 299u}) {
    std::istringstream text(answers.text("graph.neighbours_of_" + std::to_string(own)));
    const std::vector<std::uint32_t> expected{std::istream_iterator<std::uint32_t>(text), {}};

    EXPECT_EQ(graph[own], expected);
  }
}

TEST(Neighbours, AreOthersInAnotherOrder) {
  const Graph one = neighbour_graph(300, 66, named("order"));
  const Graph other = neighbour_graph(300, 66, named("another order"));

  EXPECT_NE(one, other);
  EXPECT_EQ(one, neighbour_graph(300, 66, named("order")));
}

// What the bounds of privacy/secure_sum/graph_parameters.h rest on: every merchant is as likely as any other to
// be beside one. 2000 orders of 21 merchants, 4 neighbours each: 400 times expected, standard deviation 17.9.
TEST(Neighbours, AreEquallyLikely) {
  std::vector<int> beside(21);
  for (int session = 0; session < 2000; ++session) {
    const Graph graph = neighbour_graph(21, 4, named("order " + std::to_string(session)));
    for (const std::uint32_t other : graph[0]) {
      ++beside[other];
    }
  }

  for (std::size_t other = 1; other < beside.size(); ++other) {
    EXPECT_NEAR(beside[other], 400, 80) << other;
  }
}

TEST(NeighboursDeathTest, OfOneAreNoGraphAndOddOnesNoRing) {
  EXPECT_DEATH((void)neighbour_graph(1, 0, named("order")), "at least two merchants");
  EXPECT_DEATH((void)neighbour_graph(10, 3, named("order")), "an even number");
}

TEST(HolderThreshold, IsTwoThirdsAndOne) {
  EXPECT_EQ(holder_threshold(3, {}), 3u);
  EXPECT_EQ(holder_threshold(4, {}), 3u);
  EXPECT_EQ(holder_threshold(8, {}), 6u);
  EXPECT_EQ(holder_threshold(32, {}), 22u);
  EXPECT_EQ(holder_threshold(100, {}), 67u);
}

TEST(HolderThreshold, IsTheFixedNumberHoweverFewAreInvited) {
  EXPECT_EQ(holder_threshold(65, {.fixed = 48}), 48u);
  EXPECT_EQ(holder_threshold(40, {.fixed = 48}), 48u) << "a round with 40 holders is refused";
}

// Of 20 invited, 10 may be corrupt: two thirds of the 20 would not do.
TEST(HolderThreshold, GrowsWithTheCorruptAmongThoseInvited) {
  EXPECT_EQ(holder_threshold(100, {.corrupt = 10}), 67u);
  EXPECT_EQ(holder_threshold(20, {.corrupt = 10}), 16u);
  EXPECT_EQ(holder_threshold(10, {.corrupt = 10}), 11u) << "a round with 10 holders is refused";
}

// Two sets that are told opposite stories of a merchant share an honest holder, who would refuse one of them.
TEST(HolderThreshold, NeverLetsTwoHalvesOpenBothSecrets) {
  for (std::uint32_t holders = 1; holders < 200; ++holders) {
    for (std::uint32_t corrupt = 0; corrupt < holders; ++corrupt) {
      EXPECT_GT(2 * holder_threshold(holders, {.corrupt = corrupt}), holders + corrupt);
    }
  }
}

}  // namespace
}  // namespace hanse
