#include "tests/support/test_federation.h"

namespace hanse {
namespace {

CoordinatorRound run_one(TestFederation& federation, std::uint64_t round = 1) {
  SimulatedNetwork network;
  federation.attach(network);
  return federation.run(network, federation.request(round));
}

/// Loses, or lets be changed, the messages of one type and merchant.
std::function<bool(FromWorker&)> on_message(MessageType type, std::uint32_t merchant,
                                            std::function<bool(FromWorker&)> then) {
  return [=](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    return envelope->type == type && envelope->merchant == merchant ? then(message) : true;
  };
}
bool lost(FromWorker&) {
  return false;
}

bool mentions(const std::vector<std::string>& sentences, const std::string& words) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const std::string& sentence) { return sentence.find(words) != std::string::npos; });
}

/// The tutorial: three merchants at two workers, one private sum.
TEST(Round, AddsUpThreeMerchants) {
  TestFederation federation({.merchants = 3, .workers = 2});
  ASSERT_TRUE(federation.join());

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.summed(), nullptr) << (round.failed() ? round.failed()->sentence : "");
  EXPECT_EQ(round.summed()->merchants, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {0, 1, 2}));
  EXPECT_TRUE(round.dropped().empty());
  EXPECT_TRUE(round.refusals().empty());
  EXPECT_EQ(federation.released(), (std::vector<bool>{true, true}));
  EXPECT_TRUE(federation.node(1).refusals().empty());
}

TEST(Round, IsThreeExchangesOnceTheSharesRideOnTheRoundBefore) {
  TestFederation federation({.merchants = 4, .workers = 2});
  ASSERT_TRUE(federation.join());
  SimulatedNetwork network;
  federation.attach(network);
  std::map<std::uint64_t, std::vector<MessageType>> told;  // To worker 1, by round.
  federation.tamper_to_worker = [&](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (message.worker == 1) {
      told[envelope->round].push_back(envelope->type);
    }
    return true;
  };

  for (std::uint64_t number = 1; number <= 3; ++number) {
    const CoordinatorRound round = federation.run(network, federation.request_with_next(number));

    ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
    EXPECT_EQ(round.summed()->entries, federation.exact_sum(number, {0, 1, 2, 3}));
    EXPECT_TRUE(round.refusals().empty());
  }

  using enum MessageType;
  EXPECT_EQ(told[1], (std::vector<MessageType>{open, start, set, agreed, result}));
  EXPECT_EQ(told[2], (std::vector<MessageType>{start, set, agreed, result}));
  EXPECT_EQ(told[3], (std::vector<MessageType>{start, set, agreed, result}));
  EXPECT_TRUE(federation.node(1).refusals().empty());
}

TEST(Round, CostsAMerchantFewBytesANeighbourBesidesItsVector) {
  constexpr std::uint32_t kMerchants = 32;
  TestFederation federation({.merchants = kMerchants, .workers = 1});
  ASSERT_TRUE(federation.join());
  SimulatedNetwork network;
  federation.attach(network);
  ASSERT_NE(federation.run(network, federation.request_with_next(1)).summed(), nullptr);
  std::size_t bytes = 0;
  network.set_tap([&](Peer, Peer to, ByteView message) { bytes += to == 0 ? message.size() : 0; });

  ASSERT_NE(federation.run(network, federation.request_with_next(2)).summed(), nullptr);

  const std::size_t vector = SealedSum::wire_size(federation.request(2).parameters);
  const std::size_t beyond = bytes / kMerchants - vector;
  EXPECT_LE(beyond, 256u * (kMerchants - 1)) << "all messages, headers and seals";
  EXPECT_GE(beyond, 220u * (kMerchants - 1)) << "what is measured here is the whole round";
}

TEST(Round, NamesADealerWhoseSharesAreOfSomethingElse) {
  TestFederation federation({.merchants = 4, .workers = 4});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = on_message(MessageType::share, 2, [](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    auto share = decode<ShareMessage>(*envelope);
    share->secrets.self_mask[0] ^= std::byte{1};
    message.message = encode(*share, envelope->round, envelope->merchant);
    return true;
  });

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.failed()->reason, Refusal::bad_share);
  EXPECT_EQ(round.failed()->merchants, std::vector<std::uint32_t>{2});
  ASSERT_EQ(round.verdict().culprits.size(), 1u);
  EXPECT_NE(round.verdict().culprits[0].sentence.find("merchant m002 is at fault"), std::string::npos);
  EXPECT_TRUE(round.verdict().missed.empty()) << "nobody else misses anything by it";
}

