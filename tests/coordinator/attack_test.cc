// Attacks on a round, by a coordinator that breaks the rules and by merchants that do, against the real state
// machines of both sides. Each test is a row of the table in privacy/README.md.

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <set>

#include "privacy/protocol/context.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/shamir.h"
#include "tests/support/one_mask.h"
#include "tests/support/test_federation.h"

namespace hanse {
namespace {

using Ids = std::vector<std::uint32_t>;

MessageType type_of(ByteView message) {
  return open_envelope(message)->type;
}

/// A message that gives something of a merchant away, in contrast to a refusal or to silence.
bool gives_something(ByteView message) {
  const MessageType type = type_of(message);
  return type == MessageType::share || type == MessageType::upload || type == MessageType::agree ||
         type == MessageType::reveal;
}

/// One round whose messages the test carries, one after the other: it sees all of them in plain, changes, loses and
/// adds what it likes, and plays the network, the coordinator or a merchant that way.
class Carried {
 public:
  Carried(TestFederation& federation, RoundRequest request)
      : federation_(federation), round_(federation.session(), std::move(request)) {}

  /// Tells a worker something; gives its answers, unsealed and not yet told to the coordinator.
  std::vector<FromWorker> tell(const ToWorker& message) {
    std::vector<FromWorker> answers;
    for (const Outgoing& out : federation_.session().seal({message})) {
      for (const Bytes& sealed : federation_.node(out.to).handle(out.message)) {
        auto opened = federation_.session().open(out.to, sealed);
        check(opened.ok(), "an honest worker's link opens");
        answers.push_back(std::move(*opened));
      }
    }
    return answers;
  }
  /// Tells the coordinator something.
  void answer(const FromWorker& message) { push(round_.step(message)); }

  /// Carries everything, to the end of the round and its announcement.
  CoordinatorRound& run() {
    push(round_.begin());
    for (;;) {
      while (!queue_.empty()) {
        ToWorker message = std::move(queue_.front());
        queue_.pop_front();
        if (to_worker(message)) {
          for (FromWorker& reply : tell(message)) {
            if (from_worker(reply)) {
              answer(reply);
            }
          }
        }
      }
      if (round_.ended()) {
        break;
      }
      push(round_.deadline_passed());
    }
    for (ToWorker& message : round_.announce(bytes_of("a release"))) {
      if (to_worker(message)) {
        (void)tell(message);
      }
    }
    return round_;
  }
  CoordinatorRound& round() { return round_; }

  /// May change a message; false loses it.
  std::function<bool(ToWorker&)> to_worker = [](ToWorker&) { return true; };
  std::function<bool(FromWorker&)> from_worker = [](FromWorker&) { return true; };

 private:
  void push(std::vector<ToWorker> messages) {
    for (ToWorker& message : messages) {
      queue_.push_back(std::move(message));
    }
  }

  TestFederation& federation_;
  CoordinatorRound round_;
  std::deque<ToWorker> queue_;
};

/// A federation in which merchant i is alone at rank i + 1, ready to run.
std::unique_ptr<TestFederation> one_each(std::uint32_t merchants, TestFederation::Plan plan = {}) {
  plan.merchants = merchants;
  plan.workers = merchants;
  auto federation = std::make_unique<TestFederation>(plan);
  check(federation->join(), "the session stands");
  return federation;
}

/// Everything that was said in a round.
struct Transcript {
  std::vector<ToWorker> down;
  std::vector<FromWorker> up;
};
Transcript transcript_of(TestFederation& federation, std::uint64_t number) {
  Transcript transcript;
  Carried carried(federation, federation.request(number));
  carried.to_worker = [&](ToWorker& message) {
    transcript.down.push_back(message);
    return true;
  };
  carried.from_worker = [&](FromWorker& message) {
    transcript.up.push_back(message);
    return true;
  };
  check(carried.run().summed() != nullptr, "an honest round gives its sum");
  return transcript;
}

void expect_exact_over(const TestFederation& federation, std::uint64_t number, const CoordinatorRound& round,
                       const Ids& merchants) {
  ASSERT_NE(round.summed(), nullptr) << round.failed()->sentence;
  EXPECT_EQ(round.summed()->merchants, merchants);
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(number, merchants));
}
/// Whatever happened: a sum that was opened is the right one.
void expect_exact_or_none(const TestFederation& federation, std::uint64_t number,
                          const CoordinatorRound& round) {
  if (round.summed() != nullptr) {
    EXPECT_EQ(round.summed()->entries, federation.exact_sum(number, round.summed()->merchants));
  } else {
    ASSERT_NE(round.failed(), nullptr);
    EXPECT_FALSE(round.failed()->sentence.empty());
  }
}

bool mentions(const std::vector<std::string>& sentences, const std::string& words) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const std::string& sentence) { return sentence.find(words) != std::string::npos; });
}

