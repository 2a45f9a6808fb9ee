// Noise that was drawn for drop-outs leaves the sum when they do not come, and nothing else leaves it: through the real
// state machines, with each merchant's noise known to the test.

#include <cmath>
#include <map>

#include "privacy/noise/discrete_gaussian.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/neighbours.h"
#include "tests/support/test_federation.h"

namespace hanse {
namespace {

/// Where a merchant falls silent in a round.
enum class Silent { never, before_upload, before_agree, before_reveal };

/// A federation whose noise the test can draw again: the base from a seed of round and merchant, the rungs from the key.
class NoisyFederation {
 public:
  NoisyFederation(std::uint32_t merchants, std::uint32_t collusion, std::uint64_t seed = 1)
      : merchants_(merchants),
        collusion_(collusion),
        federation_({.seed = seed,
                     .merchants = merchants,
                     .workers = merchants / 2,
                     .remove_surplus = true,
                     .collusion = collusion}) {
    federation_.draw_noise = [this](std::uint64_t round, std::uint32_t id, const SumParameters& parameters,
                                    const RungKey* top) {
      DeterministicSecureRandom base(round * 1000 + id);
      keys_[id] = top ? std::optional(RungKey{top->rung, top->key.duplicate()}) : std::nullopt;
      return top ? NoiseShare::draw(parameters, collusion_, *top, base) : NoiseShare::draw(parameters, base);
    };
  }

  bool start() {
    federation_.attach(network_);
    return federation_.join();
  }

  std::uint32_t threshold() { return holder_threshold(merchants_, federation_.session().threshold()); }
  RoundRequest request(std::uint64_t round) {
    RoundRequest request = federation_.request_with_next(round);
    request.parameters.share_variance = 1'000'000;
    request.parameters.shares_min = threshold();
    return request;
  }
  NoiseLadder ladder() { return {1'000'000, threshold(), collusion_}; }

  CoordinatorRound run(std::uint64_t round) {
    keys_.clear();
    return federation_.run(network_, request(round));
  }

  /// What the sum must be, entry by entry: contributions, bases, and the rungs that are still needed. The surplus of
  /// `whole` stays in.
  std::vector<std::int64_t> expected(std::uint64_t round, const std::vector<std::uint32_t>& included,
                                     std::uint32_t participants,
                                     const std::vector<std::uint32_t>& whole = {}) {
    std::vector<std::int64_t> sum = federation_.exact_sum(round, included);
    const auto count = static_cast<std::uint32_t>(included.size());
    for (const std::uint32_t id : included) {
      DeterministicSecureRandom random(round * 1000 + id);
      std::vector<std::int64_t> noise(sum.size());
      sample_discrete_gaussian(ladder().left(participants), random, noise);
      std::vector<std::int64_t> surplus(sum.size());
      if (const auto& key = keys_.at(id)) {
        add_rungs(*key, ladder(), noise);
        if (count > threshold() && std::find(whole.begin(), whole.end(), id) == whole.end()) {
          add_rungs(key->at(count - 1), ladder(), surplus);
        }
      }
      for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i] += noise[i] - surplus[i];
      }
    }
    return sum;
  }

  TestFederation& federation() { return federation_; }

 private:
  std::uint32_t merchants_;
  std::uint32_t collusion_;
  TestFederation federation_;
  SimulatedNetwork network_;
  std::map<std::uint32_t, std::optional<RungKey>> keys_;
};

std::vector<std::uint32_t> all_of(std::uint32_t merchants) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t id = 0; id < merchants; ++id) {
    ids.push_back(id);
  }
  return ids;
}

/// Changes what one merchant says in one kind of message.
template <class Message>
std::function<bool(FromWorker&)> changing(std::uint32_t merchant,
                                          const std::function<void(Message&)>& change) {
  return [merchant, change](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == Message::kType && envelope->merchant == merchant) {
      auto said = decode<Message>(*envelope);
      change(*said);
      message.message = encode(*said, envelope->round, merchant);
    }
    return true;
  };
}

// --- the exact sum, whoever drops out ---

struct Case {
  std::uint32_t merchants;
  std::uint32_t collusion;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.merchants << " merchants, " << one.collusion << " may collude";
}

class SurplusDropouts : public testing::TestWithParam<Case> {};

