#include "privacy/ledger/ledger_state.h"

#include <chrono>
#include <cmath>

#include "tests/support/ledger_fixture.h"

namespace hanse {
namespace {

/// The states before each line of the fixture, and after the last.
std::vector<LedgerState> states_of(const LedgerFixture& fixture) {
  std::vector<LedgerState> states(1);
  for (const std::string& line : fixture.lines) {
    LedgerState next = states.back();
    EXPECT_TRUE(next.accept(line).ok());
    states.push_back(next);
  }
  return states;
}

/// The first line of `lines` that is refused, or how many there are.
std::size_t accepted(const std::vector<std::string>& lines) {
  LedgerState state;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!state.accept(lines[i])) {
      return i;
    }
  }
  return lines.size();
}

void expect_mentions(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

// --- an honest run ---

TEST(LedgerState, AcceptsAnHonestRun) {
  const LedgerFixture fixture = LedgerFixture::of_run(3);

  const LedgerState& state = fixture.state;

  EXPECT_EQ(fixture.lines.size(), 19u);
  EXPECT_EQ(state.next_seq(), 19u);
  EXPECT_EQ(state.intents(), 5u);
  EXPECT_EQ(state.released(), 4u);
  EXPECT_EQ(state.aborted(), 1u);
  EXPECT_EQ(state.beyond_plan(), 0u);
  EXPECT_TRUE(state.claim().has_value());
  EXPECT_TRUE(state.without_noise().empty());
}

TEST(LedgerState, RefusesEverySingleBitFlippedAnywhere) {
  const LedgerFixture fixture = LedgerFixture::of_run(2);
  const std::vector<LedgerState> states = states_of(fixture);

  for (std::size_t i = 0; i < fixture.lines.size(); ++i) {
    for (std::size_t at = 0; at < fixture.lines[i].size(); ++at) {
      std::string line = fixture.lines[i];
      line[at] = static_cast<char>(line[at] ^ (1 << (at % 8)));
      LedgerState state = states[i];
      ASSERT_FALSE(state.accept(line).ok()) << "line " << i << ", byte " << at << ": " << line;
      ASSERT_EQ(state.next_seq(), i) << "a refused line left something behind";
    }
  }
}

TEST(LedgerState, RefusesARemovedADoubledAndASwappedLine) {
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  const std::size_t count = fixture.lines.size();

  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::string> removed = fixture.lines;
    removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(accepted(removed), i) << "removed " << i;

    std::vector<std::string> doubled = fixture.lines;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), doubled[i]);
    EXPECT_EQ(accepted(doubled), i + 1) << "doubled " << i;

    if (i + 1 < count) {
      std::vector<std::string> swapped = fixture.lines;
      std::swap(swapped[i], swapped[i + 1]);
      EXPECT_EQ(accepted(swapped), i) << "swapped " << i;
    }
  }
}

TEST(LedgerState, RefusesACoordinatorThatIsNotTheExpectedOne) {
  const LedgerFixture fixture = LedgerFixture::of_run();
  LedgerState state(LedgerFixture::key(std::byte{8}).public_key());

  const auto taken = state.accept(fixture.lines[0]);

  ASSERT_FALSE(taken.ok());
  expect_mentions(taken.what(), "another coordinator");
}

TEST(LedgerState, RefusesALineSignedByAnotherKey) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);

  const std::string line =
      LedgerFixture::line(fixture.intent(1), 2, fixture.state.tip(), LedgerFixture::key(std::byte{8}));
  const auto taken = fixture.state.accept(line);

  ASSERT_FALSE(taken.ok());
  expect_mentions(taken.what(), "line 3: its signature is not the coordinator's");
}

TEST(LedgerState, RefusesAWellSignedForkAndAWellSignedGap) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  const Digest before = fixture.state.tip();
  fixture.add(fixture.intent(1));
  fixture.add(fixture.release());

  const std::string fork = LedgerFixture::line(fixture.intent(2), 5, before, fixture.signer());
  const std::string gap = LedgerFixture::line(fixture.intent(2), 6, fixture.state.tip(), fixture.signer());

  EXPECT_FALSE(LedgerState(fixture.state).accept(fork).ok());
  EXPECT_FALSE(LedgerState(fixture.state).accept(gap).ok());
}

// --- order ---