// --- A coordinator that asks twice ---

TEST(Attack, ASecondSetAfterTheFirstIsAnsweredByLeavingAndNothingElse) {
  const auto federation = one_each(5);  // t = 4: the round can do without merchant 0's shares.
  Carried carried(*federation, federation->request(1));
  std::vector<FromWorker> answers;
  Digest context{};
  carried.to_worker = [&](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::set) {
      context = decode<SetMessage>(*envelope)->context;
    } else if (envelope->type == MessageType::agreed && message.worker == 1) {
      answers = carried.tell({1, encode(SetMessage{context, MerchantSet::of(5, {0, 1, 2, 3})}, 1)});
    }
    return true;
  };

  const CoordinatorRound& round = carried.run();

  ASSERT_EQ(answers.size(), 1u);
  const auto abort = decode<Abort>(*open_envelope(answers[0].message));
  ASSERT_TRUE(abort.ok());
  EXPECT_EQ(abort->reason, Refusal::equivocation);
  expect_exact_or_none(*federation, 1, round);
  Carried next(*federation, federation->request(2));
  const CoordinatorRound& later = next.run();
  expect_exact_over(*federation, 2, later, {1, 2, 3, 4});
  EXPECT_EQ(later.dropped()[0].reason, Refusal::exhausted) << "merchant 0 trusts this coordinator no more";
}

TEST(Attack, NothingMoreIsRevealedOnceAMerchantRevealed) {
  const auto federation = one_each(4);
  Carried carried(*federation, federation->request(1));
  std::map<MessageType, Bytes> told_first;
  std::vector<FromWorker> answers;
  carried.to_worker = [&](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (message.worker != 1) {
      return true;
    }
    if (envelope->type == MessageType::result) {
      const auto set = decode<SetMessage>(*open_envelope(told_first.at(MessageType::set)));
      for (const Bytes& again : {told_first.at(MessageType::set), told_first.at(MessageType::agreed),
                                 told_first.at(MessageType::start),
                                 encode(SetMessage{set->context, MerchantSet::of(4, {0, 1, 2})}, 1)}) {
        for (FromWorker& answer : carried.tell({1, again})) {
          answers.push_back(std::move(answer));
        }
      }
    }
    told_first.emplace(envelope->type, message.message);
    return true;
  };

  const CoordinatorRound& round = carried.run();

  expect_exact_over(*federation, 1, round, {0, 1, 2, 3});
  EXPECT_TRUE(std::none_of(answers.begin(), answers.end(),
                           [](const FromWorker& answer) { return gives_something(answer.message); }));
  EXPECT_GE(federation->node(1).refusals().size(), 4u);
}

TEST(Attack, ASecondUploadForOneRoundIsNotToBeHadWithAnotherSetOrModel) {
  const auto federation = one_each(5);
  Carried carried(*federation, federation->request(1));
  std::optional<Start> start;
  std::vector<FromWorker> answers;
  carried.to_worker = [&](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (message.worker == 1 && envelope->type == MessageType::start) {
      start = std::move(*decode<Start>(*envelope));
    } else if (message.worker == 1 && envelope->type == MessageType::set) {
      Start fewer = *start;
      fewer.participants = MerchantSet::of(5, {0, 1, 2, 3});
      Start other_model = *start;
      other_model.payload.back() ^= std::byte{1};
      for (const Bytes& again :
           {encode(*start, 1), encode(fewer, 1), encode(other_model, 1), encode(Open{MerchantSet::all(5)}, 1),
            encode(Open{MerchantSet::of(5, {0, 1, 2, 3})}, 1)}) {
        for (FromWorker& answer : carried.tell({1, again})) {
          answers.push_back(std::move(answer));
        }
      }
    }
    return true;
  };

  const CoordinatorRound& round = carried.run();

  EXPECT_TRUE(std::none_of(answers.begin(), answers.end(),
                           [](const FromWorker& answer) { return gives_something(answer.message); }));
  expect_exact_over(*federation, 1, round, {0, 1, 2, 3, 4});
}