TEST_P(SurplusDropouts, EverySubsetLeavesExactlyTheNoiseThatThoseWhoAreThereNeed) {
  const auto [merchants, collusion] = GetParam();
  NoisyFederation noisy(merchants, collusion);
  ASSERT_TRUE(noisy.start());
  std::uint32_t patterns = 1;
  for (std::uint32_t i = 0; i < merchants; ++i) {
    patterns *= 3;
  }
  std::uint64_t number = 1;
  std::size_t released = 0;
  std::size_t cut = 0;

  for (std::uint32_t pattern = 0; pattern < patterns && !HasFatalFailure(); ++pattern) {
    const Silent after = pattern % 2 == 0 ? Silent::before_agree : Silent::before_reveal;
    const Silent kinds[] = {Silent::never, Silent::before_upload, after};
    std::vector<Silent> plan;
    std::vector<std::uint32_t> uploaded;
    for (std::uint32_t rest = pattern; plan.size() < merchants; rest /= 3) {
      if (kinds[rest % 3] != Silent::before_upload) {
        uploaded.push_back(static_cast<std::uint32_t>(plan.size()));
      }
      plan.push_back(kinds[rest % 3]);
    }
    noisy.federation().tamper_from_worker = [&](FromWorker& message) {
      const auto envelope = open_envelope(message.message);
      const Silent when = plan[envelope->merchant];
      switch (envelope->type) {
        case MessageType::upload:
          return when != Silent::before_upload;
        case MessageType::agree:
          return when == Silent::never || when == Silent::before_reveal;
        case MessageType::reveal:
          return when == Silent::never;
        default:
          return true;
      }
    };

    const CoordinatorRound round = noisy.run(number);

    if (round.summed() != nullptr) {
      ++released;
      ASSERT_EQ(round.summed()->merchants, uploaded);
      ASSERT_EQ(round.summed()->entries, noisy.expected(number, uploaded, merchants));
      const auto included = static_cast<std::uint32_t>(uploaded.size());
      ASSERT_EQ(round.surplus() != nullptr, included > noisy.threshold());
      if (const SurplusRemoval* surplus = round.surplus()) {
        ++cut;
        ASSERT_EQ(surplus->left, noisy.ladder().left(included));
        ASSERT_EQ(surplus->rungs_from, noisy.threshold());
        ASSERT_EQ(surplus->rungs_to, included - 1);
        ASSERT_EQ(surplus->merchants, uploaded) << "also of those who fell silent after their upload";
      }
    } else {
      ASSERT_EQ(round.surplus(), nullptr);
    }
    number += round.summed() != nullptr ? 1u : 2u;
  }
  EXPECT_GT(released, 0u);
  EXPECT_EQ(cut > 0, merchants > 3) << "three merchants are all needed";
}

INSTANTIATE_TEST_SUITE_P(Merchants, SurplusDropouts,
                         testing::Values(Case{3, 0}, Case{4, 0}, Case{4, 1}, Case{5, 0}, Case{5, 2},
                                         Case{6, 0}, Case{6, 1}));

TEST(Surplus, OfThoseWhoNeverGotAStartIsPartOfTheBase) {
  NoisyFederation noisy(7, 0);
  ASSERT_TRUE(noisy.start());
  noisy.federation().tamper_from_worker = [](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    return !(envelope->type == MessageType::share && envelope->merchant == 6);
  };

  const CoordinatorRound round = noisy.run(1);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->entries, noisy.expected(1, all_of(6), 6));
  EXPECT_EQ(round.surplus()->left, noisy.ladder().left(6));
}

// --- the variance of what is opened ---

TEST(Surplus, LeavesAnOpenedSumTheVarianceThatTheReleaseSays) {
  TestFederation federation(
      {.seed = 5, .merchants = 6, .workers = 2, .all_zero = true, .remove_surplus = true, .collusion = 1});
  SimulatedNetwork network;
  federation.attach(network);
  ASSERT_TRUE(federation.join());
  RoundRequest request = federation.request(1, Ring::bits64);
  request.parameters.length = 100'000;
  request.parameters.share_variance = 40'000;
  request.parameters.shares_min = 5;

  const CoordinatorRound round = federation.run(network, request);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  double sum = 0;
  for (const std::int64_t entry : round.summed()->entries) {
    sum += static_cast<double>(entry) * static_cast<double>(entry);
  }
  const double left = static_cast<double>(round.surplus()->left);
  EXPECT_EQ(left, 32'000) << "4 shares of 40000 are needed of the honest, and 5 of the honest are there";
  // Chi-square with 10^5 degrees of freedom: within 7 of its deviations but for a probability below 2^-38.
  EXPECT_NEAR(sum / 1e5, 6 * left, 7 * 6 * left * std::sqrt(2.0 / 1e5));
}

// --- those who do not keep to it ---

TEST(Surplus, OfWhichOneHolderRevealsWrongSharesIsTakenOutAllTheSame) {
  NoisyFederation noisy(7, 0);
  ASSERT_TRUE(noisy.start());
  noisy.federation().tamper_from_worker = changing<Reveal>(0, [](Reveal& reveal) {
    for (RevealedShare& share : reveal.shares) {
      (*std::get<SelfMaskShare>(share).rung)[5] ^= std::byte{1};
    }
  });

  const CoordinatorRound round = noisy.run(1);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->entries, noisy.expected(1, all_of(7), 7));
  EXPECT_EQ(round.surplus()->merchants, all_of(7));
  ASSERT_EQ(round.verdict().culprits.size(), 1u);
  EXPECT_EQ(round.verdict().culprits[0].merchant, 0u);
}