TEST(Round, ADealerThatAllItsHoldersAccuseIsAloneAtFault) {
  TestFederation federation({.merchants = 6, .workers = 6});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = on_message(MessageType::share, 2, [](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    auto share = decode<ShareMessage>(*envelope);
    for (SharePart& part : share->parts) {
      part.commitments.escrow[0] ^= std::byte{1};  // Not of the shares in the boxes.
    }
    message.message = encode(*share, envelope->round, envelope->merchant);
    return true;
  });

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.failed(), nullptr) << "its holders left before they uploaded anything";
  const Verdict verdict = round.verdict();
  ASSERT_EQ(verdict.culprits.size(), 1u);
  EXPECT_EQ(verdict.culprits[0].merchant, 2u);
  EXPECT_TRUE(verdict.missed.empty()) << "its accusers were right to leave";
}

TEST(Round, GoesOnWithoutTheMerchantsOfAWorkerThatFails) {
  TestFederation federation({.merchants = 8, .workers = 4});  // Merchants 1 and 5 are at worker 2.
  ASSERT_TRUE(federation.join());
  federation.fail_in_prepare = "merchant m001 has more units than data.max_units";

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {0, 2, 3, 4, 6, 7}));
  EXPECT_TRUE(round.worker_failures().contains(2));
  ASSERT_EQ(round.dropped().size(), 2u);
  EXPECT_NE(round.dropped()[0].sentence.find("max_units"), std::string::npos);
}

TEST(Round, AMerchantThatMissedOneRejoinsByOpen) {
  TestFederation federation({.merchants = 5, .workers = 5});
  ASSERT_TRUE(federation.join());
  SimulatedNetwork network;
  federation.attach(network);
  federation.tamper_from_worker = on_message(MessageType::upload, 2, lost);
  ASSERT_NE(federation.run(network, federation.request_with_next(1)).summed(), nullptr);
  federation.tamper_from_worker = [](FromWorker&) { return true; };
  std::vector<Peer> opened;
  federation.tamper_to_worker = [&](ToWorker& message) {
    if (open_envelope(message.message)->type == MessageType::open) {
      opened.push_back(message.worker);
    }
    return true;
  };

  const CoordinatorRound round = federation.run(network, federation.request_with_next(2));

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(2, {0, 1, 2, 3, 4}));
  EXPECT_EQ(opened, std::vector<Peer>{3}) << "only merchant 2 has dealt no shares yet";
}

TEST(Round, GivesTheSameSumForEverySplitOverWorkers) {
  for (const std::uint32_t workers : {1u, 2u, 4u, 7u}) {
    TestFederation federation({.seed = workers, .merchants = 7, .workers = workers});
    ASSERT_TRUE(federation.join());

    const CoordinatorRound round = run_one(federation);

    ASSERT_NE(round.summed(), nullptr);
    EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {0, 1, 2, 3, 4, 5, 6}));
  }
}

TEST(Round, WithTwoHundredMerchantsMasksOnlyAlongTheNeighbourGraph) {
  TestFederation federation({.merchants = 200, .workers = 2});
  ASSERT_TRUE(federation.join());
  ASSERT_LT(federation.session().neighbours()[0].size(), 100u);
  federation.tamper_from_worker = on_message(MessageType::upload, 17, lost);

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->merchants.size(), 199u);
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, round.summed()->merchants));
}

TEST(Round, WithoutMasksAddsUpEvenASingleMerchant) {
  TestFederation federation({.merchants = 1, .workers = 1, .masked = false});
  ASSERT_TRUE(federation.join());

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.summed(), nullptr);
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {0}));
}

TEST(Round, RepairsTheMasksOfAMerchantThatDropsBeforeItsUpload) {
  TestFederation federation({.merchants = 4, .workers = 4});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = on_message(MessageType::upload, 2, lost);

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->merchants, (std::vector<std::uint32_t>{0, 1, 3}));
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {0, 1, 3}));
  ASSERT_EQ(round.dropped().size(), 1u);
  EXPECT_EQ(round.dropped()[0].merchant, 2u);
  EXPECT_EQ(round.dropped()[0].reason, Refusal::deadline);
}

TEST(Round, SurvivesADropBeforeAndAnotherAfterTheUploads) {
  TestFederation federation({.merchants = 8, .workers = 8});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = [first = on_message(MessageType::upload, 0, lost),
                                   second = on_message(MessageType::reveal, 5, lost)](FromWorker& message) {
    return first(message) && second(message);
  };

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {1, 2, 3, 4, 5, 6, 7}));
}