// --- Small sums ---

TEST(Attack, ASetBelowAMerchantsOwnMinimumIsRefusedByAllWhateverTheCoordinatorClaims) {
  const auto federation = one_each(6, {.merchants_min = 5});
  Carried carried(*federation, federation->request(1));
  std::vector<FromWorker> answers;
  carried.to_worker = [](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::set) {
      auto set = decode<SetMessage>(*envelope);
      set->included = MerchantSet::of(6, {0, 1, 2, 3});
      message.message = encode(*set, 1);
    }
    return true;
  };
  carried.from_worker = [&](FromWorker& message) {
    if (type_of(message.message) == MessageType::abort || type_of(message.message) == MessageType::agree ||
        type_of(message.message) == MessageType::reveal) {
      answers.push_back(message);
    }
    return true;
  };

  const CoordinatorRound& round = carried.run();

  EXPECT_EQ(round.summed(), nullptr);
  ASSERT_EQ(answers.size(), 6u);
  for (const FromWorker& answer : answers) {
    const auto abort = decode<Abort>(*open_envelope(answer.message));
    ASSERT_TRUE(abort.ok()) << "rank " << answer.worker << " did not leave";
    EXPECT_EQ(abort->reason, answer.worker <= 4 ? Refusal::cohort : Refusal::excluded);
  }
}

TEST(Attack, AStartThatLowersTheMinimumIsRefused) {
  const auto federation = one_each(6, {.merchants_min = 5});
  RoundRequest request = federation->request(1);
  request.parameters.shares_min = 1;
  Carried carried(*federation, std::move(request));
  std::vector<Refusal> reasons;
  carried.to_worker = [](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::start) {
      auto start = decode<Start>(*envelope);
      start->participants = MerchantSet::of(6, {0, 1, 2, 3});
      message.message = encode(*start, 1);
    }
    return true;
  };
  carried.from_worker = [&](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    EXPECT_NE(envelope->type, MessageType::upload);
    if (envelope->type == MessageType::abort) {
      reasons.push_back(decode<Abort>(*envelope)->reason);
    }
    return true;
  };

  EXPECT_EQ(carried.run().summed(), nullptr);

  EXPECT_EQ(reasons, std::vector<Refusal>(4, Refusal::cohort));
}

// --- Old words, and words of others ---

TEST(Attack, NoMessageOfAnEarlierRoundBuysAnythingFromAMerchant) {
  const auto federation = one_each(4);
  const Transcript before = transcript_of(*federation, 1);
  Carried carried(*federation, federation->request(2));
  std::set<MessageType> replayed;
  int given = 0;
  carried.to_worker = [&](ToWorker& message) {
    // In front of every true message: all that this worker was told in the round before.
    for (const ToWorker& old : before.down) {
      if (old.worker == message.worker) {
        for (const FromWorker& answer : carried.tell(old)) {
          given += gives_something(answer.message) ? 1 : 0;
        }
        replayed.insert(type_of(old.message));
      }
    }
    return true;
  };

  const CoordinatorRound& round = carried.run();

  EXPECT_EQ(replayed.size(), 5u) << "OPEN, START, SET, AGREED, RESULT";
  EXPECT_EQ(given, 0);
  expect_exact_over(*federation, 2, round, {0, 1, 2, 3});
}

TEST(Attack, NoMessageOfAnEarlierRoundChangesASum) {
  const auto federation = one_each(4);
  const Transcript before = transcript_of(*federation, 1);
  Carried carried(*federation, federation->request(2));
  std::set<MessageType> replayed;
  carried.from_worker = [&](FromWorker& message) {
    for (const FromWorker& old : before.up) {
      if (old.worker == message.worker) {
        carried.answer(old);
        replayed.insert(type_of(old.message));
      }
    }
    return true;
  };

  const CoordinatorRound& round = carried.run();

  EXPECT_EQ(replayed.size(), 4u) << "SHARE, UPLOAD, AGREE, REVEAL";
  expect_exact_over(*federation, 2, round, {0, 1, 2, 3});
}

