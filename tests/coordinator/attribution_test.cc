#include "coordinator/attribution.h"

namespace hanse {
namespace {

using Ids = std::vector<std::uint32_t>;

Witnesses always(std::size_t count) {
  return [count](std::uint32_t) { return count; };
}

TEST(Attribution, WhomMoreAccuseThanAreCorruptIsAloneAtFault) {
  const Blame blame = judge_accusations({{1, 0, ""}, {2, 0, ""}}, always(4), 1);

  EXPECT_EQ(blame.culprits, Ids{0});
  EXPECT_TRUE(blame.doubtful.empty()) << "its accusers were right to leave";
}

TEST(Attribution, WhomMostOfItsWitnessesAccuseIsAloneAtFaultHoweverManyAreCorrupt) {
  const Blame blame = judge_accusations({{1, 0, ""}, {2, 0, ""}, {3, 0, ""}}, always(4), 10);

  EXPECT_EQ(blame.culprits, Ids{0});
}

TEST(Attribution, OneWordOfTwoConvictsNobody) {
  const Blame blame = judge_accusations({{1, 0, ""}}, always(2), 0);

  EXPECT_TRUE(blame.culprits.empty());
  EXPECT_EQ(blame.doubtful, (Ids{0, 1}));
}

TEST(Attribution, ADealerWhoCheatsJustUnderHalfOfItsNeighboursIsFoundAllTheSame) {
  std::vector<Accusation> nine;
  for (std::uint32_t accuser = 1; accuser <= 9; ++accuser) {
    nine.push_back({accuser, 0, ""});
  }

  const Blame blame = judge_accusations(nine, always(19), 2);

  EXPECT_EQ(blame.culprits, Ids{0});
  EXPECT_TRUE(blame.doubtful.empty());
}

TEST(Attribution, FewerAccusersShareTheDoubtAndOneCountsOnce) {
  const Blame blame = judge_accusations({{3, 0, ""}, {3, 0, ""}}, always(4), 1);

  EXPECT_TRUE(blame.culprits.empty());
  EXPECT_EQ(blame.doubtful, (Ids{0, 3}));
}

TEST(Attribution, ALiarWhoAccusesEverybodyIsInDoubtWithThem) {
  const Blame blame = judge_accusations({{4, 0, ""}, {4, 1, ""}, {4, 2, ""}, {4, 3, ""}}, always(4), 1);

  EXPECT_TRUE(blame.culprits.empty());
  EXPECT_EQ(blame.doubtful, (Ids{0, 1, 2, 3, 4}));
}

TEST(Attribution, WhoQuarrelsWithAllOthersIsAloneAtFault) {
  const Blame blame = judge_quarrels({{0, 2}, {1, 2}, {2, 3}}, always(3));

  EXPECT_EQ(blame.culprits, Ids{2});
  EXPECT_TRUE(blame.doubtful.empty());
}

TEST(Attribution, TwoHalvesThatWereToldDifferentThingsAreAllInDoubt) {
  const Blame blame = judge_quarrels({{0, 1}, {0, 3}, {2, 1}, {2, 3}}, always(3));

  EXPECT_TRUE(blame.culprits.empty());
  EXPECT_EQ(blame.doubtful, (Ids{0, 1, 2, 3}));
}

TEST(Attribution, ASingleQuarrelIsOneWordAgainstAnother) {
  const Blame blame = judge_quarrels({{2, 0}}, [](std::uint32_t id) { return id == 0 ? 1u : 3u; });

  EXPECT_TRUE(blame.culprits.empty());
  EXPECT_EQ(blame.doubtful, (Ids{0, 2}));
}

}  // namespace
}  // namespace hanse
