#include "privacy/secure_sum/neighbours.h"

#include <algorithm>

#include "common/base/bytes.h"

namespace hanse {
namespace {

using Graph = std::vector<std::vector<std::uint32_t>>;

Digest session(std::string_view name) {
  return sha256(bytes_of(name));
}

bool has(const std::vector<std::uint32_t>& sorted, std::uint32_t id) {
  return std::ranges::binary_search(sorted, id);
}

std::size_t reached_from_first(const Graph& graph) {
  std::vector<bool> seen(graph.size());
  std::vector<std::uint32_t> open = {0};
  seen[0] = true;
  for (std::size_t i = 0; i < open.size(); ++i) {
    for (const std::uint32_t next : graph[open[i]]) {
      if (!seen[next]) {
        seen[next] = true;
        open.push_back(next);
      }
    }
  }
  return open.size();
}

void expect_sound(const Graph& graph, std::uint32_t merchants, std::uint32_t k) {
  ASSERT_EQ(graph.size(), merchants);
  for (std::uint32_t id = 0; id < merchants; ++id) {
    ASSERT_EQ(graph[id].size(), k) << "merchant " << id << " of " << merchants;
    ASSERT_TRUE(std::ranges::is_sorted(graph[id], std::ranges::less_equal()) ||
                std::ranges::adjacent_find(graph[id], std::ranges::greater_equal()) == graph[id].end());
    for (const std::uint32_t other : graph[id]) {
      ASSERT_NE(other, id);
      ASSERT_TRUE(has(graph[other], id)) << id << " and " << other;
    }
  }
  ASSERT_EQ(reached_from_first(graph), merchants);
}

TEST(Neighbours, AreSoundForEverySize) {
  for (std::uint32_t merchants = 2; merchants <= 300; ++merchants) {
    expect_sound(neighbour_graph(merchants, 0, session("a")), merchants, degree(merchants, 0));
  }
  for (const std::uint32_t merchants : {1000u, 10000u}) {
    expect_sound(neighbour_graph(merchants, 0, session("a")), merchants, degree(merchants, 0));
  }
}

TEST(Neighbours, AreAsManyAsWished) {
  for (const std::uint32_t wished : {1u, 2u, 3u, 8u, 49u, 50u, 1000u}) {
    expect_sound(neighbour_graph(50, wished, session("a")), 50, degree(50, wished));
  }
  EXPECT_EQ(degree(50, 3), 4u);
  EXPECT_EQ(degree(50, 1000), 49u);
}

TEST(Neighbours, AreEveryoneUpToTheBoundAndAnEvenNumberBeyond) {
  EXPECT_EQ(degree(1, 0), 0u);
  EXPECT_EQ(degree(3, 0), 2u);
  EXPECT_EQ(degree(128, 0), 127u);
  EXPECT_EQ(degree(129, 0), 58u);  // 8 log2(129) = 56.1, that is 57, made even.
  EXPECT_EQ(degree(1000, 0), 80u);
  EXPECT_EQ(degree(10000, 0), 108u);
}

TEST(Neighbours, DependOnTheSessionAndOnNothingElse) {
  EXPECT_EQ(neighbour_graph(200, 0, session("a")), neighbour_graph(200, 0, session("a")));
  EXPECT_NE(neighbour_graph(200, 0, session("a")), neighbour_graph(200, 0, session("b")));
}

TEST(Neighbours, OfOneMerchantAreNone) {
  EXPECT_EQ(neighbour_graph(1, 0, session("a")), Graph(1));
}

TEST(HolderThreshold, IsAboveTwoThirdsUnlessWished) {
  EXPECT_EQ(holder_threshold(3, 0), 3u);
  EXPECT_EQ(holder_threshold(4, 0), 3u);
  EXPECT_EQ(holder_threshold(100, 0), 67u);
  EXPECT_EQ(holder_threshold(10, 6), 6u);
  EXPECT_EQ(holder_threshold(10, 60), 10u);
  EXPECT_EQ(holder_threshold(1, 0), 1u);
}

// No two sets of so many holders can open both secrets of a merchant while a third of them is honest only
// once.
TEST(HolderThreshold, LeavesNoRoomForTwoViews) {
  for (std::uint32_t holders = 1; holders <= 200; ++holders) {
    EXPECT_GT(2 * holder_threshold(holders, 0), holders + holders / 3);
  }
}

}  // namespace
}  // namespace hanse
