// The merchant against a coordinator that breaks the rules: refuse, reveal nothing, say why.

#include "worker/merchant_round.h"

#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/masks.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

/// N merchants without any coordinator: the test plays it.
struct Merchants {
  explicit Merchants(std::uint32_t count, std::uint32_t merchants_min = 3) : size(count) {
    std::vector<X25519Key> keys;
    for (std::uint32_t i = 0; i < size; ++i) {
      keys.push_back(X25519Key::generate(random));
    }
    for (std::uint32_t i = 0; i < size; ++i) {
      MerchantRound merchant;
      merchant.view.id = i;
      merchant.view.roster_size = size;
      merchant.view.merchants_min = merchants_min;
      for (std::uint32_t j = 0; j < size; ++j) {
        if (j != i) {
          merchant.view.neighbours.push_back(j);
          merchant.pairs.push_back(*PairKeys::derive(keys[i], keys[j].public_key(), Digest{}, i, j));
        }
      }
      rounds.push_back(std::move(merchant));
    }
  }

  MerchantStep give(std::uint32_t id, const MerchantEvent& event) {
    MerchantStep result = step(std::move(rounds[id]), event, random);
    rounds[id] = std::move(result.merchant);
    return result;
  }
  /// The reason of a refusal, after checking that it says what it does.
  std::optional<Refusal> refusal_of(std::uint32_t id, const MerchantEvent& event) {
    const MerchantStep result = give(id, event);
    if (!result.refused) {
      return std::nullopt;
    }
    EXPECT_EQ(result.messages.size(), result.refused->aborts ? 1u : 0u);
    if (result.refused->aborts) {
      EXPECT_EQ(open_envelope(result.messages[0])->type, MessageType::abort);
      EXPECT_TRUE(std::holds_alternative<Idle>(rounds[id].state)) << "the round's secrets are gone";
    }
    return result.refused->reason;
  }

  void open_all(std::uint64_t round = 1) {
    for (std::uint32_t id = 0; id < size; ++id) {
      const MerchantStep result = give(id, OpenEvent{round, MerchantSet::all(size)});
      ASSERT_EQ(result.messages.size(), 1u);
      shares.push_back(*decode<ShareMessage>(*open_envelope(result.messages[0])));
    }
  }
  StartEvent start(std::uint32_t holder, std::uint64_t round = 1) const {
    StartEvent event{.round = round,
                     .parameters = {.length = 2, .merchants_max = size},
                     .payload = {},
                     .participants = MerchantSet::all(size),
                     .boxes = {},
                     .seal = seal()};
    event.parameters.shares_min = 3;
    for (std::uint32_t dealer = 0; dealer < size; ++dealer) {
      if (dealer != holder) {
        const SharePart& part = shares[dealer].parts[holder < dealer ? holder : holder - 1];
        event.boxes.push_back({dealer, holder, part.box, part.commitments});
      }
    }
    return event;
  }
  SealUnder seal() const {
    return [](const RoundMasks& masks) {
      const SumParameters parameters{.length = 2};
      const UnitSource nothing = [](const std::function<void(const Contribution&)>&) {};
      return prepare(nothing, parameters, NoiseShare{}, masks);
    };
  }
  void start_all() {
    for (std::uint32_t id = 0; id < size; ++id) {
      const MerchantStep result = give(id, start(id));
      ASSERT_FALSE(result.refused.has_value()) << result.refused->sentence;
      uploads.push_back(result.messages[0]);
    }
  }
  Digest context(std::uint32_t id) const { return std::get<Masked>(rounds[id].state).context; }
  SetEvent set(const MerchantSet& included) const { return {1, {context(0), included}}; }
  /// SET to all; `told` says which set each is told. Fills codes by receiver.
  void set_all(const std::function<MerchantSet(std::uint32_t)>& told) {
    codes.assign(size, {});
    const Digest common = context(0);
    for (std::uint32_t id = 0; id < size; ++id) {
      const MerchantStep result = give(id, SetEvent{1, {common, told(id)}});
      for (const Bytes& message : result.messages) {
        if (const auto agree = decode<Agree>(*open_envelope(message))) {
          std::size_t place = 0;
          for (std::uint32_t receiver = 0; receiver < size; ++receiver) {
            if (receiver != id && told(id).contains(receiver)) {
              codes[receiver].push_back({id, receiver, agree->codes[place++]});
            }
          }
        }
      }
    }
  }