TEST(Round, FailsNamingTheSilentMerchantWhenTooFewHoldersAreLeft) {
  TestFederation federation({.merchants = 3, .workers = 3});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = on_message(MessageType::agree, 1, lost);

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.failed()->reason, Refusal::cohort);
  EXPECT_EQ(round.failed()->merchants, (std::vector<std::uint32_t>{1}));
  EXPECT_NE(round.failed()->sentence.find("m001"), std::string::npos);
  EXPECT_EQ(federation.released(), (std::vector<bool>{false, false, false}));
}

TEST(Round, FindsMerchantsWhoWereToldDifferentModelsBeforeAnythingIsOpened) {
  TestFederation federation({.merchants = 4, .workers = 2});
  ASSERT_TRUE(federation.join());
  federation.tamper_to_worker = [](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::start && message.worker == 2) {
      auto start = decode<Start>(*envelope);
      start->payload.back() ^= std::byte{1};  // The model differs in one bit.
      message.message = encode(*start, envelope->round);
    }
    return true;
  };

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.failed()->reason, Refusal::edge_mismatch);
  EXPECT_NE(round.failed()->sentence.find("m000 and m001"), std::string::npos);
  EXPECT_EQ(round.failed()->sentence.find("m000 and m002"), std::string::npos) << "both at the first worker";
}

TEST(Round, IgnoresAndAttributesAShareThatWasNotCommittedTo) {
  TestFederation federation({.merchants = 4, .workers = 4});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = on_message(MessageType::reveal, 3, [](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    auto reveal = decode<Reveal>(*envelope);
    std::get<SelfMaskShare>(reveal->shares[0]).share[7] ^= std::byte{1};
    message.message = encode(*reveal, envelope->round, envelope->merchant);
    return true;
  });
  SimulatedNetworkOptions slow_others;
  SimulatedNetwork network;
  federation.attach(network);
  // Merchant 1 stays silent, so that the wrong share would be needed: t = 3 of 4.
  const auto wrong_share = federation.tamper_from_worker;
  federation.tamper_from_worker = [=,
                                   silent = on_message(MessageType::reveal, 1, lost)](FromWorker& message) {
    return wrong_share(message) && silent(message);
  };

  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_TRUE(mentions(round.refusals(), "merchant m003: the share it revealed of merchant m000"));
}

TEST(Round, AWrongWrapOfADroppedMerchantIsFoundAndItsEdgeNamed) {
  TestFederation federation({.merchants = 4, .workers = 4});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = [lost_upload = on_message(MessageType::upload, 2, lost),
                                   wrap = on_message(MessageType::share, 2, [](FromWorker& message) {
                                     const auto envelope = open_envelope(message.message);
                                     auto share = decode<ShareMessage>(*envelope);
                                     share->parts[0].wrapped_seed[0] ^= std::byte{1};
                                     message.message = encode(*share, envelope->round, envelope->merchant);
                                     return true;
                                   })](FromWorker& message) { return lost_upload(message) && wrap(message); };

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.failed()->reason, Refusal::edge_mismatch);
  EXPECT_EQ(round.failed()->merchants, (std::vector<std::uint32_t>{0, 2}));
}

TEST(Round, RefusesMessagesThatAreForeignRepeatedOrMalformedAndGoesOn) {
  TestFederation federation({.merchants = 3, .workers = 3});
  ASSERT_TRUE(federation.join());
  CoordinatorRound round(federation.session(), federation.request(1));
  (void)round.begin();
  const int phase = round.phase();

  (void)round.step({1, encode(ShareMessage{}, 1, 1)});                  // Merchant 1 is at rank 2.
  (void)round.step({1, encode(ShareMessage{}, 1, 77)});                 // There is no merchant 77.
  (void)round.step({1, encode(ShareMessage{}, 2, 0)});                  // Another round.
  (void)round.step({1, encode(Upload{}, 1, 0)});                        // Not what it waits for.
  (void)round.step({1, encode(ShareMessage{}, 1, 0)});                  // No parts for two neighbours.
  (void)round.step({1, Bytes(5)});                                      // No header.
  (void)round.step({1, encode(ShareMessage{{}, {}, {{}, {}}}, 1, 0)});  // Right.
  (void)round.step({1, encode(ShareMessage{{}, {}, {{}, {}}}, 1, 0)});  // Once more.

  EXPECT_EQ(round.phase(), phase);
  EXPECT_FALSE(round.ended());
  ASSERT_EQ(round.refusals().size(), 7u);
  EXPECT_NE(round.refusals()[0].find("foreign"), std::string::npos);
  EXPECT_NE(round.refusals()[1].find("foreign"), std::string::npos);
  EXPECT_NE(round.refusals()[2].find("wrong_round"), std::string::npos);
  EXPECT_NE(round.refusals()[3].find("malformed"), std::string::npos);
  EXPECT_NE(round.refusals()[4].find("malformed"), std::string::npos);
  EXPECT_NE(round.refusals()[5].find("malformed"), std::string::npos);
  EXPECT_NE(round.refusals()[6].find("out_of_order"), std::string::npos);
}