TEST(Attack, OldBodiesUnderANewRoundsHeaderAreFoundOut) {
  for (const MessageType type :
       {MessageType::share, MessageType::upload, MessageType::agree, MessageType::reveal}) {
    const auto federation = one_each(5);
    const Transcript before = transcript_of(*federation, 1);
    Carried carried(*federation, federation->request(2));
    carried.from_worker = [&](FromWorker& message) {
      const auto envelope = open_envelope(message.message);
      if (envelope->type == type && message.worker == 1) {
        for (const FromWorker& old : before.up) {
          if (old.worker == 1 && type_of(old.message) == type) {
            const Bytes body(old.message.begin() + kHeaderSize, old.message.end());
            message.message.resize(kHeaderSize);  // The header of this round, the body of the one before.
            message.message.insert(message.message.end(), body.begin(), body.end());
          }
        }
      }
      return true;
    };

    const CoordinatorRound& round = carried.run();

    SCOPED_TRACE(name_of(type));
    expect_exact_or_none(*federation, 2, round);
    if (round.summed() != nullptr && type != MessageType::reveal) {
      EXPECT_EQ(round.summed()->merchants, (Ids{1, 2, 3, 4})) << "without the one that lied";
    }
  }
}

TEST(Attack, MessagesOfAnotherSessionBuyNothingFromAMerchant) {
  for (const MessageType type : {MessageType::start, MessageType::set, MessageType::agreed}) {
    const auto foreign = one_each(4, {.seed = 2});
    const Transcript of_others = transcript_of(*foreign, 1);
    const auto federation = one_each(4, {.seed = 1});
    Carried carried(*federation, federation->request(1));
    std::vector<FromWorker> answers;
    carried.to_worker = [&](ToWorker& message) {
      if (message.worker == 1 && type_of(message.message) == type) {
        for (const ToWorker& other : of_others.down) {
          if (other.worker == 1 && type_of(other.message) == type) {
            answers = carried.tell(other);
          }
        }
      }
      return true;
    };

    const CoordinatorRound& round = carried.run();

    SCOPED_TRACE(name_of(type));
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(type_of(answers[0].message), MessageType::abort);
    expect_exact_or_none(*federation, 1, round);
  }
}

TEST(Attack, MessagesOfAnotherSessionChangeNoSum) {
  for (const MessageType type :
       {MessageType::share, MessageType::upload, MessageType::agree, MessageType::reveal}) {
    const auto foreign = one_each(5, {.seed = 2});
    const Transcript of_others = transcript_of(*foreign, 1);
    const auto federation = one_each(5, {.seed = 1});
    Carried carried(*federation, federation->request(1));
    carried.from_worker = [&](FromWorker& message) {
      if (message.worker == 1 && type_of(message.message) == type) {
        for (const FromWorker& other : of_others.up) {
          if (other.worker == 1 && type_of(other.message) == type) {
            message.message = other.message;
          }
        }
      }
      return true;
    };

    SCOPED_TRACE(name_of(type));
    expect_exact_or_none(*federation, 1, carried.run());
  }
}

TEST(Attack, SealedBoxesOfAnotherSessionOrLinkDoNotOpen) {
  const auto foreign = one_each(3, {.seed = 2});
  const auto federation = one_each(3, {.seed = 1});
  const ToWorker open{1, encode(Open{MerchantSet::all(3)}, 1)};

  for (const Outgoing& out : foreign->session().seal({open})) {
    EXPECT_TRUE(federation->node(1).handle(out.message).empty()) << "of another session";
  }
  const Outgoing out = federation->session().seal({open}).front();
  EXPECT_TRUE(federation->node(2).handle(out.message).empty()) << "of another worker's link";
  EXPECT_EQ(federation->node(1).handle(out.message).size(), 1u);
  EXPECT_TRUE(federation->node(1).handle(out.message).empty()) << "a second time";
}

// --- Share boxes ---

/// The pair keys of everyone with everyone.
struct Pairs {
  explicit Pairs(std::uint32_t count) {
    DeterministicSecureRandom random(15);
    std::vector<X25519Key> keys;
    for (std::uint32_t i = 0; i < count; ++i) {
      keys.push_back(X25519Key::generate(random));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      for (std::uint32_t j = 0; j < count; ++j) {
        if (i != j) {
          of.emplace(std::pair(i, j),
                     std::move(*PairKeys::derive(keys[i], keys[j].public_key(), Digest{}, i, j)));
        }
      }
    }
  }
  std::map<std::pair<std::uint32_t, std::uint32_t>, PairKeys> of;
};