TEST(LedgerState, BeginsWithAPlan) {
  LedgerFixture fixture;

  const std::string why = fixture.refusal(fixture.intent(1));

  expect_mentions(why, "the first record is no plan");
}

TEST(LedgerState, RefusesASecondPlan) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);

  expect_mentions(fixture.refusal(fixture.plan), "a second plan");
}

TEST(LedgerState, RefusesAReleaseThatNoIntentAnnounced) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);

  expect_mentions(fixture.refusal(fixture.release()), "no intent announced");
}

TEST(LedgerState, RefusesTwoOpenIntents) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add(fixture.intent(1));

  expect_mentions(fixture.refusal(fixture.intent(2)), "is not answered");
}

TEST(LedgerState, RefusesAReleaseOfAnotherIntent) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add(fixture.intent(1));
  Release other_round = fixture.release();
  other_round.round = 2;
  Release other_hash = fixture.release();
  other_hash.intent[0] ^= std::byte{1};

  expect_mentions(fixture.refusal(other_round), "answers another intent");
  expect_mentions(fixture.refusal(other_hash), "answers another intent");
}

TEST(LedgerState, RefusesAClaimWhileARoundIsOpenAndAnythingAfterIt) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add(fixture.intent(1));
  const std::string early = fixture.refusal(fixture.state.claim_for({}));
  fixture.add(fixture.release());
  fixture.add(fixture.state.claim_for({}));

  expect_mentions(early, "is not answered");
  expect_mentions(fixture.refusal(fixture.intent(2)), "nothing may follow the claim");
  expect_mentions(fixture.refusal(fixture.state.claim_for({})), "nothing may follow the claim");
}

TEST(LedgerState, LeadsBackToTheLedgerItContinues) {
  const LedgerFixture first = LedgerFixture::of_run();
  LedgerFixture second;
  second.plan.run_id = "ff112233445566778899aabbccddeeff";
  second.plan.previous = first.plan.run_id;

  const std::string good = LedgerFixture::line(second.plan, 0, first.state.tip(), second.signer());
  const std::string unlinked = LedgerFixture::line(second.plan, 0, genesis_digest(), second.signer());

  EXPECT_TRUE(LedgerState().accept(good).ok());
  EXPECT_FALSE(LedgerState().accept(unlinked).ok());
}

// --- heads: what merchants sign ---

TEST(LedgerState, NothingFollowsAPlanThatNotAllMerchantsSigned) {
  LedgerFixture fixture;
  fixture.add_alone(fixture.plan);

  expect_mentions(fixture.refusal(fixture.intent(1)), "not signed by its merchants");
  expect_mentions(fixture.refusal(fixture.state.claim_for(sha256(bytes_of("published")))),
                  "have not signed yet");
  expect_mentions(fixture.refusal(fixture.head({0, 1, 3})), "3 merchants signed it where 4 must");
  EXPECT_EQ(fixture.refusal(fixture.head()), "");
}

TEST(LedgerState, ReleasesOnlyWhatThoseInItPermitted) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(1);
  intent.parameters = LedgerFixture::noise(4, 3);
  fixture.add_alone(intent);
  Release three = fixture.release();
  three.merchants = {0, 1, 2};

  const std::string before_any_head = fixture.refusal(three);
  const std::string few = fixture.refusal(fixture.head({0, 1}));
  ASSERT_EQ(fixture.add_alone(fixture.head({0, 1, 2})), "");

  expect_mentions(before_any_head, "did not permit it");
  expect_mentions(few, "2 merchants signed it where 3 must");
  expect_mentions(fixture.refusal(fixture.release()), "did not permit it");
  EXPECT_EQ(fixture.refusal(three), "");
  EXPECT_EQ(fixture.state.permitted_by(), (std::vector<std::uint32_t>{0, 1, 2}));
}

TEST(LedgerState, ARoundThatNobodyPermittedIsAbortedAndSpent) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add_alone(fixture.intent(1));
  const double spent = fixture.state.epsilon_spent();

  EXPECT_EQ(fixture.add(fixture.abort("nobody permits it")), "");
  EXPECT_EQ(fixture.add(fixture.intent(2)), "");
  EXPECT_GT(spent, 0);
}

