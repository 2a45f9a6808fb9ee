#include "common/workloads/contribution_accumulator.h"

#include <algorithm>

namespace hanse {
namespace {

TEST(ContributionAccumulator, WritesNeighboursAsOneBlockInIncreasingOrder) {
  ContributionAccumulator sums(10, 8, 1);
  sums[5] += 1;
  sums[2] += 2;
  sums[4] += 3;
  sums[5] += 4;
  Contribution out;

  sums.flush(out);

  ASSERT_EQ(out.blocks().size(), 2u);
  EXPECT_EQ(out.blocks()[0].first, 12u);
  EXPECT_EQ(out.blocks()[1].first, 14u);
  EXPECT_EQ(out.blocks()[1].count, 2u);
  EXPECT_EQ(std::vector<double>(out.values().begin(), out.values().end()), (std::vector<double>{2, 3, 5}));
}

TEST(ContributionAccumulator, ForgetsAfterWriting) {
  ContributionAccumulator sums(0, 3, 2);
  Contribution first;
  Contribution second;
  sums.block(1)[1] += 7;
  sums.flush(first);

  sums.block(1)[0] += 1;
  sums.flush(second);

  EXPECT_EQ(std::vector<double>(second.values().begin(), second.values().end()), (std::vector<double>{1, 0}));
}

TEST(ContributionAccumulator, WritesNothingWhenNothingWasTouched) {
  ContributionAccumulator sums(0, 3, 2);
  Contribution out;

  sums.flush(out);

  EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace hanse
