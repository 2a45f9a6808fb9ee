#include <cmath>
#include <filesystem>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "privacy/ledger/ledger_copy.h"
#include "privacy/ledger/ledger_writer.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/ledger_fixture.h"

namespace hanse {
namespace {

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

std::filesystem::path copy_of(const TemporaryFolder& run, const std::string& merchant) {
  return run.path() / "merchants" / merchant_folder(merchant) / "ledger.jsonl";
}

/// A ledger of one round and an announced second, as a crash would leave it.
void write_crashed(const TemporaryFolder& run, const LedgerFixture& fixture) {
  LedgerWriter writer =
      LedgerWriter::create(run.path() / "ledger.jsonl", LedgerFixture::key(std::byte{7}), fixture.plan);
  LedgerFixture next;
  next.add(next.plan);
  LedgerFixture::write_head(writer);
  writer.write(next.intent(1));
  LedgerFixture::write_head(writer);
  writer.write(next.release());
  Intent second = next.intent(2);
  second.model = *writer.state().model();
  writer.write(second);
}

// --- the coordinator's ---

TEST(LedgerWriter, PutsEachLineOnDiskBeforeItReturns) {
  const TemporaryFolder run;
  const LedgerFixture fixture;
  const auto file = run.path() / "deep" / "ledger.jsonl";

  LedgerWriter writer = LedgerWriter::create(file, LedgerFixture::key(std::byte{7}), fixture.plan);
  const std::string plan = writer.last_line();
  const std::string on_disk = read_file(file);
  LedgerFixture::write_head(writer);
  const std::string intent = writer.write(fixture.intent(1));

  EXPECT_EQ(on_disk, plan + "\n");
  EXPECT_EQ(read_file(file), plan + "\n" + writer.lines_from(1).front() + "\n" + intent + "\n");
  EXPECT_EQ(writer.state().intents(), 1u);
}

TEST(LedgerWriter, GivesBackItsLinesFromAnyNumberOn) {
  const TemporaryFolder run;
  const LedgerFixture fixture;
  write_crashed(run, fixture);
  const auto file = run.path() / "ledger.jsonl";

  const LedgerWriter writer = LedgerWriter::resume(file, LedgerFixture::key(std::byte{7}));

  for (std::uint64_t begin = 0; begin <= 6; ++begin) {
    const std::vector<std::string> lines = writer.lines_from(begin);
    ASSERT_EQ(lines.size(), 6 - begin);
    ASSERT_TRUE(read_file(file).ends_with(LedgerFixture::text(lines)));
  }
  EXPECT_TRUE(writer.lines_from(7).empty());
  EXPECT_EQ(writer.lines_from(5).front(), writer.last_line());
  std::filesystem::resize_file(file, 100);
  EXPECT_THROW(writer.lines_from(2), Failure);
}

TEST(LedgerWriter, DoesNotWriteOverALedger) {
  const TemporaryFolder run;
  const LedgerFixture fixture;
  run.write("ledger.jsonl", "something\n");

  const std::string why = refusal([&] {
    LedgerWriter::create(run.path() / "ledger.jsonl", LedgerFixture::key(std::byte{7}), fixture.plan);
  });

  EXPECT_NE(why.find("choose another output.dir"), std::string::npos) << why;
}

TEST(LedgerWriter, ContinuesAfterACrashWithTheOpenRoundSpent) {
  const TemporaryFolder run;
  write_crashed(run, LedgerFixture());

  LedgerWriter writer = LedgerWriter::resume(run.path() / "ledger.jsonl", LedgerFixture::key(std::byte{7}));
  const double spent = writer.state().epsilon_spent();
  writer.abort_open("the coordinator was started again");
  writer.abort_open("nothing is open now");
  writer.write(writer.state().claim_for({}));

  EXPECT_FALSE(writer.repaired().has_value());
  EXPECT_EQ(writer.state().aborted(), 1u);
  EXPECT_EQ(writer.state().epsilon_spent(), spent);
  EXPECT_EQ(writer.state().next_seq(), 8u);
}

TEST(LedgerWriter, CutsOffATornLastLineWhereverItWasTorn) {
  const TemporaryFolder run;
  write_crashed(run, LedgerFixture());
  const auto file = run.path() / "ledger.jsonl";
  const std::string whole = read_file(file);
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;

  for (const std::size_t size : {last + 1, last + 100, whole.size() - 1}) {
    run.write("ledger.jsonl", whole.substr(0, size));
    LedgerWriter writer = LedgerWriter::resume(file, LedgerFixture::key(std::byte{7}));

    EXPECT_TRUE(writer.repaired().has_value());
    EXPECT_EQ(read_file(file), whole.substr(0, last));
    EXPECT_EQ(writer.state().next_seq(), 5u);
    EXPECT_FALSE(writer.state().open_intent().has_value());
  }
}

TEST(LedgerWriter, RefusesToContinueAnAlteredLedgerOrAnotherCoordinators) {
  const TemporaryFolder run;
  write_crashed(run, LedgerFixture());
  const auto file = run.path() / "ledger.jsonl";
  const std::string whole = read_file(file);

  const std::string foreign = refusal([&] { LedgerWriter::resume(file, LedgerFixture::key(std::byte{8})); });
  std::string altered = whole;
  altered[whole.size() / 2] = 'Z';
  run.write("ledger.jsonl", altered);
  const std::string broken = refusal([&] { LedgerWriter::resume(file, LedgerFixture::key(std::byte{7})); });
  run.write("ledger.jsonl", "");
  const std::string empty = refusal([&] { LedgerWriter::resume(file, LedgerFixture::key(std::byte{7})); });

  EXPECT_NE(foreign.find("another coordinator"), std::string::npos) << foreign;
  EXPECT_NE(broken.find("does not hold"), std::string::npos) << broken;
  EXPECT_NE(empty.find("no complete record"), std::string::npos) << empty;
  EXPECT_NE(refusal([&] { LedgerWriter::resume(run.path() / "none", LedgerFixture::key(std::byte{7})); }),
            "");
}

TEST(LedgerWriter, NeverWritesWhatTheVerifierRefuses) {
  const TemporaryFolder run;
  LedgerFixture fixture;
  fixture.plan.epsilon = 0.5;
  LedgerWriter writer =
      LedgerWriter::create(run.path() / "ledger.jsonl", LedgerFixture::key(std::byte{7}), fixture.plan);

  LedgerFixture::write_head(writer);
  const std::string before = read_file(run.path() / "ledger.jsonl");

  const std::string why = refusal([&] { writer.write(fixture.intent(1)); });

  EXPECT_NE(why.find("budget"), std::string::npos) << why;
  EXPECT_EQ(read_file(run.path() / "ledger.jsonl"), before);
}

TEST(LedgerWriter, KeepsItsTimeWhenTheClockIsSetBack) {
  const TemporaryFolder run;
  const LedgerFixture fixture;
  LedgerWriter writer =
      LedgerWriter::create(run.path() / "ledger.jsonl", LedgerFixture::key(std::byte{7}), fixture.plan);
  LedgerFixture::write_head(writer);
  Intent intent = fixture.intent(1);
  intent.unix_time = 5;

  writer.write(intent);

  EXPECT_EQ(writer.state().open_intent()->unix_time, fixture.plan.unix_time);
}

TEST(LedgerWriter, NamesEachRunAnew) {
  DeterministicSecureRandom random(1);

  const std::string first = fresh_run_id(random);

  EXPECT_EQ(first.size(), 32u);
  EXPECT_NE(first, fresh_run_id(random));
}

// --- the merchants' ---

TEST(LedgerCopy, IsOneFileWithANameForEachMerchant) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  LedgerCopy copy(run.path(), fixture.plan.merchants, {});