TEST(Attack, AShareBoxOpensForItsHolderFromItsDealerInItsRoundAndNowhereElse) {
  constexpr std::uint32_t kMerchants = 5;
  Pairs pairs(kMerchants);
  DeterministicSecureRandom random(16);
  const Digest session{};
  struct Sent {
    std::uint32_t dealer, holder;
    std::uint64_t round;
    ShareBox box;
  };
  std::vector<Sent> boxes;
  for (auto& [ends, keys] : pairs.of) {
    for (const std::uint64_t round : {1u, 2u}) {
      Secret<40> one;
      random.fill(one.expose_for_writing());
      boxes.push_back(
          {ends.first, ends.second, round,
           seal_shares(keys.sending(round), {session, round, ends.first, ends.second}, one, one)});
    }
  }
  int opened = 0;

  for (const Sent& place : boxes) {
    const Secret<32> key = pairs.of.at({place.holder, place.dealer}).receiving(place.round);
    for (const Sent& sent : boxes) {
      const bool opens = open_shares(key, {session, place.round, place.dealer, place.holder}, sent.box).ok();
      EXPECT_EQ(opens, &place == &sent)
          << sent.dealer << " > " << sent.holder << " at " << place.dealer << " > " << place.holder;
      opened += opens ? 1 : 0;
    }
  }

  EXPECT_EQ(opened, 40);
}

TEST(Attack, EveryPermutationOfTheShareBoxesOfAStartIsRefusedBeforeDataIsTouched) {
  const auto federation = one_each(5);
  std::vector<ForwardedBox> to_others;  // Boxes of the round that are meant for someone else.
  std::vector<ForwardedBox> of_before;
  std::uint64_t number = 0;
  // Runs a round in which merchant 0 gets its boxes as `change` leaves them; the ABORT it answers with.
  const auto abort_after = [&](const std::function<void(std::vector<ForwardedBox>&)>& change) {
    ++number;
    std::optional<Abort> said;
    Carried carried(*federation, federation->request(number));
    to_others.clear();
    carried.to_worker = [&](ToWorker& message) {
      const auto envelope = open_envelope(message.message);
      if (envelope->type != MessageType::start) {
        return true;
      }
      auto start = decode<Start>(*envelope);
      if (message.worker != 1) {
        return true;
      }
      std::vector<ForwardedBox> original = start->boxes;
      change(start->boxes);
      of_before = std::move(original);
      message.message = encode(*start, number);
      return true;
    };
    carried.from_worker = [&](FromWorker& message) {
      const auto envelope = open_envelope(message.message);
      if (envelope->type == MessageType::share) {
        // What the dealer sends to others: parts in the order of its neighbours.
        const auto share = decode<ShareMessage>(*envelope);
        const std::uint32_t other = envelope->merchant == 4 ? 3 : 4;
        ForwardedBox box;
        box.dealer = envelope->merchant;
        box.holder = other;
        box.box = share->parts[other - (other > envelope->merchant ? 1 : 0)].box;
        to_others.push_back(box);
      }
      if (message.worker == 1 && envelope->type == MessageType::upload) {
        ADD_FAILURE() << "round " << number << ": merchant 0 uploaded";
      }
      if (message.worker == 1 && envelope->type == MessageType::abort) {
        said = *decode<Abort>(*envelope);
      }
      return true;
    };
    expect_exact_or_none(*federation, number, carried.run());
    return said;
  };
  const auto expect_refused = [](const std::optional<Abort>& said, std::optional<std::uint32_t> about = {}) {
    ASSERT_TRUE(said.has_value());
    EXPECT_EQ(said->reason, Refusal::bad_share);
    if (about) {
      EXPECT_EQ(said->about, *about);
    }
  };

  std::vector<std::size_t> order = {0, 1, 2, 3};
  while (std::next_permutation(order.begin(), order.end())) {
    expect_refused(abort_after([&](std::vector<ForwardedBox>& boxes) {
      const std::vector<ForwardedBox> original = boxes;
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        boxes[i].box = original[order[i]].box;  // Dealer and holder as they should be: only the bytes move.
      }
    }));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    expect_refused(abort_after([&](std::vector<ForwardedBox>& boxes) { boxes[i].box = of_before[i].box; }),
                   static_cast<std::uint32_t>(i + 1));  // The box of the round before.
    expect_refused(abort_after([&](std::vector<ForwardedBox>& boxes) { boxes[i].box = to_others[0].box; }),
                   static_cast<std::uint32_t>(i + 1));  // The victim's own box to another, reflected.
    expect_refused(
        abort_after([&](std::vector<ForwardedBox>& boxes) { boxes[i].box = to_others[i + 1].box; }),
        static_cast<std::uint32_t>(i + 1));  // From the right dealer, for another holder.
    expect_refused(abort_after(
        [&](std::vector<ForwardedBox>& boxes) { boxes.erase(boxes.begin() + std::ptrdiff_t(i)); }));
  }
  EXPECT_EQ(number, 23u + 16u);
}