TEST(LedgerState, RefusesHeadsThatAreNotOfItsOwnLines) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add_alone(fixture.intent(1));
  Head shorter = fixture.head();
  --shorter.size;
  Head other = fixture.head();
  other.root[0] ^= std::byte{1};
  Head twice = fixture.head({0, 1, 1, 2, 3});
  Head stranger = fixture.head({0, 1, 2, 3});
  stranger.cosignatures.back().merchant = 4;
  Head early = fixture.head();
  early.unix_time = 5;

  for (const Head& head : {shorter, other, twice, stranger, early}) {
    expect_mentions(fixture.refusal(head), "a head is refused");
  }
  EXPECT_EQ(fixture.add_alone(fixture.head()), "");
  expect_mentions(fixture.refusal(fixture.head()), "behind no plan, intent or claim");
}

TEST(LedgerState, NamesTheMerchantThatSignedAnotherHeadOfTheSameSize) {
  LedgerFixture one;
  LedgerFixture two;
  one.add(one.plan);
  two.add(two.plan);
  one.add_alone(one.intent(1));
  two.add_alone(two.intent(2));  // The coordinator shows bergen another ledger.
  Head head = one.head();
  head.cosignatures[1] = two.head().cosignatures[1];

  expect_mentions(one.refusal(head),
                  "merchant \"bergen\" did not sign this head: it was shown another ledger");
}

TEST(LedgerState, IsFinishedOnceTwoMerchantsSignedTheClaim) {
  LedgerFixture fixture;
  fixture.run(1);
  LedgerFixture open;
  open.run(1);
  open.lines.pop_back();
  LedgerState state;
  for (const std::string& line : open.lines) {
    ASSERT_TRUE(state.accept(line).ok());
  }

  EXPECT_TRUE(fixture.state.finished());
  EXPECT_FALSE(state.finished());
  EXPECT_TRUE(state.claim().has_value());
}

TEST(LedgerState, FindsABadSignatureAmongThoseItPutBy) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add_alone(fixture.intent(1));
  Head head = fixture.head();
  head.cosignatures[2].signature[5] ^= std::byte{1};
  fixture.lines.push_back(fixture.line(head));
  LedgerState state;
  for (const std::string& line : fixture.lines) {
    ASSERT_TRUE(state.accept(line, Signatures::collect).ok());
  }

  const std::vector<SignedMessage> signatures = state.take_collected();
  const std::vector<std::size_t> bad = unverified(signatures);

  EXPECT_EQ(signatures.size(), 4u + 4u + 4u) << "of four lines, and of four merchants under two heads";
  ASSERT_EQ(bad.size(), 1u);
  expect_mentions(signatures[bad[0]].fault, "line 4: merchant \"bruges\" did not sign");
}

// --- plans ---

struct BadPlan {
  const char* name;
  void (*spoil)(Plan&);
};
void PrintTo(const BadPlan& bad, std::ostream* out) {
  *out << bad.name;
}

class LedgerStateBadPlan : public testing::TestWithParam<BadPlan> {};

TEST_P(LedgerStateBadPlan, IsRefused) {
  LedgerFixture fixture;
  GetParam().spoil(fixture.plan);

  EXPECT_NE(fixture.refusal(fixture.plan), "");
}

INSTANTIATE_TEST_SUITE_P(
    Each, LedgerStateBadPlan,
    testing::Values(BadPlan{"no merchants", [](Plan& p) { p.merchants.clear(); }},
                    BadPlan{"a merchant twice", [](Plan& p) { p.merchants[1].name = p.merchants[0].name; }},
                    BadPlan{"merchants out of order",
                            [](Plan& p) { std::swap(p.merchants[0], p.merchants[1]); }},
                    BadPlan{"a run's name that steers a terminal", [](Plan& p) { p.run_id[3] = '\x1B'; }},
                    BadPlan{"a run before it without proper name", [](Plan& p) { p.previous = "may"; }},
                    BadPlan{"a merchant without name", [](Plan& p) { p.merchants[0].name.clear(); }},
                    BadPlan{"no merchant needed", [](Plan& p) { p.shares_min = 0; }},
                    BadPlan{"more merchants needed than there are", [](Plan& p) { p.shares_min = 5; }},
                    BadPlan{"all needed merchants may collude", [](Plan& p) { p.collusion = 3; }},
                    BadPlan{"unknown encryption", [](Plan& p) { p.encryption = "rot13"; }},
                    BadPlan{"unknown accountant", [](Plan& p) { p.accountant = "hope"; }},
                    BadPlan{"delta 0", [](Plan& p) { p.delta = 0; }},
                    BadPlan{"delta 1", [](Plan& p) { p.delta = 1; }},
                    BadPlan{"delta without unit", [](Plan& p) { p.unit = Unit::none; }},
                    BadPlan{"budget 0", [](Plan& p) { p.epsilon = 0; }},
                    BadPlan{"negative noise", [](Plan& p) { p.releases[0].noise_multiplier = -1; }},
                    BadPlan{"sampling rate 0", [](Plan& p) { p.releases[0].sampling_rate = 0; }},
                    BadPlan{"sampling rate above 1", [](Plan& p) { p.releases[0].sampling_rate = 1.5; }},
                    BadPlan{"no run id", [](Plan& p) { p.run_id.clear(); }}));

