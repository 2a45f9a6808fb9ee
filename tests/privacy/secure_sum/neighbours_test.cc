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

TEST(Neighbours, AreAllOthersInASmallFederation) {
  EXPECT_EQ(neighbour_graph(2, 0, named("session")), (Graph{{1}, {0}}));
  EXPECT_EQ(neighbour_graph(4, 0, named("session")), (Graph{{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}}));
  for (const std::uint32_t merchants : {3u, 32u, 127u, 128u}) {
    EXPECT_EQ(fault_of(neighbour_graph(merchants, 0, named("session")), merchants - 1), "") << merchants;
  }
}

TEST(Neighbours, AreAllOthersInALargeFederationThatWishesIt) {
  EXPECT_EQ(fault_of(neighbour_graph(200, 199, named("session")), 199), "");
  EXPECT_EQ(fault_of(neighbour_graph(201, 1'000'000, named("session")), 200), "");
}

TEST(Neighbours, AreEightTimesTheLogarithmInALargeFederation) {
  EXPECT_EQ(degree(129, 0), 58u);  // 8 log2(129) = 56.1
  EXPECT_EQ(degree(1024, 0), 80u);
  EXPECT_EQ(degree(10'000, 0), 108u);  // 8 log2(10000) = 106.3
}

TEST(Neighbours, AreAsManyAsWishedButEven) {
  EXPECT_EQ(degree(1000, 100), 100u);
  EXPECT_EQ(degree(1000, 101), 102u);
  EXPECT_EQ(degree(100, 61), 62u);
}

// The number comes from the coordinator. With two neighbours, two merchants would see a third one's vector.
TEST(Neighbours, AreNeverFewerThanIsSafe) {
  EXPECT_EQ(degree(1000, 1), 54u);  // 5.25 log2(1000) = 52.3
  EXPECT_EQ(degree(1000, 2), 54u);
  EXPECT_EQ(degree(10'000, 2), 70u);
  EXPECT_EQ(degree(128, 2), 38u);
  EXPECT_EQ(degree(10, 2), 9u);
  EXPECT_EQ(degree(3, 1), 2u);
}

TEST(Neighbours, FormARegularConnectedGraph) {
  for (const std::uint32_t merchants : {129u, 130u, 500u, 1001u}) {
    const Graph graph = neighbour_graph(merchants, 0, named("session"));

    EXPECT_EQ(fault_of(graph, degree(merchants, 0)), "") << merchants;
    EXPECT_EQ(reached(graph, std::vector<bool>(merchants, true)), merchants);
  }
}

TEST(Neighbours, OfTheLargestRosterAreFoundToo) {
  const auto merchants = static_cast<std::uint32_t>(kMerchantsMax);

  const Graph graph = neighbour_graph(merchants, 0, named("session"));

  EXPECT_EQ(fault_of(graph, 112), "");
  EXPECT_EQ(reached(graph, std::vector<bool>(merchants, true)), merchants);
}

// A third of the merchants colludes or is gone, chosen by their ids without knowledge of the session: the
// others stay in one piece.
TEST(Neighbours, StayConnectedWithoutAThird) {
  for (int session = 0; session < 50; ++session) {
    const Graph graph = neighbour_graph(300, 0, named("session " + std::to_string(session)));
    std::vector<bool> stays(300);
    for (std::size_t i = 0; i < stays.size(); ++i) {
      stays[i] = i % 3 != 0;
    }

    EXPECT_EQ(reached(graph, stays), 200u) << session;
  }
}

TEST(Neighbours, AreThoseOfASecondImplementation) {
  const KnownAnswers answers(HANSE_SOURCE_DIR "/tests/privacy/secure_sum/vectors/vectors.txt");
  const std::uint32_t merchants = answers.number("graph.merchants");

  const Graph graph = neighbour_graph(merchants, 0, answers.bytes<32>("graph.session"));

  EXPECT_EQ(degree(merchants, 0), answers.number("graph.degree"));
  for (const std::uint32_t own : {0u, 299u}) {
    std::istringstream text(answers.text("graph.neighbours_of_" + std::to_string(own)));
    const std::vector<std::uint32_t> expected{std::istream_iterator<std::uint32_t>(text), {}};

    EXPECT_EQ(graph[own], expected);
  }
}

TEST(Neighbours, AreOthersInAnotherSession) {
  const Graph one = neighbour_graph(300, 0, named("session"));
  const Graph other = neighbour_graph(300, 0, named("another session"));

  EXPECT_NE(one, other);
  EXPECT_EQ(one, neighbour_graph(300, 0, named("session")));
}

TEST(NeighboursDeathTest, OfOneAreNoGraph) {
  EXPECT_DEATH((void)degree(0, 0), "at least two merchants");
  EXPECT_DEATH((void)neighbour_graph(1, 0, named("session")), "at least two merchants");
}

TEST(HolderThreshold, IsTwoThirdsAndOne) {
  EXPECT_EQ(holder_threshold(3, 0), 3u);
  EXPECT_EQ(holder_threshold(4, 0), 3u);
  EXPECT_EQ(holder_threshold(8, 0), 6u);
  EXPECT_EQ(holder_threshold(32, 0), 22u);
  EXPECT_EQ(holder_threshold(100, 0), 67u);
}

TEST(HolderThreshold, IsAsWishedFromAMajorityToAll) {
  EXPECT_EQ(holder_threshold(10, 8), 8u);
  EXPECT_EQ(holder_threshold(10, 10), 10u);
  EXPECT_EQ(holder_threshold(10, 11), 10u);
  EXPECT_EQ(holder_threshold(10, 1), 6u);
  EXPECT_EQ(holder_threshold(11, 1), 6u);
}

// The coordinator names the wish: whatever it is, two sets that are told opposite stories of a merchant share
// a holder, who would refuse one of them.
TEST(HolderThreshold, NeverLetsTwoDisjointSetsOpen) {
  for (std::uint32_t holders = 1; holders < 200; ++holders) {
    for (std::uint32_t wished = 0; wished < 210; ++wished) {
      const std::uint32_t threshold = holder_threshold(holders, wished);

      EXPECT_GT(2 * threshold, holders);
      EXPECT_LE(threshold, holders);
    }
  }
}

}  // namespace
}  // namespace hanse