  for (const std::string& line : fixture.lines) {
    ASSERT_TRUE(copy.accept(line).ok());
  }

  for (const LedgerMerchant& merchant : fixture.plan.merchants) {
    EXPECT_EQ(read_file(copy_of(run, merchant.name)), LedgerFixture::text(fixture.lines));
  }
  EXPECT_EQ(std::filesystem::hard_link_count(copy_of(run, "bergen")), 4u);
}

TEST(LedgerCopy, TakesALineTwiceButNeverAnotherOneInItsPlace) {
  const TemporaryFolder run;
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  const std::string fork = fixture.line(fixture.intent(7));
  fixture.add_alone(fixture.intent(1));
  LedgerCopy copy(run.path(), fixture.plan.merchants, {});
  for (const std::string& line : fixture.lines) {
    ASSERT_TRUE(copy.accept(line).ok());
  }

  const auto again = copy.accept(fixture.lines[2]);
  const auto forked = copy.accept(fork);

  EXPECT_TRUE(again.ok());
  ASSERT_FALSE(forked.ok());
  EXPECT_NE(forked.what().find("forks"), std::string::npos) << forked.what();
  EXPECT_EQ(read_file(copy_of(run, "bergen")), LedgerFixture::text(fixture.lines));
}

Configuration::Policy at_most(double epsilon) {
  Configuration::Policy policy;
  policy.max_epsilon = epsilon;
  return policy;
}

TEST(LedgerCopy, KeepsTheRoundItsOwnPolicyForbidsAndSaysThatItDoesNotPermitIt) {
  const TemporaryFolder run;
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  fixture.add_alone(fixture.intent(1));
  LedgerCopy copy(run.path(), fixture.plan.merchants, at_most(0.1));
  ASSERT_TRUE(copy.accept(fixture.lines[0]).ok());
  ASSERT_TRUE(copy.accept(fixture.lines[1]).ok());

  const auto taken = copy.accept(fixture.lines[2]);

  ASSERT_TRUE(taken.ok()) << taken.what();
  ASSERT_TRUE(copy.refusal());
  EXPECT_NE(copy.refusal()->what.find("policy.max_epsilon"), std::string::npos) << copy.refusal()->what;
  EXPECT_EQ(read_file(copy_of(run, "bergen")), LedgerFixture::text(fixture.lines));
  const LedgerCopy reopened(run.path(), fixture.plan.merchants, at_most(0.1));
  EXPECT_TRUE(reopened.refusal()) << "after a restart it is still not permitted";
}

/// What the coordinator's plan does not allow is no part of its ledger.
TEST(LedgerCopy, KeepsNoRoundThatThePlanForbids) {
  const TemporaryFolder run;
  LedgerFixture fixture;
  fixture.plan.epsilon = 0.1;
  fixture.add(fixture.plan);
  LedgerCopy copy(run.path(), fixture.plan.merchants, {});
  ASSERT_TRUE(copy.accept(fixture.lines[0]).ok());
  ASSERT_TRUE(copy.accept(fixture.lines[1]).ok());

  EXPECT_FALSE(copy.accept(fixture.line(fixture.intent(1))).ok());

  EXPECT_EQ(read_file(copy_of(run, "bergen")), LedgerFixture::text(fixture.lines));
}

/// A ledger of one expensive sum, which only the first three permit, and two cheap ones.
LedgerFixture with_an_expensive_round() {
  LedgerFixture fixture;
  fixture.plan.epsilon = 100;
  fixture.plan.releases[1].noise_multiplier = 0.5;
  fixture.add(fixture.plan);
  Intent expensive = fixture.intent(1);
  expensive.parameters = LedgerFixture::noise(0.5);
  expensive.parameters.shares_min = 3;
  expensive.parameters.share_variance = expensive.parameters.share_variance * 4 / 3;
  fixture.add_alone(expensive);
  fixture.add_alone(fixture.head({0, 1, 2}));
  Release release = fixture.release();
  release.merchants = {0, 1, 2};
  fixture.add_alone(release);
  for (const std::uint64_t round : {2u, 3u}) {
    fixture.add(fixture.intent(round));
    fixture.add(fixture.release());
  }
  return fixture;
}

/// How many rounds of the ledger the merchants at `ids` permit under a policy.
std::vector<std::uint64_t> permitted_rounds(const LedgerFixture& fixture, std::vector<std::size_t> ids,
                                            double max_epsilon) {
  const TemporaryFolder run;
  std::vector<LedgerMerchant> hosted;
  for (const std::size_t id : ids) {
    hosted.push_back(fixture.plan.merchants[id]);
  }
  LedgerCopy copy(run.path(), hosted, at_most(max_epsilon));
  std::vector<std::uint64_t> rounds;
  for (const std::string& line : fixture.lines) {
    const auto record = copy.accept(line);
    EXPECT_TRUE(record.ok()) << record.what();
    if (record.ok() && std::holds_alternative<Intent>(record->payload) && !copy.refusal()) {
      rounds.push_back(copy.state().open_intent()->round);
    }
  }
  return rounds;
}

TEST(LedgerCopy, PermitsLaterRoundsAfterOneThatItDidNotPermit) {
  const LedgerFixture fixture = with_an_expensive_round();
  ASSERT_EQ(fixture.lines.size(), 11u);
  RdpAccountant two;
  two.compose({.noise_multiplier = 2, .count = 2});
  const double enough = two.epsilon(1e-6).epsilon * 1.001;

  EXPECT_EQ(permitted_rounds(fixture, {3}, enough), (std::vector<std::uint64_t>{2, 3}))
      << "what it did not sign costs it nothing";
  EXPECT_EQ(permitted_rounds(fixture, {3}, enough * 0.99), (std::vector<std::uint64_t>{2}));
}

TEST(LedgerCopy, CountsTheRoundsThatAnyOfItsMerchantsPermitted) {
  const LedgerFixture fixture = with_an_expensive_round();
  RdpAccountant all;
  all.compose({.noise_multiplier = 0.5, .count = 1});
  const double only_the_first = all.epsilon(1e-6).epsilon * 1.001;

  EXPECT_EQ(permitted_rounds(fixture, {0}, only_the_first), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(permitted_rounds(fixture, {3, 2}, only_the_first), (std::vector<std::uint64_t>{1}));
}

/// Coefficients 4, 2, 1. Row 0 is not permitted by lübeck, for whom the units of turn 1 spend most: 16 of 21 in row 1 and 20 with
/// row 2. They do not count as the 4 that row 1 costs the units of turn 0.
TEST(LedgerCopy, CountsTheTurnThatSpentMostInTheRowsThatItsMerchantsPermitted) {
  LedgerFixture fixture;
  fixture.take_turns();
  fixture.plan.epsilon = 100;
  fixture.add(fixture.plan);
  for (const std::uint64_t round : {1u, 2u, 3u}) {
    const std::vector<std::uint32_t> signers =
        round == 1 ? std::vector<std::uint32_t>{0, 1, 2} : std::vector<std::uint32_t>{0, 1, 2, 3};
    Intent intent = fixture.intent(round);
    intent.parameters.shares_min = 3;
    intent.parameters.share_variance = intent.parameters.share_variance * 4 / 3;
    ASSERT_EQ(fixture.add_alone(intent), "");
    ASSERT_EQ(fixture.add_alone(fixture.head(signers)), "");
    Release release = fixture.release();
    release.merchants = signers;
    ASSERT_EQ(fixture.add_alone(release), "");
  }
  const auto budget = [](double turns) {
    RdpAccountant spent;
    spent.compose({.noise_multiplier = 2 / std::sqrt(turns)});
    return spent.epsilon(1e-6).epsilon * 1.001;
  };

  using Rounds = std::vector<std::uint64_t>;
  EXPECT_EQ(permitted_rounds(fixture, {3}, budget(15.0 / 21)), Rounds{});
  EXPECT_EQ(permitted_rounds(fixture, {3}, budget(16.0 / 21)), (Rounds{1, 2}));
  EXPECT_EQ(permitted_rounds(fixture, {3}, budget(20.0 / 21)), (Rounds{1, 2, 3}));
  EXPECT_EQ(permitted_rounds(fixture, {0}, budget(20.0 / 21)), (Rounds{1, 2}));
  EXPECT_EQ(permitted_rounds(fixture, {0}, budget(1)), (Rounds{1, 2, 3}));
}

TEST(LedgerCopy, RefusesAPlanThatDoesNotListItsMerchantsOrTheirWorkload) {
  const TemporaryFolder run;
  const LedgerFixture fixture;
  const std::string plan = fixture.line(fixture.plan);
  Configuration::Policy choosy;
  choosy.workloads = {"moments"};

  LedgerCopy stranger(run.path() / "1", {{"visby", fixture.plan.merchants[0].key}}, {});
  LedgerCopy impostor(run.path() / "2", {{"bergen", fixture.plan.merchants[0].key}}, {});
  LedgerCopy unwilling(run.path() / "3", fixture.plan.merchants, choosy);

  EXPECT_NE(stranger.accept(plan).what().find("does not list"), std::string::npos);
  EXPECT_NE(impostor.accept(plan).what().find("not its own"), std::string::npos);
  EXPECT_NE(unwilling.accept(plan).what().find("policy.workloads"), std::string::npos);
}

TEST(LedgerCopy, ContinuesWithOtherWorkersHostingTheMerchants) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  const auto& all = fixture.plan.merchants;
  {
    LedgerCopy copy(run.path(), all, {});
    for (std::size_t i = 0; i < 5; ++i) {
      ASSERT_TRUE(copy.accept(fixture.lines[i]).ok());
    }
  }

  LedgerCopy first(run.path(), {all[0], all[1]}, {});
  LedgerCopy second(run.path(), {all[2], all[3]}, {});
  for (const std::string& line : fixture.lines) {
    ASSERT_TRUE(first.accept(line).ok());
    ASSERT_TRUE(second.accept(line).ok());
  }

  for (const LedgerMerchant& merchant : all) {
    EXPECT_EQ(read_file(copy_of(run, merchant.name)), LedgerFixture::text(fixture.lines)) << merchant.name;
  }
}

TEST(LedgerCopy, CutsOffATornLineAndTakesItAgain) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  const std::string content = LedgerFixture::text(fixture.lines);
  run.write(std::filesystem::path("merchants") / "bergen" / "ledger.jsonl",
            content.substr(0, content.size() - 9));