// --- intents ---

struct BadIntent {
  const char* name;
  void (*spoil)(Intent&);
};
void PrintTo(const BadIntent& bad, std::ostream* out) {
  *out << bad.name;
}

class LedgerStateBadIntent : public testing::TestWithParam<BadIntent> {};

TEST_P(LedgerStateBadIntent, IsRefusedByTheVerifierAndBeforeTheRound) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add(fixture.intent(1));
  fixture.add(fixture.release());
  Intent intent = fixture.intent(2);
  ASSERT_EQ(fixture.refusal(intent), "");

  GetParam().spoil(intent);

  EXPECT_NE(fixture.refusal(intent), "");
  EXPECT_FALSE(fixture.state.would_allow(intent).ok());
}

INSTANTIATE_TEST_SUITE_P(
    Each, LedgerStateBadIntent,
    testing::Values(
        BadIntent{"no entries", [](Intent& i) { i.parameters.length = 0; }},
        BadIntent{"endless entries", [](Intent& i) { i.parameters.length = UINT64_MAX; }},
        BadIntent{"clip norm 0", [](Intent& i) { i.parameters.clip_norm = 0; }},
        BadIntent{"no units", [](Intent& i) { i.parameters.units_max = 0; }},
        BadIntent{"a wrap of the ring", [](Intent& i) { i.parameters.ring = Ring::bits32; }},
        BadIntent{"a wrap of 128 bits", [](Intent& i) { i.parameters.units_max = UINT64_MAX; }},
        BadIntent{"a grid beyond 64 bits", [](Intent& i) { i.parameters.grid_bits = 64; }},
        BadIntent{"fewer merchants than planned", [](Intent& i) { i.parameters.shares_min = 2; }},
        BadIntent{"more merchants needed than invited", [](Intent& i) { i.parameters.shares_min = 5; }},
        BadIntent{"more merchants invited than there is headroom for",
                  [](Intent& i) { i.parameters.merchants_max = 3; }},
        BadIntent{"no noise where noise is planned", [](Intent& i) { i.parameters.share_variance = 0; }},
        BadIntent{"less noise than planned",
                  [](Intent& i) { i.parameters.share_variance -= i.parameters.share_variance / 1000; }},
        BadIntent{"noise too coarse", [](Intent& i) { i.parameters.share_variance = 63; }},
        BadIntent{"noise beyond the sampler", [](Intent& i) { i.parameters.share_variance = UINT64_MAX; }},
        BadIntent{"an unplanned sampling rate", [](Intent& i) { i.sampling_rate = 0.5; }},
        BadIntent{"sampling rate 0", [](Intent& i) { i.sampling_rate = 0; }},
        BadIntent{"sampling rate above 1", [](Intent& i) { i.sampling_rate = 2; }},
        BadIntent{"an unplanned population", [](Intent& i) { i.population = Population::test; }},
        BadIntent{"nobody", [](Intent& i) { i.invited.clear(); }},
        BadIntent{"an unknown merchant", [](Intent& i) { i.invited.back() = 4; }},
        BadIntent{"an unknown model", [](Intent& i) { i.model[0] ^= std::byte{1}; }},
        BadIntent{"a time before the last", [](Intent& i) { i.unix_time -= 100; }},
        BadIntent{"no name", [](Intent& i) { i.name.clear(); }},
        BadIntent{"an endless name", [](Intent& i) { i.name.assign(1000, 'x'); }}));

TEST(LedgerState, AllowsMoreNoiseAndMoreMerchantsThanPlanned) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(1);
  intent.parameters = LedgerFixture::noise(4, 4);

  EXPECT_EQ(fixture.refusal(intent), "");
}

