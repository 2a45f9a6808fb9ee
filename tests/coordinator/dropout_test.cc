// Merchants that drop out, before their upload or after it: the sum is that of the uploads, to the last step,
// or the round fails by name. Through the real state machines, shares riding from round to round.

#include "privacy/secure_sum/neighbours.h"
#include "tests/support/test_federation.h"

namespace hanse {
namespace {

/// Where a merchant falls silent in a round.
enum class Silent { never, before_upload, before_agree, before_reveal };

/// Loses what a merchant sends from its point of silence on.
std::function<bool(FromWorker&)> silence(const std::vector<Silent>& plan) {
  return [&plan](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    const Silent when = plan[envelope->merchant];
    switch (envelope->type) {
      case MessageType::upload:
        return when != Silent::before_upload;
      case MessageType::agree:
        return when != Silent::before_upload && when != Silent::before_agree;
      case MessageType::reveal:
        return when == Silent::never;
      default:
        return true;
    }
  };
}

/// Runs a round in which merchants fall silent as planned, and checks all that it comes to. Then `number`
/// is that of the next round: after a failure, not the one that some have dealt for.
void expect_exact_or_named(TestFederation& federation, SimulatedNetwork& network, std::uint64_t& number,
                           const std::vector<Silent>& plan) {
  std::vector<std::uint32_t> uploaded;
  std::size_t agreeing = 0;
  std::size_t revealing = 0;
  for (std::uint32_t id = 0; id < plan.size(); ++id) {
    if (plan[id] != Silent::before_upload) {
      uploaded.push_back(id);
    }
    agreeing += plan[id] == Silent::never || plan[id] == Silent::before_reveal ? 1u : 0u;
    revealing += plan[id] == Silent::never ? 1u : 0u;
  }
  const std::size_t threshold =
      holder_threshold(static_cast<std::uint32_t>(plan.size()), federation.session().threshold());
  federation.tamper_from_worker = silence(plan);

  const CoordinatorRound round = federation.run(network, federation.request_with_next(number));

  const bool possible = uploaded.size() >= threshold && agreeing >= threshold && revealing >= threshold;
  ASSERT_EQ(round.summed() != nullptr, possible) << "round " << number << " of " << plan.size();
  if (possible) {
    ASSERT_EQ(round.summed()->merchants, uploaded);
    ASSERT_EQ(round.summed()->entries, federation.exact_sum(number, uploaded));
  } else {
    ASSERT_EQ(round.failed()->reason, Refusal::cohort);
    ASSERT_FALSE(round.failed()->merchants.empty()) << round.failed()->sentence;
  }
  number += possible ? 1 : 2;
}

class Dropouts : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Dropouts, EverySubsetBeforeAndAfterTheUploadGivesTheExactSumOrANamedFailure) {
  const std::uint32_t merchants = GetParam();
  TestFederation federation({.seed = merchants, .merchants = merchants, .workers = merchants / 2});
  ASSERT_TRUE(federation.join());
  SimulatedNetwork network;
  federation.attach(network);
  std::uint32_t patterns = 1;
  for (std::uint32_t i = 0; i < merchants; ++i) {
    patterns *= 3;
  }
  std::uint64_t number = 1;

  for (std::uint32_t pattern = 0; pattern < patterns && !HasFatalFailure(); ++pattern) {
    const Silent after = pattern % 2 == 0 ? Silent::before_agree : Silent::before_reveal;
    const Silent kinds[] = {Silent::never, Silent::before_upload, after};
    std::vector<Silent> plan;
    for (std::uint32_t rest = pattern; plan.size() < merchants; rest /= 3) {
      plan.push_back(kinds[rest % 3]);
    }
    expect_exact_or_named(federation, network, number, plan);
  }
}

INSTANTIATE_TEST_SUITE_P(Merchants, Dropouts, testing::Values(3u, 4u, 5u, 6u, 7u, 8u));

class RandomDropouts : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomDropouts, OfUpToSixtyFourMerchantsGiveTheExactSumOrANamedFailure) {
#ifdef HANSE_SANITIZED
  constexpr int kPatterns = 50;
#else
  constexpr int kPatterns = 500;
#endif
  SeededGenerator random{GetParam(), 0xD0};
  for (int done = 0; done < kPatterns && !HasFatalFailure();) {
    const auto merchants = static_cast<std::uint32_t>(3 + random.below(random.below(8) == 0 ? 62 : 14));
    TestFederation federation({.seed = random(),
                               .merchants = merchants,
                               .workers = static_cast<std::uint32_t>(1 + random.below(3))});
    ASSERT_TRUE(federation.join());
    SimulatedNetwork network;
    federation.attach(network);
    std::uint64_t number = 1;
    for (int i = 0; i < 10 && !HasFatalFailure(); ++i, ++done) {
      const double rate = 0.4 * random.uniform();
      std::vector<Silent> plan(merchants, Silent::never);
      for (Silent& when : plan) {
        when = random.uniform() < rate ? static_cast<Silent>(1 + random.below(3)) : Silent::never;
      }
      number += random.below(3) == 0 ? 1u : 0u;  // Over a gap all shares are asked for by OPEN.
      expect_exact_or_named(federation, network, number, plan);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomDropouts, testing::Values(1u, 2u, 3u, 4u));

}  // namespace
}  // namespace hanse