TEST(Surplus, WithOneGoodShareTooFewStaysInTheSum) {
  NoisyFederation noisy(7, 0);  // Five shares open a key.
  ASSERT_TRUE(noisy.start());
  const auto lie = changing<Reveal>(
      2, [](Reveal& reveal) { (*std::get<SelfMaskShare>(reveal.shares[0]).rung)[5] ^= std::byte{1}; });
  noisy.federation().tamper_from_worker = [&](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    const bool silent = envelope->type == MessageType::reveal && envelope->merchant >= 5;
    return !silent && lie(message);
  };

  const CoordinatorRound round = noisy.run(1);

  ASSERT_NE(round.summed(), nullptr) << "the round is none the worse: " << round.failed()->sentence;
  EXPECT_EQ(round.summed()->entries, noisy.expected(1, all_of(7), 7, {0}));
  EXPECT_EQ(round.surplus()->merchants, (std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6}));
}

TEST(Surplus, OfADealerWhoCommittedToAnotherKeyStaysInAndTheDealerIsNamed) {
  NoisyFederation noisy(7, 0);
  ASSERT_TRUE(noisy.start());
  noisy.federation().tamper_from_worker =
      changing<ShareMessage>(3, [](ShareMessage& share) { share.surplus_secrets.back()[0] ^= std::byte{1}; });

  const CoordinatorRound round = noisy.run(1);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->entries, noisy.expected(1, all_of(7), 7, {3}));
  EXPECT_EQ(round.surplus()->merchants, (std::vector<std::uint32_t>{0, 1, 2, 4, 5, 6}));
  ASSERT_EQ(round.verdict().culprits.size(), 1u);
  EXPECT_EQ(round.verdict().culprits[0].merchant, 3u);
}

TEST(Surplus, OfADealerWhoDealtNoneKeepsItOutOfTheRound) {
  NoisyFederation noisy(7, 0);
  ASSERT_TRUE(noisy.start());
  noisy.federation().tamper_from_worker = changing<ShareMessage>(3, [](ShareMessage& share) {
    share.surplus_secrets.clear();
    share.surplus_own.clear();
    for (SharePart& part : share.parts) {
      part.surplus = {};
    }
  });

  const CoordinatorRound round = noisy.run(1);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->merchants, (std::vector<std::uint32_t>{0, 1, 2, 4, 5, 6}));
  EXPECT_EQ(round.summed()->entries, noisy.expected(1, {0, 1, 2, 4, 5, 6}, 6));
}

TEST(Surplus, OfWhichAHolderRevealsNothingIsARevealThatIsNone) {
  NoisyFederation noisy(7, 0);
  ASSERT_TRUE(noisy.start());
  noisy.federation().tamper_from_worker = changing<Reveal>(0, [](Reveal& reveal) {
    for (RevealedShare& share : reveal.shares) {
      std::get<SelfMaskShare>(share).rung.reset();
    }
  });

  const CoordinatorRound round = noisy.run(1);

  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->entries, noisy.expected(1, all_of(7), 7));
  ASSERT_FALSE(round.refusals().empty());
  EXPECT_NE(round.refusals()[0].find("malformed"), std::string::npos) << round.refusals()[0];
}

TEST(Surplus, IsNotForASessionWhereMerchantsMaskWithSomeOthersOnly) {
  TestFederation federation({.seed = 1, .merchants = 200, .workers = 2, .remove_surplus = true});

  EXPECT_FALSE(federation.join());

  ASSERT_TRUE(federation.session().refused().has_value());
  EXPECT_NE(federation.session().refused()->sentence.find("privacy.remove_surplus_noise"), std::string::npos)
      << federation.session().refused()->sentence;
}

}  // namespace
}  // namespace hanse
