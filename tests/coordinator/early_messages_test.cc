#include "coordinator/early_messages.h"

namespace hanse {
namespace {

/// Merchants 0 to 2 at worker 1, merchant 3 at worker 2.
const std::vector<Peer> kHosts = {1, 1, 1, 2};

FromWorker message(Peer worker, std::size_t number) {
  return {worker, Bytes(number)};
}

TEST(EarlyMessages, OfAWorkerThatFloodsLeaveRoomForThoseOfOthers) {
  EarlyMessages early(kHosts);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    kept += early.keep(message(1, i)) ? 1u : 0u;
  }

  EXPECT_EQ(kept, 8u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(early.keep(message(2, i)));
  }
  EXPECT_FALSE(early.keep(message(2, 4)));
  EXPECT_EQ(early.take().size(), 12u);
}

TEST(EarlyMessages, ComeOutInTheirOrderAndLeaveRoomForTheNextRound) {
  EarlyMessages early(kHosts);
  early.keep_all({message(2, 1), message(2, 2), message(1, 3), message(2, 4), message(2, 5), message(2, 6)});

  const std::vector<FromWorker> first = early.take();

  ASSERT_EQ(first.size(), 5u) << "the last one found no room";
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].message.size(), i + 1);
    EXPECT_EQ(first[i].worker, i == 2 ? 1u : 2u);
  }
  EXPECT_TRUE(early.keep(message(2, 7)));
}

/// Which may say that it fails; or it is the arbiter.
TEST(EarlyMessages, OfAWorkerWithoutMerchantsAreFew) {
  EarlyMessages early(kHosts);

  EXPECT_TRUE(early.keep(message(3, 0)));
  EXPECT_TRUE(early.keep(message(3, 1)));
  EXPECT_FALSE(early.keep(message(3, 2)));
}

}  // namespace
}  // namespace hanse