TEST(LedgerState, StartsAgainFromAnEarlierModelAfterACrash) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add(fixture.intent(1));
  const Digest before = *fixture.state.model();
  fixture.add(fixture.release());
  Intent again = fixture.intent(1);
  again.model = before;

  EXPECT_EQ(fixture.add(again), "");
  EXPECT_EQ(fixture.state.intents(), 2u) << "and it costs twice";
}

// --- releases ---

TEST(LedgerState, RefusesReleasesOfTooFewOrUninvitedMerchants) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(1);
  intent.parameters = LedgerFixture::noise(4, 3);
  intent.invited = {0, 1, 2};
  ASSERT_EQ(fixture.add(intent), "");
  Release few = fixture.release();
  few.merchants = {0, 1};
  Release uninvited = fixture.release();
  uninvited.merchants = {0, 1, 3};

  expect_mentions(fixture.refusal(few), "2 merchants where the intent needs 3");
  expect_mentions(fixture.refusal(uninvited), "not invited");
}

TEST(LedgerState, RefusesAnAbortThatOpensSomething) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add(fixture.intent(1));
  Release opened = fixture.abort("lost");
  opened.opened = sha256({});
  Release moved = fixture.abort("lost");
  moved.model = sha256({});
  Release silent = fixture.abort("");

  EXPECT_NE(fixture.refusal(opened), "");
  EXPECT_NE(fixture.refusal(moved), "");
  EXPECT_NE(fixture.refusal(silent), "");
  EXPECT_EQ(fixture.refusal(fixture.abort("lost")), "");
}

// --- epsilon ---

TEST(LedgerState, SpendsWhatTheAccountantSays) {
  LedgerFixture fixture;
  fixture.plan.epsilon.reset();
  fixture.plan.releases[1].count = 100;
  fixture.run(20);
  RdpAccountant accountant;
  accountant.compose(
      {.noise = NoiseLaw::discrete_gaussian, .noise_multiplier = 2, .sampling_rate = 1, .count = 22});

  EXPECT_DOUBLE_EQ(fixture.state.epsilon_spent(), accountant.epsilon(1e-6).epsilon);
}

TEST(LedgerState, SpendsWhatTheReferencesSay) {
  LedgerFixture fixture;
  fixture.plan.epsilon.reset();
  fixture.plan.releases = {{Purpose::update, Population::train, 100, 5, 1}};
  fixture.add(fixture.plan);
  for (std::uint64_t round = 1; round <= 100; ++round) {
    Intent intent = fixture.intent(round);
    intent.parameters = LedgerFixture::noise(5);
    ASSERT_EQ(fixture.add(intent), "");
    fixture.add(fixture.release());
  }

  // dp_accounting, Gaussian, z = 5, 100 releases, delta 1e-6: row G04 of the accounting oracles.
  EXPECT_NEAR(fixture.state.epsilon_spent(), 11.6886267992, 1e-6);
}

TEST(LedgerState, AddsTrainAndTestUpForCustomersAndTakesTheLargerForRecords) {
  LedgerFixture customers;
  LedgerFixture records;
  records.plan.unit = Unit::record;
  customers.run(4);
  records.run(4);

  const std::vector<SpentRow> one = customers.state.spent();
  const std::vector<SpentRow> two = records.state.spent();

  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].population, "all");
  EXPECT_EQ(one[0].releases, 6u);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].population, "test");
  EXPECT_EQ(two[0].releases, 1u);
  EXPECT_EQ(two[1].population, "train");
  EXPECT_EQ(two[1].releases, 5u);
  EXPECT_EQ(records.state.epsilon_spent(), two[1].epsilon);
  EXPECT_LT(records.state.epsilon_spent(), customers.state.epsilon_spent());
}

TEST(LedgerState, CountsAbortedRoundsAsSpent) {
  LedgerFixture aborted;
  LedgerFixture released;
  aborted.add(aborted.plan);
  released.add(released.plan);

  aborted.add(aborted.intent(1));
  const double open = aborted.state.epsilon_spent();
  aborted.add(aborted.abort("lost"));
  released.add(released.intent(1));
  released.add(released.release());

  EXPECT_GT(open, 0);
  EXPECT_EQ(aborted.state.epsilon_spent(), open);
  EXPECT_EQ(aborted.state.epsilon_spent(), released.state.epsilon_spent());
}