// --- Shares and masks that lie ---

/// Every share in a REVEAL, of either kind.
void flip_all_shares(FromWorker& message) {
  const auto envelope = open_envelope(message.message);
  auto reveal = decode<Reveal>(*envelope);
  for (RevealedShare& revealed : reveal->shares) {
    std::visit([](auto& one) { one.share[7] ^= std::byte{1}; }, revealed);
  }
  message.message = encode(*reveal, envelope->round, envelope->merchant);
}

TEST(Attack, AHolderThatRevealsWrongSharesIsNamedAndTheSumIsExact) {
  const auto federation = one_each(5);
  Carried carried(*federation, federation->request(1));
  carried.from_worker = [](FromWorker& message) {
    if (message.worker == 2 && type_of(message.message) == MessageType::reveal) {
      flip_all_shares(message);
    }
    return true;
  };

  const CoordinatorRound& round = carried.run();

  expect_exact_over(*federation, 1, round, {0, 1, 2, 3, 4});
  EXPECT_TRUE(mentions(round.refusals(), "m001"));
}

TEST(Attack, WithOneGoodShareTooFewNothingIsOpenedAndTheLiarsAreNamed) {
  const auto federation = one_each(5);
  Carried carried(*federation, federation->request(1));
  carried.from_worker = [](FromWorker& message) {
    if ((message.worker == 2 || message.worker == 4) && type_of(message.message) == MessageType::reveal) {
      flip_all_shares(message);
    }
    return true;
  };

  const CoordinatorRound& round = carried.run();

  EXPECT_EQ(round.summed(), nullptr) << "3 good shares where t = 4";
  ASSERT_NE(round.failed(), nullptr);
  EXPECT_TRUE(mentions(round.refusals(), "m001"));
  EXPECT_TRUE(mentions(round.refusals(), "m003"));
}

TEST(Attack, AMerchantThatLiesInItsDealingAndInItsRevealsIsInNoSum) {
  const auto federation = one_each(5);
  Carried carried(*federation, federation->request(1));
  carried.from_worker = [](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (message.worker == 1 && envelope->type == MessageType::share) {
      auto share = decode<ShareMessage>(*envelope);
      share->secrets.self_mask[0] ^= std::byte{1};  // Its shares are of something else than it committed to.
      message.message = encode(*share, envelope->round, envelope->merchant);
    } else if (message.worker == 1 && envelope->type == MessageType::reveal) {
      flip_all_shares(message);  // Found first: the one lie does not hide the other.
    }
    return true;
  };

  const CoordinatorRound& round = carried.run();

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.failed()->merchants, (Ids{0}));
  ASSERT_EQ(round.verdict().culprits.size(), 1u);
  EXPECT_EQ(round.verdict().culprits[0].merchant, 0u);
  RoundRequest without = federation->request(2);
  without.merchants = {1, 2, 3, 4};
  Carried next(*federation, std::move(without));
  expect_exact_over(*federation, 2, next.run(), {1, 2, 3, 4});
}