  std::uint32_t size;
  DeterministicSecureRandom random{42};
  std::vector<MerchantRound> rounds;
  std::vector<ShareMessage> shares;
  std::vector<Bytes> uploads;
  std::vector<std::vector<EdgeCode>> codes;
};

TEST(MerchantRound, GoesFromIdleToRevealed) {
  Merchants merchants(4);
  merchants.open_all();
  EXPECT_TRUE(std::holds_alternative<Shared>(merchants.rounds[0].state));
  merchants.start_all();
  EXPECT_TRUE(std::holds_alternative<Masked>(merchants.rounds[0].state));
  merchants.set_all([](std::uint32_t) { return MerchantSet::of(4, {0, 1, 2}); });
  EXPECT_TRUE(std::holds_alternative<Agreed>(merchants.rounds[0].state));

  const MerchantStep result = merchants.give(0, AgreedEvent{1, merchants.codes[0], {}});

  ASSERT_FALSE(result.refused.has_value());
  EXPECT_TRUE(std::holds_alternative<Revealed>(merchants.rounds[0].state));
  const auto reveal = decode<Reveal>(*open_envelope(result.messages[0]));
  ASSERT_EQ(reveal->shares.size(), 4u);
  EXPECT_TRUE(std::holds_alternative<SelfMaskShare>(reveal->shares[0]));
  EXPECT_TRUE(std::holds_alternative<SelfMaskShare>(reveal->shares[2]));
  EXPECT_TRUE(std::holds_alternative<EscrowShare>(reveal->shares[3])) << "merchant 3 dropped out";
}

TEST(MerchantRound, RefusesWhatComesOutOfOrderAndStaysAsItWas) {
  Merchants merchants(4);
  EXPECT_EQ(merchants.refusal_of(0, AgreedEvent{0, {}, {}}), Refusal::out_of_order);
  EXPECT_EQ(merchants.refusal_of(0, OpenEvent{0, MerchantSet::all(4)}), Refusal::wrong_round);
  EXPECT_EQ(merchants.refusal_of(0, OpenEvent{1u << 20, MerchantSet::all(4)}), Refusal::wrong_round);
  EXPECT_EQ(merchants.refusal_of(0, OpenEvent{1, MerchantSet::of(4, {1, 2, 3})}), Refusal::foreign);
  EXPECT_EQ(merchants.refusal_of(0, OpenEvent{1, MerchantSet::all(5)}), Refusal::foreign);
  merchants.open_all();
  EXPECT_EQ(merchants.refusal_of(0, OpenEvent{1, MerchantSet::all(4)}), Refusal::wrong_round);
  EXPECT_EQ(merchants.refusal_of(0, merchants.start(0, 2)), Refusal::wrong_round);
  EXPECT_EQ(merchants.refusal_of(0, AgreedEvent{1, {}, {}}), Refusal::out_of_order);
  EXPECT_TRUE(std::holds_alternative<Shared>(merchants.rounds[0].state));
}

TEST(MerchantRound, UploadsOnceARoundWhateverIsAsked) {
  Merchants merchants(4);
  merchants.open_all();
  merchants.start_all();

  const MerchantStep again = merchants.give(0, merchants.start(0));

  EXPECT_EQ(again.refused->reason, Refusal::out_of_order);
  EXPECT_TRUE(again.messages.empty());
}

