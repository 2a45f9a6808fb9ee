// A coordinator that lies, over a network that loses, repeats, delays and garbles: no wrong sum is opened, no
// merchant's own mask and escrow can both be had in one round, and nothing hangs. Each session is a function
// of its seed.

#include <map>
#include <set>

#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/neighbours.h"
#include "tests/support/test_federation.h"

namespace hanse {
namespace {

/// Sees what a coordinator sees, and keeps every share that was ever revealed, by what it is a share of: known
/// from the commitments in SHARE, not from what the revealing merchant says.
class Observer {
 public:
  explicit Observer(const ThresholdRule& rule) : rule_(rule) {}

  void see(ByteView message) {
    const auto envelope = open_envelope(message);
    if (envelope->type == MessageType::share) {
      if (const auto share = decode<ShareMessage>(*envelope)) {
        note({envelope->round, envelope->merchant}, share->own, kItself);
        for (std::uint32_t i = 0; i < share->parts.size(); ++i) {
          note({envelope->round, envelope->merchant}, share->parts[i].commitments, i);
        }
        holders_[{envelope->round, envelope->merchant}] = static_cast<std::uint32_t>(share->parts.size()) + 1;
        ASSERT_TRUE(dealt_.insert({envelope->round, envelope->merchant}).second ||
                    same_.contains(message_key(message)))
            << "secrets are dealt once a round";
        same_.insert(message_key(message));
      }
    } else if (envelope->type == MessageType::reveal) {
      if (const auto reveal = decode<Reveal>(*envelope)) {
        for (const RevealedShare& revealed : reveal->shares) {
          take(commit(share_of(revealed)));
        }
      }
    } else if (envelope->type == MessageType::upload) {
      auto& upload = uploads_[{envelope->round, envelope->merchant}];
      const Digest now = sha256(message);
      ASSERT_TRUE(!upload || *upload == now) << "a second upload in one round";
      upload = now;
    }
  }
  std::size_t shares_seen() const { return shares_seen_; }

 private:
  using Dealer = std::pair<std::uint64_t, std::uint32_t>;  // Round, merchant.
  struct Place {
    Dealer dealer;
    std::uint32_t holder = 0;
    bool escrow = false;
  };
  static constexpr std::uint32_t kItself = 1u << 20;
  static Digest message_key(ByteView message) { return sha256(message); }

  void note(const Dealer& dealer, const Commitments& commitments, std::uint32_t holder) {
    places_[commitments.self_mask] = {dealer, holder, false};
    places_[commitments.escrow] = {dealer, holder, true};
  }
  void take(const Bytes16& commitment) {
    const auto place = places_.find(commitment);
    if (place == places_.end()) {
      return;  // Garbled, or not what anybody dealt.
    }
    ++shares_seen_;
    const auto& [dealer, holder, escrow] = place->second;
    auto& [of_self_mask, of_escrow] = revealed_[dealer];
    (escrow ? of_escrow : of_self_mask).insert(holder);
    ASSERT_FALSE(of_self_mask.contains(holder) && of_escrow.contains(holder)) << "one holder gave both";
    const std::uint32_t threshold = holder_threshold(holders_[dealer], rule_);
    ASSERT_FALSE(of_self_mask.size() >= threshold && of_escrow.size() >= threshold)
        << "b and u of merchant " << dealer.second << " in round " << dealer.first;
  }

  ThresholdRule rule_;
  std::map<Bytes16, Place> places_;
  std::map<Dealer, std::uint32_t> holders_;
  std::set<Dealer> dealt_;
  std::set<Digest> same_;
  std::map<Dealer, std::optional<Digest>> uploads_;
  std::map<Dealer, std::pair<std::set<std::uint32_t>, std::set<std::uint32_t>>> revealed_;
  std::size_t shares_seen_ = 0;
};

/// Changes what a coordinator tells one worker.
class Liar {
 public:
  Liar(std::uint64_t seed, std::uint32_t merchants) : random_{seed, 0x11A5}, merchants_(merchants) {}

  /// May change `message`, and gives what is told besides.
  std::vector<ToWorker> lie(ToWorker& message, double rate) {
    history_.push_back(message);
    std::vector<ToWorker> besides;
    if (random_.uniform() >= rate) {
      return besides;
    }
    const ToWorker truth = message;
    const auto envelope = open_envelope(truth.message);
    if (random_.below(4) == 0) {  // Something told before, perhaps to somebody else.
      ToWorker again = history_[random_.below(history_.size())];
      again.worker = random_.below(4) == 0 ? message.worker : again.worker;
      besides.push_back(std::move(again));
      return besides;
    }
    message.message = altered(*envelope);
    if (random_.below(2) == 0) {  // Both stories.
      besides.push_back(truth);
    }
    return besides;
  }

 private:
  void alter(MerchantSet& set) {
    const auto id = static_cast<std::uint32_t>(random_.below(merchants_));
    set.contains(id) ? set.erase(id) : set.insert(id);
  }
  template <std::size_t N>
  void alter(std::array<std::byte, N>& bytes) {
    bytes[random_.below(N)] ^= std::byte{1};
  }

