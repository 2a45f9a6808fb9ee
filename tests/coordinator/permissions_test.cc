// One exchange for the ledger's last line, at the coordinator: who signs, who does not, and what is no answer.

#include "coordinator/permissions.h"

#include "tests/support/test_federation.h"

namespace hanse {
namespace {

/// Four merchants at two workers, asked for their signatures of a ledger of three lines.
class Permissions : public testing::Test {
 protected:
  Permissions() : federation_({.merchants = 4, .workers = 2}) {}
  void SetUp() override { ASSERT_TRUE(federation_.join()); }

  PermissionRound asked() {
    PermissionRequest request{
        .round = 5, .merchants = {0, 1, 2, 3}, .size = 3, .root = root_, .lines = [](Peer worker) {
          return std::vector<std::string>(worker, "a line");
        }};
    return PermissionRound(federation_.session(), std::move(request));
  }
  FromWorker answer(Peer worker, std::uint64_t size, const Digest& root, std::size_t signatures = 2) const {
    return {worker, encode(Cosign{size, root, std::vector<Signature>(signatures)}, 5)};
  }

  Digest root_ = sha256(bytes_of("three lines"));
  TestFederation federation_;
};

TEST_F(Permissions, AreAskedOfEachWorkerOnceWithTheLinesThatItLacks) {
  const std::vector<ToWorker> messages = asked().begin();

  ASSERT_EQ(messages.size(), 2u);
  for (const ToWorker& message : messages) {
    const auto permit = decode<Permit>(*open_envelope(message.message));
    ASSERT_TRUE(permit.ok());
    EXPECT_EQ(permit->lines.size(), message.worker);
    EXPECT_EQ(permit->asked.count(), 4u);
  }
}

TEST_F(Permissions, EndWhenEveryWorkerSigned) {
  PermissionRound round = asked();

  EXPECT_TRUE(round.step(answer(1, 3, root_)));
  EXPECT_FALSE(round.ended());
  EXPECT_TRUE(round.step(answer(2, 3, root_)));

  EXPECT_TRUE(round.ended());
  EXPECT_EQ(round.cosignatures().size(), 4u);
  EXPECT_TRUE(round.refused().empty());
}

TEST_F(Permissions, OfAWorkerThatHasAnotherLedgerAreNone) {
  PermissionRound round = asked();

  round.step(answer(1, 3, sha256(bytes_of("three other lines"))));
  round.step(answer(2, 4, root_));

  EXPECT_TRUE(round.ended());
  EXPECT_TRUE(round.cosignatures().empty());
  ASSERT_EQ(round.refused().size(), 4u);
  EXPECT_EQ(round.refused()[0].reason, Refusal::split_view);
  EXPECT_NE(round.refused()[0].sentence.find("has another ledger"), std::string::npos);
}

TEST_F(Permissions, RefusedLateAndMalformedAreNamedAndLeaveTheOthers) {
  PermissionRound refused = asked();
  PermissionRound malformed = asked();

  refused.step({1, encode(Abort{Refusal::policy, kNoMerchant, "above policy.max_epsilon"}, 5)});
  refused.deadline_passed();
  malformed.step(answer(1, 3, root_, 3));
  malformed.step(answer(2, 3, root_));

  ASSERT_EQ(refused.refused().size(), 4u);
  EXPECT_NE(refused.refused()[0].sentence.find("above policy.max_epsilon"), std::string::npos);
  EXPECT_EQ(refused.refused()[3].reason, Refusal::deadline);
  EXPECT_EQ(malformed.refused().size(), 2u);
  EXPECT_EQ(malformed.cosignatures().size(), 2u);
}

TEST_F(Permissions, LeaveMessagesOfOtherRoundsAndSecondAnswersToOthers) {
  PermissionRound round = asked();
  round.step(answer(1, 3, root_));

  EXPECT_FALSE(round.step(answer(1, 3, root_))) << "a second answer";
  EXPECT_FALSE(round.step({2, encode(Cosign{3, root_, std::vector<Signature>(2)}, 4)})) << "of another round";
  EXPECT_FALSE(round.step({2, encode(ShareMessage{}, 5, 2)})) << "shares, for the round to come";
  EXPECT_FALSE(round.step({2, Bytes(3)}));
  EXPECT_FALSE(round.ended());
}

}  // namespace
}  // namespace hanse