TEST(Attack, AFingerprintThatDoesNotFitNamesItsEdgeAndNothingWrongIsOpened) {
  const auto federation = one_each(4);
  Carried carried(*federation, federation->request(1));
  carried.from_worker = [](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (message.worker == 2 && envelope->type == MessageType::upload) {
      auto upload = decode<Upload>(*envelope);
      upload->fingerprints[2][0] ^= std::byte{1};  // Of merchant 1's edge with merchant 3.
      message.message = encode(*upload, envelope->round, envelope->merchant);
    }
    return true;
  };

  const CoordinatorRound& round = carried.run();

  expect_exact_or_none(*federation, 1, round);
  std::vector<std::string> sentences = round.refusals();
  if (round.failed() != nullptr) {
    sentences.push_back(round.failed()->sentence);
  }
  for (const DroppedMerchant& dropped : round.dropped()) {
    sentences.push_back(dropped.sentence);
  }
  EXPECT_TRUE(mentions(sentences, "m001 and m003"));
}

// --- A late upload ---

TEST(Attack, AnUploadThatComesAfterItsMerchantWasDeclaredDroppedStaysMasked) {
  std::vector<Secret<32>> drawn;  // b and u of everyone: what only merchants have.
  TestFederation::Plan plan;
  plan.see_draw = [&](ByteView bytes) {
    if (bytes.size() == 32) {
      Secret<32> secret;
      std::copy(bytes.begin(), bytes.end(), secret.expose_for_writing().begin());
      drawn.push_back(std::move(secret));
    }
  };
  const auto federation = one_each(4, plan);
  drawn.clear();  // What follows is of the round.
  Carried carried(*federation, federation->request(1));
  std::optional<FromWorker> late;
  Digest context{};
  std::optional<ShareMessage> escrow_of_2;
  std::vector<std::pair<std::uint32_t, Reveal>> reveals;
  carried.to_worker = [&](ToWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::set) {
      context = decode<SetMessage>(*envelope)->context;
    }
    return true;
  };
  carried.from_worker = [&](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::share && envelope->merchant == 2) {
      escrow_of_2 = *decode<ShareMessage>(*envelope);
    } else if (envelope->type == MessageType::upload && envelope->merchant == 2) {
      late = message;
      return false;
    } else if (envelope->type == MessageType::reveal) {
      reveals.emplace_back(envelope->merchant, *decode<Reveal>(*envelope));
    }
    return true;
  };

  CoordinatorRound& round = carried.run();
  carried.answer(*late);

  // 1. The coordinator does not count it, and the sum is that of the others.
  expect_exact_over(*federation, 1, round, {0, 1, 3});
  // 2. It has merchant 2's escrow, hence the masks with the neighbours, and no share of its own mask.
  std::vector<std::uint32_t> holders;
  std::vector<Share> shares;
  for (const auto& [holder, reveal] : reveals) {
    const RevealedShare& of_2 = reveal.shares[2];
    ASSERT_TRUE(std::holds_alternative<EscrowShare>(of_2)) << "a share of b of merchant 2 was revealed";
    holders.push_back(holder);
    shares.push_back(std::get<EscrowShare>(of_2).share);
  }
  ASSERT_EQ(holders.size(), 3u);
  const Secret<32> u = ShareCombiner(holders).combine(shares);
  const auto upload = decode<Upload>(*open_envelope(late->message));
  SumParameters alone = federation->request(1).parameters;
  alone.shares_min = 1;
  const auto without_edges = [&] {
    SealedTotal total(alone);
    total.add(*SealedSum::from_wire(upload->residues, alone));
    std::vector<RoundMasks::Mask> masks;
    const std::uint32_t neighbours[] = {0, 1, 3};
    for (std::size_t i = 0; i < 3; ++i) {
      const Secret<32> seed = unwrap_seed(escrow_of_2->parts[i].wrapped_seed, u, neighbours[i]);
      EXPECT_EQ(edge_fingerprint(seed, context), upload->fingerprints[i])
          << "the escrow opens what it should";
      masks.push_back({edge_mask(seed, context), neighbours[i] < 2 ? Sign::plus : Sign::minus});
    }
    std::visit([&](auto& residues) { RoundMasks(std::move(masks)).add_to(residues); }, total.residues());
    return total;
  };
  EXPECT_FALSE(without_edges().open(alone, {2}).ok());
  // 3. Only its own b would take the last mask off: so the attack was the right one, and the shares are what it lacks.
  int opens = 0;
  for (const Secret<32>& secret : drawn) {
    SealedTotal total = without_edges();
    std::visit(
        [&](auto& residues) { add_mask(self_mask(secret, context), Sign::minus, std::span(residues)); },
        total.residues());
    const auto opened = total.open(alone, {2});
    opens += opened.ok() && opened->entries == federation->exact_sum(1, {2}) ? 1 : 0;
  }
  EXPECT_EQ(opens, 1);
}

