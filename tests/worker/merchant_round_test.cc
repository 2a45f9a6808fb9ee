// The merchant against a coordinator that breaks the rules: refuse, reveal nothing, say why.

#include "worker/merchant_round.h"

#include <map>
#include <numeric>

#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/masks.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

/// N merchants without any coordinator: the test plays it.
struct Merchants {
  explicit Merchants(std::uint32_t count, std::uint32_t merchants_min = 3, bool with_surplus = false)
      : size(count), surplus(with_surplus) {
    std::vector<X25519Key> keys;
    for (std::uint32_t i = 0; i < size; ++i) {
      keys.push_back(X25519Key::generate(random));
    }
    for (std::uint32_t i = 0; i < size; ++i) {
      MerchantRound merchant;
      merchant.view.id = i;
      merchant.view.roster_size = size;
      merchant.view.merchants_min = merchants_min;
      merchant.view.surplus = surplus;
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
    event.parameters.shares_min = surplus ? fewest : 3;
    event.parameters.share_variance = surplus ? 1000 : 0;
    for (std::uint32_t dealer = 0; dealer < size; ++dealer) {
      if (dealer != holder) {
        const SharePart& part = shares[dealer].parts[holder < dealer ? holder : holder - 1];
        event.boxes.push_back({dealer, holder, part.box, part.commitments, part.surplus});
      }
    }
    return event;
  }
  SealUnder seal() const {
    return [](const RoundMasks& masks, const RungKey*) {
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
  bool surplus;
  std::uint32_t fewest = 5;  ///< shares_min of sums whose surplus noise is opened: t of seven merchants.
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

/// Seven merchants, each a holder of the secrets of all, of which t = 5 open one. Those in `told_all`, a bit each, and
/// merchant 6 are told that merchant 6 is in the sum, the others that it dropped. The first `corrupt` of them
/// collude: they confirm whatever they are asked to, and give away both of the shares they hold.
struct SplitView {
  std::uint32_t told_all = 0;
  std::uint32_t corrupt = 0;

  bool sees_all(std::uint32_t id) const { return id == 6 || (told_all >> id & 1) != 0; }
  MerchantSet told(std::uint32_t id) const {
    return sees_all(id) ? MerchantSet::all(7) : MerchantSet::of(7, {0, 1, 2, 3, 4, 5});
  }

  /// Whether the coordinator gets enough shares of b and of u of merchant 6.
  bool opens_both() const {
    Merchants merchants(7);
    merchants.open_all();
    merchants.start_all();
    const Digest context = merchants.context(0);
    merchants.set_all([&](std::uint32_t id) { return told(id); });
    std::uint32_t self_mask_shares = corrupt;
    std::uint32_t escrow_shares = corrupt;
    for (std::uint32_t id = corrupt; id < 7; ++id) {
      std::vector<EdgeCode> codes;  // What the colluders say of its own view, and only what others of it say.
      for (std::uint32_t liar = 0; liar < corrupt; ++liar) {
        codes.push_back(
            {liar, id,
             agree_code(merchants.rounds[liar].pairs[id - 1], liar, agreed_on(1, context, told(id)))});
      }
      for (const EdgeCode& code : merchants.codes[id]) {
        if (code.sender >= corrupt && sees_all(code.sender) == sees_all(id)) {
          codes.push_back(code);
        }
      }
      for (const Bytes& message : merchants.give(id, AgreedEvent{1, codes, {}}).messages) {
        if (const auto reveal = decode<Reveal>(*open_envelope(message))) {
          const bool alive = std::holds_alternative<SelfMaskShare>(reveal->shares[6]);
          (alive ? self_mask_shares : escrow_shares) += 1;
        }
      }
    }
    return self_mask_shares >= 5 && escrow_shares >= 5;
  }
};

TEST(MerchantRound, ASplitViewNeverOpensBothSecretsOfAMerchantAtAnyCut) {
  for (const std::uint32_t corrupt : {0u, 1u, 2u}) {  // h + c < 2 t: 7 + 2 < 10.
    for (std::uint32_t told_all = 0; told_all < 64; ++told_all) {
      EXPECT_FALSE((SplitView{told_all, corrupt}.opens_both())) << corrupt << " corrupt, told " << told_all;
    }
  }
}

TEST(MerchantRound, WithOneMoreThanTheBoundOnColludersASplitViewDoesOpenBoth) {
  const SplitView just_enough{.told_all = 0b001000,
                              .corrupt = 3};  // 3 and 6 of one view, 4 and 5 of the other.

  EXPECT_TRUE(just_enough.opens_both()) << "h + c = 2 t: the bound in the documentation is where it breaks";
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

/// Four merchants, of which all have revealed; AGREED invited them to round 2.
Merchants four_with_next_prepared() {
  Merchants merchants(4);
  merchants.open_all();
  merchants.start_all();
  merchants.set_all([](std::uint32_t) { return MerchantSet::all(4); });
  merchants.shares.clear();
  for (std::uint32_t id = 0; id < 4; ++id) {
    const MerchantStep result =
        merchants.give(id, AgreedEvent{1, merchants.codes[id], Invitation{2, MerchantSet::all(4)}});
    EXPECT_EQ(result.messages.size(), 2u) << "REVEAL, and SHARE of round 2";
    EXPECT_EQ(open_envelope(result.messages[1])->round, 2u);
    merchants.shares.push_back(*decode<ShareMessage>(*open_envelope(result.messages[1])));
  }
  return merchants;
}

TEST(MerchantRound, StartsTheNextRoundFromTheSharesThatRodeOnThisOne) {
  Merchants merchants = four_with_next_prepared();
  (void)merchants.give(0, ResultEvent{1, true});

  const MerchantStep asked_again = merchants.give(0, OpenEvent{2, MerchantSet::all(4)});
  const MerchantStep started = merchants.give(0, merchants.start(0, 2));

  EXPECT_TRUE(asked_again.messages.empty()) << "a round is dealt for once";
  EXPECT_FALSE(asked_again.refused.has_value());
  ASSERT_FALSE(started.refused.has_value()) << started.refused->sentence;
  EXPECT_EQ(open_envelope(started.messages[0])->type, MessageType::upload);
  EXPECT_FALSE(merchants.rounds[0].prepared.has_value());
  EXPECT_EQ(merchants.rounds[0].round, 2u);
}

TEST(MerchantRound, WhatIsPreparedIsWipedByAnotherRoundAndByOneWithoutARelease) {
  Merchants merchants = four_with_next_prepared();

  const MerchantStep other = merchants.give(0, OpenEvent{3, MerchantSet::all(4)});
  (void)merchants.give(1, ResultEvent{1, false});

  EXPECT_EQ(other.messages.size(), 1u) << "fresh shares, of round 3";
  EXPECT_FALSE(merchants.rounds[0].prepared.has_value());
  EXPECT_FALSE(merchants.rounds[1].prepared.has_value());
  EXPECT_EQ(merchants.refusal_of(1, merchants.start(1, 2)), Refusal::wrong_round);
  EXPECT_EQ(merchants.refusal_of(1, OpenEvent{2, MerchantSet::all(4)}), Refusal::wrong_round)
      << "the number is spent";
}

TEST(MerchantRound, TwoStoriesInOneRoundEndTheSessionInEveryState) {
  SetEvent other_set{1, {Digest{}, MerchantSet::of(4, {0, 1, 2})}};
  for (const bool prepared : {false, true}) {
    Merchants merchants = prepared ? four_with_next_prepared() : Merchants(4);
    if (!prepared) {
      merchants.open_all();
      merchants.start_all();
      merchants.set_all([](std::uint32_t) { return MerchantSet::all(4); });
    }
    StartEvent other_start = merchants.start(0, 1);
    other_start.payload[0] = std::byte{9};
    AgreedEvent other_agreed{1, merchants.codes[2], Invitation{2, MerchantSet::of(4, {0, 1, 2})}};
    AgreedEvent again{1, merchants.codes[2], Invitation{3, MerchantSet::all(4)}};
    if (!prepared) {
      ASSERT_FALSE(merchants.give(2, other_agreed).refused.has_value());
    }

    EXPECT_EQ(merchants.refusal_of(0, other_start), Refusal::equivocation);
    EXPECT_EQ(merchants.refusal_of(1, other_set), Refusal::equivocation);
    EXPECT_EQ(merchants.refusal_of(2, again), Refusal::equivocation);
    for (const std::uint32_t id : {0u, 1u, 2u}) {
      EXPECT_TRUE(merchants.rounds[id].ended);
      EXPECT_FALSE(merchants.rounds[id].prepared.has_value());
      EXPECT_TRUE(merchants.refusal_of(id, OpenEvent{5, MerchantSet::all(4)}) == Refusal::exhausted);
    }
  }
}

TEST(MerchantRound, AnInvitationThatChangesEndsTheSession) {
  Merchants merchants = four_with_next_prepared();

  EXPECT_EQ(merchants.refusal_of(0, OpenEvent{2, MerchantSet::of(4, {0, 1, 2})}), Refusal::equivocation);
  EXPECT_EQ(merchants.refusal_of(0, merchants.start(0, 2)), Refusal::wrong_round);
}

TEST(MerchantRound, ANextRoundThatCannotBeIsRefusedBeforeAnythingIsRevealed) {
  for (const std::uint64_t next : {0ull, 1ull, 1ull << 20}) {
    Merchants merchants(4);
    merchants.open_all();
    merchants.start_all();
    merchants.set_all([](std::uint32_t) { return MerchantSet::all(4); });

    EXPECT_EQ(
        merchants.refusal_of(0, AgreedEvent{1, merchants.codes[0], Invitation{next, MerchantSet::all(4)}}),
        Refusal::wrong_round);
  }
}

TEST(MerchantRound, SharesThatWereNotCommittedToAreRefusedBeforeTheUpload) {
  Merchants merchants(4);
  merchants.open_all();
  StartEvent other = merchants.start(0);
  other.boxes[1].commitments.self_mask[0] ^= std::byte{1};

  const MerchantStep result = merchants.give(0, other);

  EXPECT_EQ(result.refused->reason, Refusal::bad_share);
  EXPECT_EQ(result.refused->about, 2u);
  EXPECT_FALSE(merchants.rounds[0].uploaded);
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

// --- noise that turns out to be too much ---

/// Seven merchants, of which five open a secret: rungs 5 and 6 can turn out to be too much.
Merchants seven_with_surplus() {
  return Merchants(7, 3, true);
}

/// The commitment to `holder`'s share of the key of a rung of `dealer`.
Bytes16 committed(const Merchants& merchants, std::uint32_t dealer, std::uint32_t holder,
                  std::uint32_t rung) {
  const ShareMessage& share = merchants.shares[dealer];
  const std::size_t place = rung - merchants.fewest;
  return dealer == holder ? share.surplus_own.at(place)
                          : share.parts[holder < dealer ? holder : holder - 1].surplus.commitments.at(place);
}

TEST(SurplusNoise, IsDealtWithOneKeyForEachDropOutThatASumSurvives) {
  Merchants merchants = seven_with_surplus();

  merchants.open_all();

  for (const ShareMessage& share : merchants.shares) {
    EXPECT_EQ(share.surplus_secrets.size(), 2u);
    EXPECT_EQ(share.surplus_own.size(), 2u);
    EXPECT_EQ(share.parts[0].surplus.box.size(), 2 * 40u + 16u);
  }
}

TEST(SurplusNoise, IsDealtBySomeoneAskedForItAndByNobodyElse) {
  Merchants merchants(7);

  merchants.open_all();

  for (const ShareMessage& share : merchants.shares) {
    EXPECT_TRUE(share.surplus_secrets.empty());
    EXPECT_TRUE(share.parts[0].surplus.box.empty());
  }
}

class SurplusOfASet : public testing::TestWithParam<std::uint32_t> {};

TEST_P(SurplusOfASet, IsOneShareOfOneRungForEachMerchantInIt) {
  const std::uint32_t included = GetParam();
  Merchants merchants = seven_with_surplus();
  merchants.open_all();
  merchants.start_all();
  std::vector<std::uint32_t> ids(included);
  std::iota(ids.begin(), ids.end(), 0u);
  merchants.set_all([&](std::uint32_t) { return MerchantSet::of(7, ids); });

  for (std::uint32_t holder = 0; holder < included; ++holder) {
    const MerchantStep result = merchants.give(holder, AgreedEvent{1, merchants.codes[holder], {}});

    ASSERT_FALSE(result.refused.has_value()) << result.refused->sentence;
    const auto reveal = decode<Reveal>(*open_envelope(result.messages[0]));
    for (std::uint32_t dealer = 0; dealer < 7; ++dealer) {
      const auto* of_b = std::get_if<SelfMaskShare>(&reveal->shares[dealer]);
      ASSERT_EQ(of_b != nullptr, dealer < included);
      if (of_b != nullptr && included > 5) {
        ASSERT_TRUE(of_b->rung.has_value());
        EXPECT_EQ(commit(*of_b->rung), committed(merchants, dealer, holder, included - 1));
      } else if (of_b != nullptr) {
        EXPECT_FALSE(of_b->rung.has_value()) << "with five in the sum all noise is needed";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Merchants, SurplusOfASet, testing::Values(5u, 6u, 7u));

TEST(SurplusNoise, ASecondSetOfAnotherSizeOpensNoOtherRung) {
  Merchants merchants = seven_with_surplus();
  merchants.open_all();
  merchants.start_all();
  const SetEvent larger = merchants.set(MerchantSet::all(7));
  merchants.set_all([](std::uint32_t) { return MerchantSet::of(7, {0, 1, 2, 3, 4, 5}); });
  Merchants again = seven_with_surplus();
  again.open_all();
  again.start_all();
  again.set_all([](std::uint32_t) { return MerchantSet::of(7, {0, 1, 2, 3, 4, 5}); });
  ASSERT_FALSE(again.give(0, AgreedEvent{1, again.codes[0], {}}).refused.has_value());

  EXPECT_EQ(merchants.refusal_of(0, larger), Refusal::equivocation) << "before it revealed";
  EXPECT_EQ(again.refusal_of(0, larger), Refusal::equivocation) << "after it revealed";
  EXPECT_EQ(again.refusal_of(1, AgreedEvent{1, again.codes[0], {}}), Refusal::foreign);
}

TEST(SurplusNoise, OfAMerchantThatIsNamedButSentNothingBuysNoSum) {
  Merchants merchants = seven_with_surplus();
  merchants.open_all();
  for (std::uint32_t id = 0; id < 6; ++id) {
    merchants.uploads.push_back(merchants.give(id, merchants.start(id)).messages[0]);
  }
  const SetEvent everyone = merchants.set(MerchantSet::all(7));
  merchants.set_all([](std::uint32_t id) { return id < 6 ? MerchantSet::all(7) : MerchantSet(7); });

  for (std::uint32_t id = 0; id < 6; ++id) {
    const MerchantStep result = merchants.give(id, AgreedEvent{1, merchants.codes[id], {}});

    const auto reveal = decode<Reveal>(*open_envelope(result.messages[0]));
    EXPECT_TRUE(std::holds_alternative<SelfMaskShare>(reveal->shares[6]))
        << "its escrow stays closed, and the others' sum under their masks with it";
  }
  EXPECT_EQ(merchants.refusal_of(6, everyone), Refusal::forged);
}

TEST(SurplusNoise, OfNobodyIsOpenedForTwoSetsOfOneRoundAtAnyCut) {
  const MerchantSet six = MerchantSet::of(7, {0, 1, 2, 3, 4, 5});
  for (std::uint32_t cut = 0; cut < 64; ++cut) {  // Who is told that merchant 6 dropped, a bit each.
    const auto told = [&](std::uint32_t id) {
      return id < 6 && (cut >> id & 1) != 0 ? six : MerchantSet::all(7);
    };
    Merchants merchants = seven_with_surplus();
    merchants.open_all();
    merchants.start_all();
    merchants.set_all(told);
    std::map<std::uint32_t, std::array<std::size_t, 2>> shares;  // Of each dealer, of rungs 5 and 6.
    for (std::uint32_t id = 0; id < 7; ++id) {
      std::vector<EdgeCode> codes;
      for (const EdgeCode& code : merchants.codes[id]) {
        if (told(code.sender) == told(id)) {
          codes.push_back(code);
        }
      }
      for (const Bytes& message : merchants.give(id, AgreedEvent{1, codes, {}}).messages) {
        const auto reveal = decode<Reveal>(*open_envelope(message));
        for (std::uint32_t dealer = 0; reveal && dealer < 7; ++dealer) {
          const auto* of_b = std::get_if<SelfMaskShare>(&reveal->shares[dealer]);
          if (of_b != nullptr && of_b->rung) {
            const bool top = commit(*of_b->rung) == committed(merchants, dealer, id, 6);
            ++shares[dealer][top ? 1 : 0];
          }
        }
      }
    }
    for (const auto& [dealer, count] : shares) {
      EXPECT_FALSE(count[0] >= 5 && count[1] >= 5) << "both rungs of merchant " << dealer;
      EXPECT_TRUE(count[0] == 0 || count[1] == 0) << "all who reveal anything speak of one set";
    }
  }
}

/// Of ten, eleven and twelve invited merchants three rungs each are dealt, and not the same three: 7 to 9, 8 to 10, 9 to
/// 11. A merchant that was told of twelve would have its rung 10 opened by holders who were told of eleven and mean 9.
TEST(SurplusNoise, OfOneWhoWasToldOfOtherMerchantsIsRefusedBeforeDataIsTouched) {
  const MerchantSet eleven = MerchantSet::of(12, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  const auto refusal_when_told = [&](const MerchantSet& told) {
    Merchants merchants(12, 3, true);
    merchants.fewest = 9;
    for (std::uint32_t id = 0; id < 11; ++id) {
      const MerchantStep opened = merchants.give(id, OpenEvent{1, id == 0 ? told : eleven});
      merchants.shares.push_back(*decode<ShareMessage>(*open_envelope(opened.messages.at(0))));
    }
    merchants.shares.emplace_back();
    merchants.shares.back().parts.resize(12);
    StartEvent event = merchants.start(1);
    event.participants = eleven;
    event.boxes.pop_back();
    return merchants.refusal_of(1, event);
  };

  EXPECT_EQ(refusal_when_told(eleven), std::nullopt);
  EXPECT_EQ(refusal_when_told(MerchantSet::all(12)), Refusal::bad_share);
}

TEST(SurplusNoise, WhoseSharesAreNotThoseCommittedToIsRefusedBeforeDataIsTouched) {
  const auto refusal_of = [](const std::function<void(SurplusShares&)>& change) {
    Merchants merchants = seven_with_surplus();
    merchants.open_all();
    StartEvent event = merchants.start(0);
    event.seal = [](const RoundMasks&, const RungKey*) -> SealedSum { std::abort(); };
    change(event.boxes[2].surplus);
    return merchants.refusal_of(0, event);
  };

  EXPECT_EQ(refusal_of([](SurplusShares& s) { s.box[3] ^= std::byte{1}; }), Refusal::bad_share);
  EXPECT_EQ(refusal_of([](SurplusShares& s) { s.commitments[1][0] ^= std::byte{1}; }), Refusal::bad_share);
  EXPECT_EQ(refusal_of([](SurplusShares& s) { std::swap(s.commitments[0], s.commitments[1]); }),
            Refusal::bad_share);
  EXPECT_EQ(refusal_of([](SurplusShares& s) { s = {}; }), Refusal::bad_share);
  EXPECT_EQ(refusal_of([](SurplusShares& s) { s.commitments.pop_back(); }), Refusal::bad_share);
}

TEST(SurplusNoise, IsRefusedForSumsOfFewerMerchantsThanOpenAShare) {
  Merchants merchants = seven_with_surplus();
  merchants.fewest = 4;
  merchants.open_all();

  EXPECT_EQ(merchants.refusal_of(0, merchants.start(0)), Refusal::cohort);
}

TEST(SurplusNoise, IsDrawnFromOneBelowTheNumberOfParticipants) {
  Merchants merchants = seven_with_surplus();
  merchants.open_all();
  StartEvent event = merchants.start(0);
  event.participants.erase(6);
  event.boxes.pop_back();
  std::optional<std::uint32_t> rung;
  event.seal = [&, seal = event.seal](const RoundMasks& masks, const RungKey* top) {
    rung = top != nullptr ? std::optional(top->rung) : std::nullopt;
    return seal(masks, top);
  };

  (void)merchants.give(0, event);

  EXPECT_EQ(rung, 5u) << "six have the START: noise for all seven is part of the base";
}

}  // namespace
}  // namespace hanse
