// Uploads that are added up on their way, along a tree of all workers: the same sums as in a star, and what is
// different about losses, lies and what is seen.

#include <array>
#include <cstring>

#include "coordinator/federation.h"
#include "tests/support/test_federation.h"

namespace hanse {
namespace {

using Bits = std::vector<std::uint32_t>;

/// A federation with a tree, joined, on a network.
struct TreeFederation : TestFederation {
  explicit TreeFederation(Plan plan) : TestFederation(with_tree(std::move(plan))) {
    EXPECT_TRUE(join());
    attach(network);
  }
  static Plan with_tree(Plan plan) {
    plan.tree = true;
    return plan;
  }
  CoordinatorRound run(std::uint64_t round, Ring ring = Ring::bits32) {
    return TestFederation::run(network, request(round, ring));
  }

  SimulatedNetwork network;
};

std::vector<std::uint32_t> all_but(std::uint32_t merchants, const std::vector<std::uint32_t>& missing) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t id = 0; id < merchants; ++id) {
    if (std::find(missing.begin(), missing.end(), id) == missing.end()) {
      ids.push_back(id);
    }
  }
  return ids;
}

void expect_exact(const CoordinatorRound& round, const TestFederation& federation, std::uint64_t number,
                  const std::vector<std::uint32_t>& merchants) {
  ASSERT_NE(round.summed(), nullptr) << (round.failed() != nullptr ? round.failed()->sentence : "");
  EXPECT_EQ(round.summed()->merchants, merchants);
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(number, merchants));
}

/// Loses what the merchants of `ids` upload.
std::function<bool(FromWorker&)> uploads_lost(std::vector<std::uint32_t> ids) {
  return [ids = std::move(ids)](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    return envelope->type != MessageType::upload ||
           std::find(ids.begin(), ids.end(), envelope->merchant) == ids.end();
  };
}

/// Changes what worker `rank` is told in REDUCE.
std::function<bool(ToWorker&)> other_reduce(Peer rank, std::function<void(Reduce&)> change) {
  return [rank, change = std::move(change)](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::reduce && message.worker == rank) {
      auto reduce = decode<Reduce>(*envelope);
      change(*reduce);
      message.message = encode(*reduce, envelope->round);
    }
    return true;
  };
}

class Tree : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Tree, GivesTheExactSumInBothRings) {
  TreeFederation federation({.merchants = 7, .workers = GetParam()});

  const CoordinatorRound narrow = federation.run(1, Ring::bits32);
  const CoordinatorRound wide = federation.run(2, Ring::bits64);

  expect_exact(narrow, federation, 1, all_but(7, {}));
  expect_exact(wide, federation, 2, all_but(7, {}));
}

INSTANTIATE_TEST_SUITE_P(Workers, Tree, testing::Values(1u, 2u, 3u, 4u, 7u));

TEST(TreeRounds, AWorkerWithoutAnInvitedMerchantJoinsWithZeros) {
  TreeFederation federation({.merchants = 8, .workers = 8});
  std::size_t bare = 0;
  federation.network.set_sum_tap([&](Peer from, Residues& part) {
    bare += part == zeros_like(part) ? 1u : 0u;
    EXPECT_EQ(part == zeros_like(part), from == 3);
  });
  RoundRequest request = federation.request(1);
  request.merchants = all_but(8, {2});

  const CoordinatorRound round = federation.TestFederation::run(federation.network, request);

  expect_exact(round, federation, 1, all_but(8, {2}));
  EXPECT_EQ(bare, 1u);
}

TEST(TreeRounds, FollowEachOtherWithSharesRidingAhead) {
  TreeFederation federation({.merchants = 6, .workers = 3});

  for (std::uint64_t number = 1; number <= 5; ++number) {
    const CoordinatorRound round =
        federation.TestFederation::run(federation.network, federation.request_with_next(number));
    expect_exact(round, federation, number, all_but(6, {}));
  }
}

TEST(TreeDropouts, AMerchantThatIsAloneAtItsWorkerIsMissingAlone) {
  TreeFederation federation({.merchants = 5, .workers = 5});
  federation.tamper_from_worker = uploads_lost({2});

  const CoordinatorRound round = federation.run(1);

  expect_exact(round, federation, 1, all_but(5, {2}));
}

TEST(TreeDropouts, AMerchantThatIsLateTakesThoseThatAreAddedUpWithItAlong) {
  TreeFederation federation({.merchants = 8, .workers = 4});  // Worker 2 hosts merchants 1 and 5.
  federation.tamper_from_worker = uploads_lost({5});

  const CoordinatorRound round = federation.run(1);

  expect_exact(round, federation, 1, all_but(8, {1, 5}));
  ASSERT_EQ(round.dropped().size(), 2u);
  EXPECT_EQ(round.dropped()[0].sentence, "merchant m005 sent no UPLOAD before the deadline");
  EXPECT_EQ(round.dropped()[1].sentence, "merchant m001 is added up with merchant m005, which is late");
}