  LedgerCopy copy(run.path(), {fixture.plan.merchants[1]}, {});
  const std::uint64_t held = copy.state().next_seq();
  const bool taken = copy.accept(fixture.lines.back()).ok();

  EXPECT_EQ(held, fixture.lines.size() - 1);
  EXPECT_TRUE(taken);
  EXPECT_EQ(read_file(copy_of(run, "bergen")), content);
}

TEST(LedgerCopy, RefusesToStartFromCopiesThatContradictEachOther) {
  const TemporaryFolder run;
  LedgerFixture one;
  LedgerFixture other;
  one.add(one.plan);
  other.plan.federation = "another";
  other.add(other.plan);
  run.write(std::filesystem::path("merchants") / "bergen" / "ledger.jsonl", LedgerFixture::text(one.lines));
  run.write(std::filesystem::path("merchants") / "bruges" / "ledger.jsonl", LedgerFixture::text(other.lines));

  const std::string why = refusal([&] {
    LedgerCopy(run.path(), {one.plan.merchants[1], one.plan.merchants[2]}, {});
  });

  EXPECT_NE(why.find("contradict"), std::string::npos) << why;
}

/// A run on the same people that ended, with a copy at each merchant; gives its last hash.
Digest earlier_run(const TemporaryFolder& folder, const LedgerFixture& fixture) {
  for (const LedgerMerchant& merchant : fixture.plan.merchants) {
    folder.write(std::filesystem::path("may/merchants") / merchant_folder(merchant.name) / "ledger.jsonl",
                 LedgerFixture::text(fixture.lines));
  }
  return fixture.state.tip();
}

