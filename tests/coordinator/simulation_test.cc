// Whole federations with faults, each a function of its seed. Every opened
// sum is the exact integer sum over the merchants included, or the round failed with a named reason; no round
// hangs.

#include "tests/support/test_federation.h"

namespace hanse {
namespace {

SimulatedNetworkOptions faults_of(std::uint64_t seed) {
  SeededGenerator random{seed, 0xFA};
  SimulatedNetworkOptions options{.seed = seed};
  switch (random.below(4)) {
    case 0:  // A quiet network.
      break;
    case 1:
      options.loss = 0.06 * random.uniform();
      break;
    case 2:
      options.duplication = 0.2 * random.uniform();
      options.reordering = 0.05 * random.uniform();
      break;
    default:
      options.loss = 0.03 * random.uniform();
      options.duplication = 0.1 * random.uniform();
      options.reordering = 0.03 * random.uniform();
      options.garbling = 0.03 * random.uniform();
  }
  options.delay_max = Milliseconds(static_cast<int>(random.below(4) == 0 ? 40 : 5));
  return options;
}

struct Tally {
  int summed = 0;
  int summed_without_some = 0;
  int failed = 0;
};

/// One round under the faults of `seed`, and in every fourth seed a second one over the same network, into
/// which the late messages of the first still arrive.
void run_seed(TestFederation& federation, std::uint64_t seed, std::uint32_t workers,
              std::uint64_t& round_number, Tally& tally) {
  SimulatedNetworkOptions options = faults_of(seed);
  SeededGenerator random{seed, 0xC5};
  if (random.below(4) == 0) {
    options.crash_at[static_cast<Peer>(1 + random.below(workers))] =
        Instant(static_cast<std::int64_t>(random.below(60)));
  }
  SimulatedNetwork network(options);
  federation.attach(network);
  for (std::uint64_t repeat = 0; repeat < (seed % 4 == 0 ? 2u : 1u); ++repeat) {
    ++round_number;
    const auto request = federation.request(round_number, seed % 2 == 0 ? Ring::bits32 : Ring::bits64);

    const CoordinatorRound round = federation.run(network, request);

    ASSERT_LE(federation.deadlines(), 4) << "seed " << seed << ": at most one deadline a phase";
    if (const OpenedSum* sum = round.summed()) {
      ++tally.summed;
      tally.summed_without_some += sum->merchants.size() < request.merchants.size() ? 1 : 0;
      ASSERT_GE(sum->merchants.size(), 3u) << "seed " << seed;
      ASSERT_EQ(sum->entries, federation.exact_sum(round_number, sum->merchants)) << "seed " << seed;
      ASSERT_EQ(sum->merchants.size() + round.dropped().size(), request.merchants.size()) << "seed " << seed;
    } else {
      ++tally.failed;
      ASSERT_NE(round.failed(), nullptr) << "seed " << seed;
      ASSERT_NE(name_of(round.failed()->reason), "unknown") << "seed " << seed;
      ASSERT_FALSE(round.failed()->sentence.empty()) << "seed " << seed;
    }
  }
}

TEST(Simulation, EverySumOfTenThousandFaultyFederationsIsExactOrRefused) {
#ifdef HANSE_SANITIZED
  constexpr int kSessions = 25;  // A tenth of the seeds: sanitized code is as much slower.
#else
  constexpr int kSessions = 250;
#endif
  constexpr std::uint64_t kSeedsOfSession = 40;
  Tally tally;

  for (std::uint64_t session = 0; session < std::uint64_t{kSessions}; ++session) {
    const auto merchants = static_cast<std::uint32_t>(3 + session % 6);
    const auto workers = static_cast<std::uint32_t>(1 + session / 6 % std::min(4u, merchants));
    TestFederation federation({.seed = session, .merchants = merchants, .workers = workers});
    ASSERT_TRUE(federation.join()) << "session " << session;
    std::uint64_t round_number = 0;
    for (std::uint64_t i = 0; i < kSeedsOfSession; ++i) {
      run_seed(federation, session * kSeedsOfSession + i, workers, round_number, tally);
      if (HasFatalFailure()) {
        return;
      }
    }
  }

  // The faults are such that all three ways are well walked.
  EXPECT_GT(tally.summed, 12 * kSessions);
  EXPECT_GT(tally.summed_without_some, kSessions);
  EXPECT_GT(tally.failed, 4 * kSessions);
  RecordProperty("summed", tally.summed);
  RecordProperty("summed_without_some", tally.summed_without_some);
  RecordProperty("failed", tally.failed);
}

}  // namespace
}  // namespace hanse