  Bytes altered(const Envelope& envelope) {
    const std::uint64_t round = random_.below(8) == 0 ? envelope.round + random_.below(3) : envelope.round;
    switch (envelope.type) {
      case MessageType::open: {
        auto open = *decode<Open>(envelope);
        alter(open.invited);
        return encode(open, round);
      }
      case MessageType::start: {
        auto start = *decode<Start>(envelope);
        alter(start);
        return encode(start, round);
      }
      case MessageType::set: {
        auto set = *decode<SetMessage>(envelope);
        random_.below(4) == 0 ? alter(set.context) : alter(set.included);
        return encode(set, round);
      }
      case MessageType::agreed: {
        auto agreed = *decode<AgreedMessage>(envelope);
        alter(agreed);
        return encode(agreed, round);
      }
      case MessageType::result: {
        auto result = *decode<RoundResult>(envelope);
        result.released = !result.released;
        alter(result.included);
        return encode(result, round);
      }
      default:
        return encode(Stop{}, round);
    }
  }
  void alter(Start& start) {
    switch (random_.below(5)) {
      case 0:
        start.payload.back() ^= std::byte{1};
        return;
      case 1:
        return alter(start.participants);
      case 2:
        start.parameters.grid_bits -= 1;
        return;
      default:
        if (start.boxes.empty()) {
          return;
        }
        ForwardedBox& one = start.boxes[random_.below(start.boxes.size())];
        ForwardedBox& other = start.boxes[random_.below(start.boxes.size())];
        random_.below(2) == 0 ? std::swap(one.box, other.box) : alter(one.commitments.escrow);
    }
  }
  void alter(AgreedMessage& agreed) {
    switch (random_.below(4)) {
      case 0:
        if (!agreed.codes.empty()) {
          alter(agreed.codes[random_.below(agreed.codes.size())].code);
        }
        return;
      case 1:
        if (!agreed.codes.empty()) {
          agreed.codes.pop_back();
        }
        return;
      case 2:
        if (agreed.next) {
          alter(agreed.next->invited);
        }
        return;
      default:
        if (agreed.next) {
          agreed.next->round += 1 + random_.below(2);
        }
    }
  }

  SeededGenerator random_;
  std::uint32_t merchants_;
  std::vector<ToWorker> history_;
};

SimulatedNetworkOptions faults_of(std::uint64_t seed) {
  SeededGenerator random{seed, 0xFA17};
  SimulatedNetworkOptions options{.seed = seed};
  if (random.below(2) == 0) {
    options.loss = 0.02 * random.uniform();
    options.duplication = 0.1 * random.uniform();
    options.reordering = 0.02 * random.uniform();
    options.garbling = 0.01 * random.uniform();
    options.delay_max = Milliseconds(3);
  }
  return options;
}

struct Tally {
  int rounds = 0;
  int summed = 0;
  int failed = 0;
  std::size_t shares = 0;
};

constexpr std::uint64_t kRoundsOfSession = 20;
#ifdef HANSE_SANITIZED
constexpr std::uint64_t kSessions = 50;
#else
constexpr std::uint64_t kSessions = 500;
#endif

void run_session(std::uint64_t seed, Tally& tally) {
  const auto merchants = static_cast<std::uint32_t>(3 + seed % 6);
  TestFederation federation({.seed = seed,
                             .merchants = merchants,
                             .workers = static_cast<std::uint32_t>(1 + seed / 6 % merchants)});
  ASSERT_TRUE(federation.join());
  SimulatedNetwork network(faults_of(seed));
  federation.attach(network);
  Observer observer(federation.session().threshold());
  Liar liar(seed, merchants);
  double rate = 0;
  federation.tamper_from_worker = [&](FromWorker& message) {
    if (open_envelope(message.message).ok()) {
      observer.see(message.message);
    }
    return true;
  };
  federation.tamper_to_worker = [&](ToWorker& message) {
    for (const ToWorker& besides : liar.lie(message, rate)) {
      federation.tell(network, besides);
    }
    return true;
  };

  std::uint64_t number = 0;
  bool failed = false;
  for (std::uint64_t i = 0; i < kRoundsOfSession; ++i) {
    number += failed ? 2u : 1u;
    rate = i % 2 == 0 ? 0 : 0.06;  // Honest rounds between, into which the lies reach.

    const CoordinatorRound round = federation.run(network, federation.request_with_next(number));

    ++tally.rounds;
    failed = round.failed() != nullptr;
    ASSERT_LE(federation.deadlines(), 4) << "seed " << seed;
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
    if (const OpenedSum* sum = round.summed()) {
      ++tally.summed;
      ASSERT_GE(sum->merchants.size(), 3u);
      ASSERT_EQ(sum->entries, federation.exact_sum(number, sum->merchants)) << "seed " << seed;
    } else {
      ++tally.failed;
      ASSERT_FALSE(round.failed()->sentence.empty()) << "seed " << seed;
    }
  }
  tally.shares += observer.shares_seen();
}

class LyingCoordinator : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LyingCoordinator, OpensNoWrongSumAndNeverBothSecretsOfAMerchant) {
  Tally tally;

  for (std::uint64_t i = 0; i < kSessions && !HasFatalFailure(); ++i) {
    run_session(GetParam() * kSessions + i, tally);
  }

  const auto all = static_cast<int>(kSessions * kRoundsOfSession);
  EXPECT_EQ(tally.rounds, all);
  EXPECT_GT(tally.summed, all / 5) << "the ways of honest rounds are walked too";
  EXPECT_GT(tally.failed, all / 20);
  EXPECT_GT(tally.shares, static_cast<std::size_t>(all));
}

INSTANTIATE_TEST_SUITE_P(TenthsOfAHundredThousandRounds, LyingCoordinator,
                         testing::Range<std::uint64_t>(0, 10));

}  // namespace
}  // namespace hanse