TEST(LedgerCopy, RefusesAPlanThatForgetsAnEarlierRun) {
  const TemporaryFolder folder;
  const LedgerFixture may = LedgerFixture::of_run(3);
  const Digest tip = earlier_run(folder, may);
  LedgerFixture june;
  june.plan.run_id = "ff112233445566778899aabbccddeeff";
  Plan linked = june.plan;
  linked.previous = may.plan.run_id;
  Plan to_another = linked;
  to_another.previous = "00000000000000000000000000000000";
  Plan of_merchants = linked;
  of_merchants.unit = Unit::merchant;
  const auto refusal_of = [&](const Plan& plan, const Digest& prev, const std::vector<std::string>& earlier) {
    static int folders = 0;
    LedgerCopy copy(folder.path() / std::to_string(++folders), june.plan.merchants, {}, std::nullopt,
                    earlier);
    const auto taken = copy.accept(LedgerFixture::line(plan, 0, prev, june.signer()));
    return taken ? "" : taken.what();
  };
  const std::vector<std::string> known{(folder.path() / "may").string()};

  EXPECT_EQ(refusal_of(linked, tip, known), "");
  EXPECT_NE(refusal_of(june.plan, genesis_digest(), known).find("does not continue the ledger"),
            std::string::npos);
  EXPECT_NE(refusal_of(linked, sha256(bytes_of("a shorter ledger")), known).find("does not continue"),
            std::string::npos);
  EXPECT_NE(refusal_of(to_another, tip, known).find("does not continue"), std::string::npos);
  EXPECT_NE(refusal_of(of_merchants, tip, known).find("another unit"), std::string::npos);
  EXPECT_NE(refusal_of(linked, tip, {}).find("privacy.previous_ledgers says nothing"), std::string::npos);
  EXPECT_EQ(refusal_of(linked, tip, {(folder.path() / "april").string()}), "")
      << "a newcomer has nothing to compare";
}

