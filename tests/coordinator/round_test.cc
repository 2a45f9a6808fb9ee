#include "tests/support/test_federation.h"

namespace hanse {
namespace {

/// The tutorial: three merchants at two workers, one private sum.
TEST(Round, AddsUpThreeMerchantsAndNothingElseIsSeen) {
  TestFederation federation({.merchants = 3, .workers = 2});
  ASSERT_TRUE(federation.join());
  SimulatedNetwork network;
  federation.attach(network);

  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.summed(), nullptr) << (round.failed() ? round.failed()->sentence : "");
  EXPECT_EQ(round.summed()->merchants, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {0, 1, 2}));
  EXPECT_TRUE(round.dropped().empty());
  EXPECT_EQ(federation.released(), (std::vector<bool>{true, true}));
  EXPECT_TRUE(federation.node(1).refusals().empty());
}

}  // namespace
}  // namespace hanse