// --- What an upload looks like ---

RoundRequest long_request(const TestFederation& federation, std::uint64_t number, std::uint64_t length) {
  RoundRequest request = federation.request(number);
  request.parameters.length = length;
  return request;
}

std::vector<std::uint32_t> upload_of_0(TestFederation& federation, std::uint64_t number,
                                       std::uint64_t length) {
  Carried carried(federation, long_request(federation, number, length));
  std::vector<std::uint32_t> residues;
  carried.from_worker = [&](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->type == MessageType::upload && envelope->merchant == 0) {
      const auto upload = decode<Upload>(*envelope);
      residues.resize(upload->residues.size() / 4);
      std::memcpy(residues.data(), upload->residues.data(), upload->residues.size());
    }
    return true;
  };
  check(carried.run().summed() != nullptr, "the round gives its sum");
  return residues;
}

TEST(Attack, AMaskedUploadOfZerosRepeatsNoBlockAndNoEntryMoreOftenThanChanceDoes) {
  constexpr std::size_t kLength = (1u << 18) - kCanaries.size();
  const auto federation = one_each(3, {.all_zero = true});

  const std::vector<std::uint32_t> residues = upload_of_0(*federation, 1, kLength);

  ASSERT_EQ(residues.size(), 1u << 18);
  std::set<std::array<std::uint32_t, 4>> blocks;
  for (std::size_t i = 0; i < residues.size(); i += 4) {
    blocks.insert({residues[i], residues[i + 1], residues[i + 2], residues[i + 3]});
  }
  EXPECT_EQ(blocks.size(), residues.size() / 4);
  std::vector<std::uint32_t> sorted = residues;
  std::sort(sorted.begin(), sorted.end());
  const auto repeats = sorted.end() - std::unique(sorted.begin(), sorted.end());
  // Pairs of equal entries: n^2 / 2^33 = 8 expected, a Poisson number: 30 is 8 standard deviations away.
  EXPECT_LT(repeats, 30);
  EXPECT_GT(repeats, 0);
}

TEST(Attack, AMaskedUploadDoesNotFollowWhatIsInIt) {
  constexpr std::size_t kLength = 1u << 16;
  const auto federation = one_each(3);

  const std::vector<std::uint32_t> residues = upload_of_0(*federation, 1, kLength);

  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < kLength; ++i) {
    const double value =
        static_cast<double>(federation->value(1, 0, i)) / 577;  // Uniform in +-1000: variance 1.
    const double masked = static_cast<double>(static_cast<std::int32_t>(residues[i])) / 0x1p31;
    sum += value * masked;
    squares += masked * masked;
  }
  const double correlation = sum / kLength / std::sqrt(squares / kLength);
  EXPECT_LT(std::abs(correlation), 5 / std::sqrt(double{kLength})) << "five standard deviations of chance";
}

// --- In transit ---

TEST(Attack, AFlippedBitInTransitIsRefusedForEveryKindOfMessage) {
  const auto federation = one_each(3);
  SimulatedNetwork network;
  federation->attach(network);
  std::vector<std::pair<Peer, Bytes>> wire;  // To each worker, as it travels.
  network.set_tap(
      [&](Peer, Peer to, ByteView message) { wire.emplace_back(to, Bytes(message.begin(), message.end())); });
  ASSERT_NE(federation->run(network, federation->request(1)).summed(), nullptr);
  ASSERT_GT(wire.size(), 20u);
  // The same session again, up to each message; then that message with one bit changed.
  const auto replica = one_each(3);
  std::size_t refused = 0;
  std::size_t told = 0;
  for (const auto& [to, message] : wire) {
    if (to == 0) {
      continue;
    }
    Bytes changed = message;
    changed[(told * 7) % changed.size()] ^= std::byte{1} << (told % 8);
    const std::size_t before = replica->node(to).refusals().size();
    EXPECT_TRUE(replica->node(to).handle(changed).empty());
    refused += replica->node(to).refusals().size() - before;
    (void)replica->node(to).handle(message);  // The true one is still taken.
    ++told;
  }

  EXPECT_EQ(refused, told);
  EXPECT_EQ(replica->released(), federation->released()) << "and the round came to its end";
}

}  // namespace
}  // namespace hanse