TEST(LedgerCopy, IsNotReopenedWithoutTheEarlierRunsThatItsPlanContinues) {
  const TemporaryFolder folder;
  const LedgerFixture may = LedgerFixture::of_run(3);
  const Digest tip = earlier_run(folder, may);
  LedgerFixture june;
  june.plan.run_id = "ff112233445566778899aabbccddeeff";
  june.plan.previous = may.plan.run_id;
  const auto open = [&](const std::vector<std::string>& earlier) {
    return LedgerCopy(folder.path() / "june", june.plan.merchants, {}, std::nullopt, earlier);
  };
  const std::vector<std::string> known{(folder.path() / "may").string()};
  ASSERT_TRUE(open(known).accept(LedgerFixture::line(june.plan, 0, tip, june.signer())));

  EXPECT_EQ(refusal([&] { open(known); }), "");
  EXPECT_NE(refusal([&] { open({}); }).find("privacy.previous_ledgers says nothing here"), std::string::npos);
}

TEST(LedgerCopy, ForgetsNoEarlierRunForAMerchantThatMissedTheLatest) {
  const TemporaryFolder folder;
  const LedgerFixture may = LedgerFixture::of_run(3);
  (void)earlier_run(folder, may);

  const std::string why = refusal([&] {
    LedgerCopy(folder.path() / "july", may.plan.merchants, {}, std::nullopt,
               {(folder.path() / "june").string(), (folder.path() / "may").string()});
  });

  EXPECT_NE(why.find("took part in an earlier run on the same people, but not in the latest"),
            std::string::npos)
      << why;
}