TEST(Round, TakesAnUploadOfTheWrongLengthForNone) {
  TestFederation federation({.merchants = 4, .workers = 4});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = on_message(MessageType::upload, 1, [](FromWorker& message) {
    message.message.pop_back();
    return true;
  });

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.summed(), nullptr);
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {0, 2, 3}));
  EXPECT_TRUE(mentions(round.refusals(), "merchant m001"));
}

TEST(Round, ASharesHolderThatIsLateForARoundThatOpenedWithoutItIsNoFault) {
  TestFederation federation({.merchants = 3, .workers = 1});
  ASSERT_TRUE(federation.join());
  CoordinatorRound round(federation.session(), federation.request(2));
  (void)round.begin();

  (void)round.step({1, encode(Reveal{}, 1, 0)});  // Of the round before.
  (void)round.step({1, encode(Reveal{}, 3, 0)});  // Of a round to come.

  ASSERT_EQ(round.refusals().size(), 1u);
  EXPECT_NE(round.refusals()[0].find("round 3"), std::string::npos);
}

TEST(Round, EndsWithTheReasonOfMerchantsWhoRefuseIt) {
  TestFederation federation({.merchants = 3, .workers = 2});
  ASSERT_TRUE(federation.join());
  federation.refuse_round = "the budget of 1.0 would be overspent";

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_NE(round.failed()->sentence.find("overspent"), std::string::npos);
  EXPECT_EQ(round.dropped().size(), 3u);
  EXPECT_EQ(round.dropped()[0].reason, Refusal::policy);
  EXPECT_EQ(federation.deadlines(), 0) << "who says that it leaves is not waited for";
}

TEST(Round, StopsWithTheFaultThatAWorkersUserMustMend) {
  TestFederation federation({.merchants = 3, .workers = 2});
  ASSERT_TRUE(federation.join());
  federation.fail_in_prepare = "merchant m001 has more units than data.max_units";

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.failed(), nullptr);
  ASSERT_TRUE(round.worker_failures().contains(2));
  EXPECT_EQ(round.worker_failures().at(2).code(), ExitCode::bad_input);
  EXPECT_NE(round.failed()->sentence.find("max_units"), std::string::npos);
}

TEST(Round, AMerchantsOwnMinimumIsNotTheCoordinatorsToLower) {
  TestFederation federation({.merchants = 4, .workers = 4, .merchants_min = 4});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = on_message(MessageType::upload, 0, lost);

  const CoordinatorRound round = run_one(federation);

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_TRUE(mentions(federation.node(2).refusals(), "cohort"));
}

TEST(Round, AfterAFailureTheSessionGoesOnWithALaterRound) {
  TestFederation federation({.merchants = 3, .workers = 3});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = on_message(MessageType::upload, 0, lost);
  ASSERT_NE(run_one(federation, 1).failed(), nullptr);
  federation.tamper_from_worker = [](FromWorker&) { return true; };

  const CoordinatorRound round = run_one(federation, 5);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(5, {0, 1, 2}));
}

TEST(Round, MerchantsLeaveASessionInWhichTooManyRoundsCameToNothing) {
  TestFederation federation({.merchants = 3, .workers = 1, .aborts_max = 2});
  ASSERT_TRUE(federation.join());
  federation.tamper_from_worker = on_message(MessageType::agree, 0, lost);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    ASSERT_NE(run_one(federation, round).failed(), nullptr);
  }
  federation.tamper_from_worker = [](FromWorker&) { return true; };

  const CoordinatorRound round = run_one(federation, 4);

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.dropped()[0].reason, Refusal::exhausted);
}

}  // namespace
}  // namespace hanse