TEST(LedgerState, DoesNotCountTheNoiseOfThoseWhoMayCollude) {
  LedgerFixture fixture;
  fixture.plan.collusion = 2;
  fixture.plan.releases[1].noise_multiplier = 1;
  fixture.add(fixture.plan);
  const Intent intent = fixture.intent(1);

  const DpEvent event = event_of(intent, 2);

  EXPECT_DOUBLE_EQ(event.noise_multiplier, std::sqrt(2.0)) << "half of four shares of z = 2";
  EXPECT_EQ(fixture.refusal(intent), "");
}

/// What reads an event takes multiplier times steps for the noise, in steps: here 4 shares of variance 400.
TEST(LedgerState, CountsTheSameNoiseWhateverTheCoefficient) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(1);
  intent.parameters.share_variance = 400;
  intent.parameters.shares_min = 4;

  for (const double coefficient : {1.0, 256.0, std::sqrt(20.0)}) {
    const DpEvent event = event_of(intent, 0, coefficient);

    EXPECT_DOUBLE_EQ(event.noise_multiplier * event.sensitivity_steps, 40) << coefficient;
    EXPECT_DOUBLE_EQ(event.sensitivity_steps,
                     coefficient * static_cast<double>(intent.parameters.sensitivity()));
  }
}

TEST(LedgerState, ForeseesWhatAnIntentWillCost) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  const Intent intent = fixture.intent(1);

  const double foreseen = fixture.state.epsilon_if(intent);
  const auto allowed = fixture.state.would_allow(intent);
  fixture.add(intent);

  EXPECT_EQ(foreseen, fixture.state.epsilon_spent());
  ASSERT_TRUE(allowed.ok());
  EXPECT_EQ(*allowed, foreseen);
}

TEST(LedgerState, RefusesTheRoundThatWouldOverspend) {
  LedgerFixture fixture;
  fixture.plan.epsilon = 4;
  fixture.add(fixture.plan);

  std::uint64_t round = 1;
  while (fixture.state.would_allow(fixture.intent(round)).ok()) {
    ASSERT_EQ(fixture.add(fixture.intent(round++)), "");
    fixture.add(fixture.release());
  }

  EXPECT_GT(round, 2u);
  EXPECT_LE(fixture.state.epsilon_spent(), 4);
  EXPECT_GT(fixture.state.epsilon_if(fixture.intent(round)), 4);
  expect_mentions(fixture.refusal(fixture.intent(round)), "above the plan's budget of 4");
}

TEST(LedgerState, CountsAtTheOrderThatThePlanFixedOnceThereAreMoreSumsThanItAnnounced) {
  // The plan announces a few sums; many follow, for which a lower order would be better.
  LedgerFixture fixture;
  fixture.plan.epsilon.reset();
  fixture.add(fixture.plan);
  RdpAccountant planned;
  for (const PlannedRelease& release : fixture.plan.releases) {
    planned.compose({.noise_multiplier = release.noise_multiplier, .count = release.count});
  }
  const double order = planned.epsilon(fixture.plan.delta).order;
  RdpAccountant spent;
  const auto add_round = [&](std::uint64_t round) {
    const Intent intent = fixture.intent(round);
    spent.compose(event_of(intent, fixture.plan.collusion));
    ASSERT_EQ(fixture.add(intent), "");
    fixture.add(fixture.release());
  };

  std::uint64_t round = 0;
  while (fixture.state.beyond_plan() == 0 && round < 100) {
    EXPECT_EQ(fixture.state.epsilon_spent(), round == 0 ? 0 : spent.epsilon(fixture.plan.delta).epsilon);
    add_round(++round);
  }
  for (int more = 0; more < 100; ++more) {
    const double foreseen = fixture.state.epsilon_if(fixture.intent(round + 1));
    add_round(++round);
    EXPECT_EQ(foreseen, fixture.state.epsilon_spent());
  }

  EXPECT_EQ(fixture.state.epsilon_spent(), spent.epsilon_at(order, fixture.plan.delta));
  EXPECT_GT(fixture.state.epsilon_spent(), spent.epsilon(fixture.plan.delta).epsilon)
      << "the best in hindsight";
}

