#include "coordinator/phase_deadlines.h"

namespace hanse {
namespace {

using Ms = Milliseconds;

PhaseDeadlines after(Ms longest, const std::vector<std::int64_t>& times) {
  PhaseDeadlines deadlines(longest);
  for (const std::int64_t time : times) {
    deadlines.took("gradient/1", Ms{time});
  }
  return deadlines;
}

TEST(PhaseDeadline, IsTheLongestUntilEnoughIsKnown) {
  EXPECT_EQ(after(Ms{30000}, {}).of("gradient/1"), Ms{30000});
  EXPECT_EQ(after(Ms{30000}, {2000, 2000, 2000, 2000}).of("gradient/1"), Ms{30000});
  EXPECT_EQ(after(Ms{30000}, {2000, 2000, 2000, 2000, 2000}).of("gradient/1"), Ms{8000});
}

TEST(PhaseDeadline, IsFourTimesTheMedianOfTheLastNine) {
  EXPECT_EQ(after(Ms{30000}, {9, 9, 9, 9, 9, 1500, 1600, 1700, 1800, 1900, 2000, 2100, 2200, 2300})
                .of("gradient/1"),
            Ms{7600});
}

TEST(PhaseDeadline, StaysWithinItsBounds) {
  EXPECT_EQ(after(Ms{30000}, {1, 1, 1, 1, 1}).of("gradient/1"), PhaseDeadlines::kFloor);
  EXPECT_EQ(after(Ms{30000}, {9000, 9000, 9000, 9000, 9000}).of("gradient/1"), Ms{30000});
  EXPECT_EQ(after(Ms{3000}, {1, 1, 1, 1, 1}).of("gradient/1"), Ms{3000}) << "never beyond the configured one";
}

TEST(PhaseDeadline, OfOneSumSaysNothingOfAnother) {
  EXPECT_EQ(after(Ms{30000}, {1, 1, 1, 1, 1}).of("scores/1"), Ms{30000});
}

TEST(PhaseDeadline, GrowsWhereMostAreLateAndIsForgottenAfterAFailure) {
  PhaseDeadlines deadlines = after(Ms{60000}, {1, 1, 1, 1, 5000, 5000, 5000, 5000, 5000});

  EXPECT_EQ(deadlines.of("gradient/1"), Ms{20000});

  deadlines.forget();
  EXPECT_EQ(deadlines.of("gradient/1"), Ms{60000});
}

/// Merchants that were always slow are asked as patiently as at first, however quick the others have become.
TEST(PhaseDeadlines, WaitForThoseWhoStayedAwayAsLongAsTheyMay) {
  PhaseDeadlines deadlines = after(Ms{60000}, {1, 1, 1, 1, 1});

  deadlines.be_patient(true);
  const Milliseconds patient = deadlines.of("gradient/1");
  for (int i = 0; i < 9; ++i) {
    deadlines.took("gradient/1", Ms{60000});
  }
  deadlines.be_patient(false);

  EXPECT_EQ(patient, Ms{60000});
  EXPECT_EQ(deadlines.of("gradient/1"), PhaseDeadlines::kFloor) << "what patience took is not remembered";
}

}  // namespace
}  // namespace hanse