TEST(LedgerCopy, CountsEarlierRunsAgainstItsPolicy) {
  const TemporaryFolder folder;
  const LedgerFixture may = LedgerFixture::of_run(3);
  const Digest tip = earlier_run(folder, may);
  LedgerFixture june;
  june.plan.run_id = "ff112233445566778899aabbccddeeff";
  june.plan.previous = may.plan.run_id;
  june.add_first(june.plan, tip);
  june.add_alone(june.intent(1));
  RdpAccountant all;
  all.compose({.noise_multiplier = 2, .count = may.state.intents() + 1});
  const double together = all.epsilon(1e-6).epsilon;
  const auto takes = [&](double max_epsilon, const char* name) {
    Configuration::Policy policy;
    policy.max_epsilon = max_epsilon;
    LedgerCopy copy(folder.path() / name, june.plan.merchants, policy, std::nullopt,
                    {(folder.path() / "may").string()});
    return copy.accept(june.lines[0]).ok() && copy.accept(june.lines[1]).ok() &&
           copy.accept(june.lines[2]).ok() && !copy.refusal();
  };

  EXPECT_TRUE(takes(together, "enough"));
  EXPECT_FALSE(takes(together * 0.999, "less"));
  EXPECT_LT(june.state.epsilon_spent(), 0.6 * together) << "alone it would be far below";
}

TEST(LedgerCopy, GivesEveryMerchantAFolderOfItsOwn) {
  const std::string endless(1000, 'x');

  EXPECT_EQ(merchant_folder("Bergen-2_b.v1"), "Bergen-2_b.v1");
  EXPECT_EQ(merchant_folder("a/b"), "a%2Fb");
  EXPECT_EQ(merchant_folder(".."), "%2E.");
  EXPECT_EQ(merchant_folder("%"), "%25");
  EXPECT_NE(merchant_folder(endless), merchant_folder(endless + "y"));
  EXPECT_LT(merchant_folder(endless).size(), 255u);
}

}  // namespace
}  // namespace hanse