TEST(LedgerState, RefusesAClaimOfAnythingElse) {
  LedgerFixture fixture;
  fixture.run(3);
  LedgerFixture open;
  open.add(open.plan);
  open.add(open.intent(1));
  open.add(open.release());
  const Claim honest = open.state.claim_for({});
  Claim less = honest;
  less.rows[0].epsilon *= 1 - 1e-5;
  Claim fewer = honest;
  fewer.rows[0].releases = 0;
  Claim finer = honest;
  finer.rows[0].delta = 1e-5;
  Claim none = honest;
  none.rows.clear();
  Claim other = honest;
  other.model[0] ^= std::byte{1};
  Claim close = honest;
  close.rows[0].epsilon *= 1 + 1e-9;

  EXPECT_EQ(open.refusal(honest), "");
  EXPECT_EQ(open.refusal(close), "");
  EXPECT_EQ(open.refusal(open.state.claim_for({}, sha256(bytes_of("initial")))), "") << "known, not the last";
  for (const Claim& claim : {less, fewer, finer, none, other}) {
    EXPECT_NE(open.refusal(claim), "");
  }
}

// --- without noise ---

TEST(LedgerState, NamesPlannedSumsWithoutNoise) {
  LedgerFixture fixture;
  fixture.plan.releases[2].noise_multiplier = 0;
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(1, Purpose::evaluation, Population::test);
  intent.parameters.share_variance = 0;

  ASSERT_EQ(fixture.add(intent), "");

  EXPECT_EQ(fixture.state.without_noise(), (std::map<std::string, std::uint64_t>{{"scores", 1}}));
  ASSERT_EQ(fixture.state.spent().size(), 1u);
  EXPECT_EQ(fixture.state.spent()[0].without_noise, 1u);
}

TEST(LedgerState, PromisesNothingWithoutAUnit) {
  LedgerFixture fixture;
  fixture.plan.unit = Unit::none;
  fixture.plan.delta = 0;
  fixture.plan.epsilon.reset();
  fixture.plan.releases.clear();
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(1);
  intent.parameters.share_variance = 0;
  ASSERT_EQ(fixture.add(intent), "");
  fixture.add(fixture.release());

  EXPECT_EQ(fixture.add(fixture.state.claim_for({})), "");

  EXPECT_TRUE(fixture.state.claim()->rows.empty());
  EXPECT_TRUE(std::isinf(fixture.state.epsilon_if(intent)));
}

// --- a merchant's own policy ---

TEST(LedgerState, RefusesWhatAMerchantsOwnPolicyForbids) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  const Intent intent = fixture.intent(1);
  const double cost = fixture.state.epsilon_if(intent);
  Configuration::Policy enough;
  enough.max_epsilon = cost;
  Configuration::Policy tight;
  tight.max_epsilon = cost * 0.999;
  Configuration::Policy finer = enough;
  finer.delta = 1e-9;
  Configuration::Policy crowd;
  crowd.min_merchants = 4;
  Configuration::Policy choosy;
  choosy.workloads = {"moments", "markov"};

  EXPECT_TRUE(fixture.state.would_allow(intent, enough).ok());
  expect_mentions(fixture.state.would_allow(intent, tight).what(), "policy.max_epsilon");
  expect_mentions(fixture.state.would_allow(intent, finer).what(), "at delta 1e-09");
  expect_mentions(fixture.state.would_allow(intent, crowd).what(), "policy.min_merchants");
  expect_mentions(fixture.state.would_allow(intent, choosy).what(), "moments, markov");
}

TEST(LedgerState, RefusesSumsWithoutNoiseWhenAPolicyLimitsEpsilon) {
  LedgerFixture fixture;
  fixture.plan.releases[1].noise_multiplier = 0;
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(1);
  intent.parameters.share_variance = 0;
  Configuration::Policy policy;
  policy.max_epsilon = 1000;

  EXPECT_TRUE(fixture.state.would_allow(intent).ok());
  expect_mentions(fixture.state.would_allow(intent, policy).what(), "without noise");
}

// --- speed ---

TEST(LedgerState, VerifiesAThousandRoundsWithEveryBudget) {
  LedgerFixture fixture;
  fixture.plan.epsilon = 1000;
  fixture.plan.releases[1].count = 1000;
  fixture.run(1000);
  ASSERT_EQ(fixture.lines.size(), 3010u);

  EXPECT_EQ(accepted(fixture.lines), 3010u);
}

}  // namespace
}  // namespace hanse