TEST(TreeDropouts, AMerchantThatLeavesIsMissingAlone) {
  TreeFederation federation({.merchants = 8, .workers = 4});
  federation.tamper_to_worker = [](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::start && message.worker == 2) {
      auto start = decode<Start>(*envelope);
      for (ForwardedBox& box : start->boxes) {
        box.box[20] ^= box.holder == 5 ? std::byte{1} : std::byte{0};
      }
      message.message = encode(*start, envelope->round);
    }
    return true;
  };

  const CoordinatorRound round = federation.run(1);

  expect_exact(round, federation, 1, all_but(8, {5}));
}

TEST(TreeDropouts, AWorkerThatFailsJoinsTheSumsOfTheOthersAllTheSame) {
  TreeFederation federation({.merchants = 8, .workers = 4});
  federation.fail_in_prepare = "line 7 is no number";

  const CoordinatorRound first = federation.run(1);
  const CoordinatorRound second = federation.run(2);

  expect_exact(first, federation, 1, all_but(8, {1, 5}));
  expect_exact(second, federation, 2, all_but(8, {1, 5}));
}

TEST(TreeDropouts, AfterTheUploadCostNothing) {
  TreeFederation federation({.merchants = 8, .workers = 4});
  federation.tamper_from_worker = [](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    return envelope->merchant != 3 ||
           (envelope->type != MessageType::agree && envelope->type != MessageType::reveal);
  };

  const CoordinatorRound round = federation.run(1);

  expect_exact(round, federation, 1, all_but(8, {}));
}

TEST(TreeLies, AWorkerGivesNoPartOfASumOverOthersThanItsUploaders) {
  TreeFederation federation({.merchants = 8, .workers = 4});
  std::size_t bare = 0;
  federation.tamper_to_worker = other_reduce(2, [](Reduce& reduce) { reduce.included.erase(5); });
  federation.network.set_sum_tap([&](Peer, Residues& part) { bare += part == zeros_like(part) ? 1u : 0u; });

  const CoordinatorRound round = federation.run(1);

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.failed()->reason, Refusal::unsummed);
  EXPECT_EQ(round.failed()->merchants, (Bits{1, 5}));
  EXPECT_EQ(round.failed()->sentence,
            "rank 2 gave no part of the sum: the merchants in the sum are not those that uploaded");
  EXPECT_EQ(bare, 1u);
}

TEST(TreeLies, AWorkerGivesNoPartInAnotherRingOrLength) {
  for (const bool ring : {true, false}) {
    TreeFederation federation({.merchants = 4, .workers = 2});
    federation.tamper_to_worker = other_reduce(1, [&](Reduce& reduce) {
      reduce.ring = ring ? Ring::bits64 : reduce.ring;
      reduce.length += ring ? 0u : 1u;
    });
    federation.network.set_sum_tap([&](Peer from, Residues& part) {
      EXPECT_EQ(part == zeros_like(part), from == 1);
      part = from == 1 ? Residues(Bits(TestFederation::kLength + kCanaries.size())) : part;
    });

    const CoordinatorRound round = federation.run(1);

    ASSERT_NE(round.failed(), nullptr);
    EXPECT_EQ(round.failed()->reason, Refusal::unsummed);
  }
}

TEST(TreeLies, ARoundThatFailedIsForgottenByTheNext) {
  TreeFederation federation({.merchants = 6, .workers = 3});
  federation.tamper_to_worker = other_reduce(2, [](Reduce& reduce) { reduce.included.erase(1); });
  ASSERT_NE(federation.run(1).failed(), nullptr);
  federation.tamper_to_worker = [](ToWorker&) { return true; };

  const CoordinatorRound round = federation.run(2);

  expect_exact(round, federation, 2, all_but(6, {}));
}

TEST(TreeLies, APartIsGivenOnce) {
  TreeFederation federation({.merchants = 4, .workers = 2});
  std::size_t parts = 0;
  federation.network.set_sum_tap([&](Peer, Residues&) { ++parts; });
  ASSERT_NE(federation.run(1).summed(), nullptr);

  for (const std::uint64_t round : {1u, 0u}) {
    federation.tell(federation.network,
                    {1, encode(Reduce{Ring::bits32, TestFederation::kLength, MerchantSet::all(4)}, round)});
    federation.network.flush(Instant(10'000));
  }

  EXPECT_EQ(parts, 2u);
  EXPECT_EQ(federation.node(1).refusals().size(), 2u);
}

TEST(TreeLies, AWorkerThatIsNotOfATreeJoinsNone) {
  TestFederation federation({.merchants = 4, .workers = 2});
  ASSERT_TRUE(federation.join());
  SimulatedNetwork network;
  federation.attach(network);
  std::size_t parts = 0;
  network.set_sum_tap([&](Peer, Residues&) { ++parts; });

  federation.tell(network, {1, encode(Reduce{Ring::bits32, 6, MerchantSet::all(4)}, 1)});
  network.flush(Instant(1000));

  EXPECT_EQ(parts, 0u);
  EXPECT_EQ(federation.node(1).refusals().size(), 1u);
}

TEST(TreeLies, AnUploadWithResiduesIsRefused) {
  TreeFederation federation({.merchants = 5, .workers = 5});
  federation.tamper_from_worker = [](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::upload && envelope->merchant == 4) {
      message.message.resize(message.message.size() + 40);
    }
    return true;
  };

  const CoordinatorRound round = federation.run(1);

  expect_exact(round, federation, 1, all_but(5, {4}));
}

TEST(TreeLies, APartThatIsNotMaskedRightOpensNoSum) {
  TreeFederation federation({.merchants = 5, .workers = 5});
  federation.network.set_sum_tap([](Peer from, Residues& part) {
    if (from == 3) {
      part = zeros_like(part);
    }
  });

  const CoordinatorRound round = federation.run(1);

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.failed()->reason, Refusal::sum_invalid);
}