TEST(MerchantRound, LeavesWhenAShareBoxIsNotItsOwnAndNamesTheDealer) {
  Merchants merchants(4);
  merchants.open_all();
  StartEvent swapped = merchants.start(0);
  std::swap(swapped.boxes[0].box, swapped.boxes[1].box);
  StartEvent missing = merchants.start(1);
  missing.boxes.pop_back();

  const MerchantStep result = merchants.give(0, swapped);

  EXPECT_EQ(result.refused->reason, Refusal::bad_share);
  EXPECT_EQ(result.refused->about, 1u);
  EXPECT_EQ(merchants.refusal_of(1, missing), Refusal::bad_share);
}

TEST(MerchantRound, LeavesRoundsThatAreTooSmallOrHoldStrangers) {
  Merchants merchants(5, 4);
  EXPECT_EQ(merchants.refusal_of(0, OpenEvent{1, MerchantSet::of(5, {0, 1, 2})}), Refusal::cohort);
  merchants = Merchants(5, 4);
  merchants.open_all();
  StartEvent small = merchants.start(0);
  small.participants = MerchantSet::of(5, {0, 1, 2});
  EXPECT_EQ(merchants.refusal_of(0, small), Refusal::cohort);
  StartEvent without_me = merchants.start(1);
  without_me.participants = MerchantSet::of(5, {0, 2, 3, 4});
  const MerchantStep left_out = merchants.give(1, without_me);
  EXPECT_TRUE(left_out.messages.empty()) << "its shares came too late: no fault of anyone's";
  EXPECT_TRUE(std::holds_alternative<Idle>(merchants.rounds[1].state));
  EXPECT_EQ(merchants.refusal_of(1, merchants.start(1)), Refusal::equivocation);
}

TEST(MerchantRound, LeavesWhenTheSetIsWrong) {
  Merchants merchants(5, 4);
  merchants.open_all();
  merchants.start_all();
  SetEvent other_model = merchants.set(MerchantSet::all(5));
  other_model.set.context[0] ^= std::byte{1};

  EXPECT_EQ(merchants.refusal_of(1, other_model), Refusal::wrong_context);
  EXPECT_EQ(merchants.refusal_of(2, merchants.set(MerchantSet::of(5, {0, 1, 3, 4}))), Refusal::excluded);
  EXPECT_EQ(merchants.refusal_of(3, merchants.set(MerchantSet::of(5, {1, 2, 3}))), Refusal::cohort);
  EXPECT_EQ(merchants.refusal_of(4, SetEvent{1, {merchants.context(0), MerchantSet::all(6)}}),
            Refusal::foreign);
}

TEST(MerchantRound, ASetWithAnUploadItNeverSentEndsTheSession) {
  Merchants merchants(4);
  merchants.open_all();

  EXPECT_EQ(merchants.refusal_of(0, SetEvent{1, {Digest{}, MerchantSet::all(4)}}), Refusal::forged);
  EXPECT_EQ(merchants.refusal_of(0, OpenEvent{2, MerchantSet::all(4)}), Refusal::exhausted);
}

TEST(MerchantRound, ASecondSetWithOtherMerchantsEndsTheSession) {
  Merchants merchants(5);
  merchants.open_all();
  merchants.start_all();
  const SetEvent first = merchants.set(MerchantSet::all(5));
  SetEvent second = first;
  second.set.included = MerchantSet::of(5, {0, 1, 2, 3});
  ASSERT_FALSE(merchants.give(0, first).refused.has_value());

  EXPECT_EQ(merchants.refusal_of(0, first), Refusal::out_of_order) << "the same again is only refused";
  EXPECT_EQ(merchants.refusal_of(0, second), Refusal::equivocation);
  EXPECT_EQ(merchants.refusal_of(0, OpenEvent{2, MerchantSet::all(5)}), Refusal::exhausted);
}

