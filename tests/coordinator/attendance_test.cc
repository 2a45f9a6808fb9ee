#include "coordinator/attendance.h"

namespace hanse {
namespace {

using Ids = std::vector<std::uint32_t>;

/// Twelve merchants: 0 to 3 on worker 1, 4 to 7 on worker 2, 8 to 11 on worker 3.
Attendance of_twelve() {
  return Attendance({1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3});
}

void miss(Attendance& attendance, std::uint32_t merchant, std::uint32_t times = Attendance::kMissesAllowed) {
  for (std::uint32_t i = 0; i < times; ++i) {
    attendance.missed(merchant);
  }
}

TEST(Attendance, InvitesEveryoneWhoMissedLessThanTheBound) {
  Attendance attendance = of_twelve();
  miss(attendance, 3, 1);

  EXPECT_EQ(attendance.invited(1, {}), (Ids{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_FALSE(attendance.is_present(3));
}

TEST(Attendance, LeavesOutThoseWhoStayAwayAndWhoseWorkersAreLost) {
  Attendance attendance = of_twelve();
  miss(attendance, 5);

  EXPECT_EQ(attendance.invited(1, {1}), (Ids{4, 6, 7, 8, 9, 10, 11}));
}

TEST(Attendance, ProbesOnlyAFewOfThoseWhoStayAway) {
  Attendance attendance = of_twelve();
  for (std::uint32_t merchant = 4; merchant < 12; ++merchant) {
    miss(attendance, merchant);
  }

  const Ids probed = attendance.invited(Attendance::kProbeEvery, {});

  EXPECT_EQ(probed.size(), 5u);  // The four of worker 1, and one more.
}

TEST(Attendance, ProbesTheMoreRarelyTheMoreOftenInVain) {
  Attendance attendance = of_twelve();
  miss(attendance, 5);
  const auto is_probed = [&](std::uint64_t round) { return attendance.invited(round, {}).size() == 12; };

  EXPECT_TRUE(is_probed(Attendance::kProbeEvery));
  attendance.missed(5);
  EXPECT_FALSE(is_probed(Attendance::kProbeEvery * 3));
  EXPECT_TRUE(is_probed(Attendance::kProbeEvery * 4));
  miss(attendance, 5, 100);
  EXPECT_FALSE(is_probed(Attendance::kProbeEvery * 4));
  EXPECT_TRUE(is_probed(Attendance::kProbeEvery * 8));
}

TEST(Attendance, ProbesEveryWorkerInTurn) {
  Attendance attendance = of_twelve();
  for (std::uint32_t merchant = 4; merchant < 12; ++merchant) {
    miss(attendance, merchant);
  }
  std::set<std::uint32_t> probed;

  for (std::uint64_t turn = 1; turn <= 16; ++turn) {
    for (const std::uint32_t merchant : attendance.invited(turn * Attendance::kProbeEvery, {})) {
      probed.insert(merchant / 4);
    }
  }

  EXPECT_EQ(probed, (std::set<std::uint32_t>{0, 1, 2}));
}

TEST(Attendance, OneThatComesBackBringsTheOthersOfItsWorker) {
  Attendance attendance = of_twelve();
  for (std::uint32_t merchant = 4; merchant < 12; ++merchant) {
    miss(attendance, merchant);
  }

  attendance.took_part(6);

  EXPECT_EQ(attendance.invited(1, {}), (Ids{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(attendance.is_present(6));
  EXPECT_FALSE(attendance.is_present(5));
}

TEST(Attendance, OneAtFaultStaysAwayAtOnceAndNobodyBringsItBack) {
  Attendance attendance = of_twelve();

  EXPECT_TRUE(attendance.at_fault(5));
  EXPECT_FALSE(attendance.at_fault(5)) << "it is known already";
  miss(attendance, 6);
  attendance.took_part(6);

  EXPECT_TRUE(attendance.stays_away(5));
  attendance.took_part(5);
  EXPECT_TRUE(attendance.is_present(5));
}

TEST(Attendance, OfNobodyIsEmpty) {
  EXPECT_EQ(Attendance({}).invited(8, {}), Ids{});
}

}  // namespace
}  // namespace hanse