// --- what other workers see ---

struct Seen {
  std::vector<Bits> parts;
  std::vector<Bytes> uploads;
};

Seen seen_in(TestFederation::Plan plan, std::uint64_t rounds) {
  TreeFederation federation(std::move(plan));
  Seen seen;
  federation.network.set_sum_tap([&](Peer, Residues& part) { seen.parts.push_back(std::get<Bits>(part)); });
  federation.tamper_from_worker = [&](FromWorker& message) {
    if (open_envelope(message.message)->type == MessageType::upload) {
      seen.uploads.push_back(message.message);
    }
    return true;
  };
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    EXPECT_NE(federation.run(round).summed(), nullptr);
  }
  return seen;
}

TEST(TreeSecrecy, PartsOfZerosAreUniformBytes) {
  const Seen seen = seen_in({.seed = 6, .merchants = 8, .workers = 8, .all_zero = true}, 200);
  std::array<double, 256> counts{};
  double total = 0;

  for (const Bits& part : seen.parts) {
    for (const std::byte byte : std::as_bytes(std::span(part))) {
      counts[static_cast<std::size_t>(byte)] += 1;
      total += 1;
    }
  }

  double chi_square = 0;
  for (const double count : counts) {
    chi_square += (count - total / 256) * (count - total / 256) / (total / 256);
  }
  EXPECT_EQ(seen.parts.size(), 1600u);
  // 255 degrees of freedom: mean 255, standard deviation 22.6; both bounds are beyond 5 of them (seeded).
  EXPECT_LT(chi_square, 370);
  EXPECT_GT(chi_square, 140);
}

TEST(TreeSecrecy, NoSumOfAWorkersMerchantsIsInItsPart) {
  const TestFederation::Plan plan{.seed = 5, .merchants = 6, .workers = 3};
  const TestFederation values(plan);

  const Seen seen = seen_in(plan, 4);

  ASSERT_EQ(seen.parts.size(), 12u);
  for (const Bits& part : seen.parts) {
    for (std::uint64_t round = 1; round <= 4; ++round) {
      for (std::uint32_t first = 0; first < 3; ++first) {
        for (const auto& hosted : {Bits{first}, Bits{first + 3}, Bits{first, first + 3}}) {
          const auto sum = values.exact_sum(round, hosted);
          for (std::size_t entry = 0; entry < sum.size(); ++entry) {
            EXPECT_NE(part[entry], static_cast<std::uint32_t>(sum[entry]));
          }
        }
      }
    }
  }
}

TEST(TreeSecrecy, AnUploadIsFingerprintsAndNothingElse) {
  const Seen seen = seen_in({.seed = 7, .merchants = 5, .workers = 2}, 2);

  ASSERT_EQ(seen.uploads.size(), 10u);
  for (const Bytes& upload : seen.uploads) {
    EXPECT_EQ(upload.size(), kHeaderSize + 4 + 4 * sizeof(Bytes16));
  }
}

// --- the loss of a process ---

TEST(TreeLoss, OfAWorkerEndsTheRunWithASentenceWithinTheDeadline) {
  TreeFederation test({.merchants = 8, .workers = 4});
  std::vector<std::string> notes;
  Federation federation(test.network, test.network, std::move(test.session()), Milliseconds(5000),
                        [&](std::string_view note) { notes.emplace_back(note); });
  federation.assemble();
  ASSERT_NE(federation.run(test.request(1)).summed(), nullptr);
  test.network.crash(4);
  const Instant begin = test.network.now();

  try {
    federation.run(test.request(2));
    FAIL() << "a run without a worker";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::could_not_finish);
    EXPECT_EQ(
        std::string(failure.what()),
        "round 2: not all processes gave their part of the sum in time; aggregation.topology=tree needs "
        "every worker to the end: continue with federation.resume=true, or use star");
  }
  EXPECT_LE(test.network.now() - begin, Milliseconds(15000));  // Shares, uploads, sum: one deadline each.
}

}  // namespace
}  // namespace hanse