TEST(MerchantRound, RevealsNothingWithoutEnoughTrueCodes) {
  Merchants merchants(5);  // t = 4: three neighbours must confirm.
  merchants.open_all();
  merchants.start_all();
  merchants.set_all([](std::uint32_t) { return MerchantSet::all(5); });
  std::vector<EdgeCode> few(merchants.codes[0].begin(), merchants.codes[0].begin() + 2);
  std::vector<EdgeCode> repeated(4, merchants.codes[1][0]);
  std::vector<EdgeCode> wrong = merchants.codes[2];
  wrong[1].code[0] ^= std::byte{1};
  std::vector<EdgeCode> of_another = merchants.codes[4];
  for (EdgeCode& code : of_another) {
    code.receiver = 3;
  }

  EXPECT_EQ(merchants.refusal_of(0, AgreedEvent{1, few, {}}), Refusal::split_view);
  EXPECT_EQ(merchants.refusal_of(1, AgreedEvent{1, repeated, {}}), Refusal::foreign);
  EXPECT_EQ(merchants.refusal_of(2, AgreedEvent{1, wrong, {}}), Refusal::unverified) << "enough others";
  EXPECT_TRUE(merchants.refusal_of(3, AgreedEvent{1, of_another, {}}).has_value());
}

TEST(MerchantRound, ASplitViewNeverOpensBothSecretsOfAMerchantAtAnyCut) {
  // Seven merchants; those before the cut are told that merchant 6 is in the sum, the others that it dropped.
  // Holders of one view only reveal among themselves: never are there t = 5 shares of both b and u.
  for (std::uint32_t cut = 0; cut <= 6; ++cut) {
    Merchants merchants(7);
    merchants.open_all();
    merchants.start_all();
    merchants.set_all([&](std::uint32_t id) {
      return id < cut || id == 6 ? MerchantSet::all(7) : MerchantSet::of(7, {0, 1, 2, 3, 4, 5});
    });
    std::uint32_t self_mask_shares = 0;
    std::uint32_t escrow_shares = 0;

    for (std::uint32_t id = 0; id < 7; ++id) {
      // The coordinator forwards to each only the codes of its own view.
      std::vector<EdgeCode> own_view;
      for (const EdgeCode& code : merchants.codes[id]) {
        const bool told_all = code.sender < cut || code.sender == 6;
        if (told_all == (id < cut || id == 6)) {
          own_view.push_back(code);
        }
      }
      for (const Bytes& message : merchants.give(id, AgreedEvent{1, own_view, {}}).messages) {
        if (const auto reveal = decode<Reveal>(*open_envelope(message))) {
          const bool alive = std::holds_alternative<SelfMaskShare>(reveal->shares[6]);
          (alive ? self_mask_shares : escrow_shares) += 1;
        }
      }
    }

    EXPECT_FALSE(self_mask_shares >= 5 && escrow_shares >= 5);
    EXPECT_FALSE(self_mask_shares > 0 && escrow_shares > 0) << "cut " << cut;
  }
}

TEST(MerchantRound, TwoMerchantsWithDifferentModelsShareNoMask) {
  Merchants merchants(3);
  merchants.open_all();
  StartEvent other = merchants.start(1);
  other.payload[0] = std::byte{1};

  const MerchantStep of_0 = merchants.give(0, merchants.start(0));
  const MerchantStep of_1 = merchants.give(1, other);

  const auto low = decode<Upload>(*open_envelope(of_0.messages[0]));
  const auto high = decode<Upload>(*open_envelope(of_1.messages[0]));
  EXPECT_NE(low->fingerprints[0], high->fingerprints[0]);
}

TEST(MerchantRound, ALaterRoundLeavesTheOneBefore) {
  Merchants merchants(4);
  merchants.open_all();
  merchants.start_all();

  const MerchantStep result = merchants.give(0, OpenEvent{2, MerchantSet::all(4)});

  EXPECT_FALSE(result.refused.has_value());
  EXPECT_TRUE(std::holds_alternative<Shared>(merchants.rounds[0].state));
  EXPECT_EQ(merchants.rounds[0].aborts, 1u) << "an upload without a release counts";
}

}  // namespace
}  // namespace hanse
