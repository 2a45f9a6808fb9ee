#include "privacy/ledger/audit.h"

#include <sys/wait.h>

#include <cmath>
#include <cstdlib>

#include "common/base/failure.h"
#include "privacy/ledger/ledger_copy.h"
#include "tests/support/ledger_fixture.h"

namespace hanse {
namespace {

/// A run directory with the ledger, a copy of it for each merchant, and the model of the claim.
void write_run(const TemporaryFolder& run, const LedgerFixture& fixture) {
  const std::string content = LedgerFixture::text(fixture.lines);
  run.write("ledger.jsonl", content);
  for (const LedgerMerchant& merchant : fixture.plan.merchants) {
    run.write(std::filesystem::path("merchants") / merchant_folder(merchant.name) / "ledger.jsonl", content);
  }
  run.write("model/model.json", "{\"sha256\":\"" + hex(sha256(bytes_of("published"))) + "\"}");
}

void write_copy(const TemporaryFolder& run, const char* merchant, const std::string& content) {
  run.write(std::filesystem::path("merchants") / merchant / "ledger.jsonl", content);
}

std::string all(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) {
    text += sentence + "\n";
  }
  return text;
}

void expect_mentions(const std::vector<std::string>& sentences, const std::string& part) {
  EXPECT_NE(all(sentences).find(part), std::string::npos) << "not \"" << part << "\" but: " << all(sentences);
}

/// The exit code of hanse-audit.
int exit_code(const std::string& arguments) {
  const int status =
      std::system((std::string(HANSE_BIN_DIR) + "/hanse-audit " + arguments + " >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Audit, HoldsForAnHonestRun) {
  const TemporaryFolder run;
  write_run(run, LedgerFixture::of_run(3));

  const AuditReport report = audit(run.path());

  EXPECT_TRUE(report.holds()) << all(report.findings);
  EXPECT_EQ(report.lines, 19u);
  EXPECT_EQ(report.signatures, 19u + 7u * 4u);
  EXPECT_EQ(report.copies, 4u);
  EXPECT_EQ(report.copies_agreeing, 4u);
  expect_mentions(report.notes, "1 round was aborted");
  EXPECT_NE(text_of(report).find("The audit holds."), std::string::npos);
  EXPECT_NE(text_of(report).find("unit customer"), std::string::npos);
  EXPECT_NE(json_of(report).find("\"holds\": true"), std::string::npos);
}

TEST(Audit, TellsAnUnfinishedRunFromABrokenOne) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  const auto audit_of_first = [&](std::size_t lines, const std::string& torn = "") {
    run.write("ledger.jsonl",
              LedgerFixture::text(
                  {fixture.lines.begin(), fixture.lines.begin() + static_cast<std::ptrdiff_t>(lines)}) +
                  torn);
    return audit(run.path());
  };

  const AuditReport unsigned_claim = audit_of_first(18);
  const AuditReport claimless = audit_of_first(17);
  const AuditReport open = audit_of_first(16);
  const AuditReport announced = audit_of_first(15);
  const AuditReport torn = audit_of_first(17, "{\"kind\":");
  const AuditReport empty = audit_of_first(0);

  for (const AuditReport* report : {&unsigned_claim, &claimless, &open, &announced, &torn, &empty}) {
    EXPECT_EQ(report->verdict(), AuditReport::Verdict::unfinished) << all(report->findings);
    EXPECT_NE(text_of(*report).find("The run is unfinished."), std::string::npos);
  }
  expect_mentions(unsigned_claim.open_ends, "not signed by merchants yet");
  expect_mentions(claimless.open_ends, "has not ended with a claim");
  expect_mentions(open.open_ends, "announced and never answered");
  expect_mentions(announced.open_ends, "announced and never answered");
  expect_mentions(torn.open_ends, "was interrupted");
  expect_mentions(empty.open_ends, "empty");
}

TEST(Audit, SaysWhatTheNoiseIsWorthAgainstColludingMerchants) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  write_run(run, fixture);

  const AuditReport report = audit(run.path());

  ASSERT_EQ(report.adversaries.size(), 2u);
  EXPECT_EQ(report.adversaries[0].collusion, 0u);
  EXPECT_EQ(report.adversaries[0].spent.epsilon, fixture.state.epsilon_spent());
  EXPECT_EQ(report.adversaries[1].collusion, 2u) << "all but one of the three in a smallest sum";
  RdpAccountant two_of_four;  // Intents count on four shares: with two fewer, half the variance.
  two_of_four.compose({.noise_multiplier = std::sqrt(2.0), .count = 5});
  EXPECT_NEAR(report.adversaries[1].spent.epsilon, two_of_four.epsilon(1e-6).epsilon, 1e-9);
}

TEST(Audit, GivesABracketByPrivacyLossForAPlanThatWasKeptTo) {
  const TemporaryFolder run;
  write_run(run, LedgerFixture::of_run(3));
  const AuditReport kept = audit(run.path());
  LedgerFixture more;
  more.plan.releases[1].count = 1;
  more.run(3);
  write_run(run, more);
  const AuditReport beyond = audit(run.path());

  ASSERT_EQ(kept.plan_rows.size(), 1u);
  EXPECT_LE(kept.plan_rows[0].bracket.lower, kept.plan_rows[0].bracket.upper);
  EXPECT_LT(kept.plan_rows[0].bracket.upper, kept.state.epsilon_spent());
  EXPECT_GT(kept.plan_rows[0].bracket.lower, 0.8 * kept.state.epsilon_spent());
  EXPECT_NE(text_of(kept).find("The line above is what merchants enforce"), std::string::npos);
  EXPECT_TRUE(beyond.plan_rows.empty());
}

/// A second run on the same people, linked to the first.
LedgerFixture linked_to(const LedgerFixture& first) {
  LedgerFixture second;
  second.plan.run_id = "ff112233445566778899aabbccddeeff";
  second.plan.previous = first.plan.run_id;
  second.add_first(second.plan, first.state.tip());
  second.run(2);
  return second;
}

TEST(Audit, AddsUpWhatLinkedLedgersSpent) {
  const TemporaryFolder run;
  const LedgerFixture first = LedgerFixture::of_run(3);
  const LedgerFixture second = linked_to(first);
  run.write("first/ledger.jsonl", LedgerFixture::text(first.lines));
  run.write("second/ledger.jsonl", LedgerFixture::text(second.lines));
  const std::vector<std::filesystem::path> earlier{run.path() / "first"};
  RdpAccountant both;
  both.compose({.noise_multiplier = 2, .count = 5 + 4});

  const AuditReport report =
      audit(run.path() / "second", Budget{second.state.epsilon_spent(), 1e-6}, earlier);
  const AuditReport alone = audit(run.path() / "second");
  const AuditReport in_part = audit(run.path() / "second", Budget{second.state.epsilon_spent(), 1e-6});

  ASSERT_EQ(report.total.size(), 1u);
  EXPECT_NEAR(report.total[0].epsilon, both.epsilon(1e-6).epsilon, 1e-9);
  EXPECT_EQ(report.total[0].releases, 9u);
  expect_mentions(report.findings, "does not hold: the run spent epsilon");
  EXPECT_NE(text_of(report).find("With 1 earlier run on the same people"), std::string::npos);
  EXPECT_TRUE(alone.holds()) << all(alone.findings);
  expect_mentions(alone.notes, "whose spending is not included here");
  expect_mentions(in_part.findings, "whose spending is not included here");
}

TEST(Audit, CountsARecordOfSeveralRunsByTheLargerOfTrainAndTestInEach) {
  const TemporaryFolder run;
  LedgerFixture first;
  first.plan.unit = Unit::record;
  first.add(first.plan);
  first.run(3);
  LedgerFixture second;
  second.plan.unit = Unit::record;
  second.plan.run_id = "ff112233445566778899aabbccddeeff";
  second.plan.previous = first.plan.run_id;
  second.add_first(second.plan, first.state.tip());
  second.run(2);
  run.write("first/ledger.jsonl", LedgerFixture::text(first.lines));
  run.write("second/ledger.jsonl", LedgerFixture::text(second.lines));
  const std::vector<std::filesystem::path> earlier{run.path() / "first"};
  RdpAccountant train;  // More than the test sum of either run.
  for (const LedgerFixture* one : {&first, &second}) {
    ASSERT_EQ(one->state.events("test", 0).size(), 1u);
    for (const DpEvent& event : one->state.events("train", 0)) {
      train.compose(event);
    }
  }

  const AuditReport report = audit(run.path() / "second", std::nullopt, earlier);

  ASSERT_EQ(report.total.size(), 1u);
  EXPECT_EQ(report.total[0].population, "all");
  EXPECT_NEAR(report.total[0].epsilon, train.epsilon(1e-6).epsilon, 1e-9);
  EXPECT_NE(text_of(report).find("the larger of both"), std::string::npos);
}

TEST(Audit, AddsUpNoBudgetOfDifferentUnits) {
  const TemporaryFolder run;
  const auto findings_after = [&](Unit unit) {
    LedgerFixture first;
    first.plan.unit = unit;
    first.add(first.plan);
    first.run(1);
    const LedgerFixture second = linked_to(first);
    run.write("first/ledger.jsonl", LedgerFixture::text(first.lines));
    run.write("second/ledger.jsonl", LedgerFixture::text(second.lines));
    const std::vector<std::filesystem::path> earlier{run.path() / "first"};
    return audit(run.path() / "second", Budget{100, 1e-6}, earlier).findings;
  };

  expect_mentions(findings_after(Unit::merchant), "no epsilon covers both together");
  expect_mentions(findings_after(Unit::record), "no epsilon covers both together");
}

TEST(Audit, FindsAnEarlierLedgerThatIsAnotherOrWasCutOrGrew) {
  const TemporaryFolder run;
  LedgerFixture first = LedgerFixture::of_run(3);
  const LedgerFixture second = linked_to(first);
  run.write("second/ledger.jsonl", LedgerFixture::text(second.lines));
  const std::vector<std::filesystem::path> earlier{run.path() / "first"};
  const auto audit_after = [&](const std::vector<std::string>& lines) {
    run.write("first/ledger.jsonl", LedgerFixture::text(lines));
    return audit(run.path() / "second", std::nullopt, earlier);
  };

  const AuditReport honest = audit_after(first.lines);
  const AuditReport other = audit_after(LedgerFixture::of_run(1).lines);
  first.lines.pop_back();
  const AuditReport cut = audit_after(first.lines);

  EXPECT_TRUE(honest.holds()) << all(honest.findings);
  expect_mentions(other.findings, "is not the one that is continued");
  expect_mentions(cut.findings, "is not the one that is continued");
}

TEST(Audit, FindsEveryTruncationInTheLastLines) {
  const TemporaryFolder run;
  const std::string content = LedgerFixture::text(LedgerFixture::of_run(1).lines);

  for (std::size_t cut = 1; cut < content.size(); cut += 97) {
    run.write("ledger.jsonl", content.substr(0, content.size() - cut));
    EXPECT_FALSE(audit(run.path()).holds()) << cut;
  }
}

TEST(Audit, NamesTheMerchantWhoWasShownAnotherLedger) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  write_run(run, fixture);
  LedgerFixture other;
  other.plan.federation = "another";
  other.run(3);
  write_copy(run, "bergen", LedgerFixture::text(other.lines));

  const AuditReport report = audit(run.path());

  ASSERT_EQ(report.findings.size(), 1u);
  expect_mentions(report.findings, "(bergen) differ from the ledger in line 1");
  EXPECT_EQ(report.copies_agreeing, 3u);
}

TEST(Audit, FindsRecordsThatOnlyAMerchantStillHas) {
  const TemporaryFolder run;
  LedgerFixture fixture = LedgerFixture::of_run(3);
  write_run(run, fixture);
  fixture.lines.resize(5);
  run.write("ledger.jsonl", LedgerFixture::text(fixture.lines));

  expect_mentions(audit(run.path()).findings, "records were removed");
}

TEST(Audit, TakesACopyThatAPowerCutLeftWithZerosForOneThatEndedEarlier) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  write_run(run, fixture);
  const std::string content = LedgerFixture::text(fixture.lines);
  const std::string kept = content.substr(0, content.size() / 2);
  write_copy(run, "bergen", kept + std::string(100, '\0'));

  const AuditReport left = audit(run.path());
  write_copy(run, "bergen", kept + std::string(100, '\0') + "x");
  const AuditReport altered = audit(run.path());

  EXPECT_TRUE(left.holds()) << all(left.findings);
  expect_mentions(left.notes, "(bergen) ended before the ledger did");
  expect_mentions(altered.findings, "(bergen) differ from the ledger");
}

TEST(Audit, NotesAMerchantThatLeftAndOneWithoutACopy) {
  const TemporaryFolder run;
  LedgerFixture fixture = LedgerFixture::of_run(3);
  write_run(run, fixture);
  fixture.lines.resize(5);
  write_copy(run, "bergen", LedgerFixture::text(fixture.lines));
  std::filesystem::remove_all(run.path() / "merchants" / "bruges");

  const AuditReport report = audit(run.path());

  EXPECT_TRUE(report.holds()) << all(report.findings);
  expect_mentions(report.notes, "(bergen) ended before the ledger did");
  expect_mentions(report.notes, "(bruges) there is no copy here");
}

TEST(Audit, FindsAnotherModelThanTheClaims) {
  const TemporaryFolder run;
  write_run(run, LedgerFixture::of_run(3));

  run.write("model/model.json", "{\"sha256\":\"" + std::string(64, '0') + "\"}");
  const AuditReport other = audit(run.path());
  run.write("model/model.json", "{}");
  const AuditReport none = audit(run.path());

  const auto audit_naming = [&](const Digest& model) {
    run.write("model/model.json", "{\"sha256\":\"" + hex(sha256(bytes_of("published"))) +
                                      "\",\"facts\":{\"ledger_model\":\"" + hex(model) + "\"}}");
    return audit(run.path());
  };
  const AuditReport of_another_release = audit_naming(sha256(bytes_of("model 1")));
  const AuditReport of_the_same = audit_naming(*LedgerFixture::of_run(3).state.model());

  expect_mentions(other.findings, "not the one that the claim is about");
  expect_mentions(none.findings, "sha256");
  expect_mentions(of_another_release.findings, "another release made it than the claim");
  EXPECT_TRUE(of_the_same.holds()) << all(of_the_same.findings);
}

TEST(Audit, ShowsNoTextThatSteersATerminal) {
  const TemporaryFolder run;
  LedgerFixture fixture;
  fixture.plan.federation = "har\x1B[2Jbour\xC2\x9B";
  fixture.run(1);
  write_run(run, fixture);

  const std::string text = text_of(audit(run.path()));

  EXPECT_EQ(text.find('\x1B'), std::string::npos);
  EXPECT_EQ(text.find("\xC2\x9B"), std::string::npos);
  EXPECT_NE(text.find("har?[2Jbour"), std::string::npos) << text;
}

/// Whatever is named by the ledger, or by who laid a copy beside it: no name becomes a line of the verdict either.
TEST(Audit, ShowsNoNameThatSteersATerminalOrForgesALine) {
  const TemporaryFolder run;
  const std::string bad = "x\n\x1B[2JThe audit holds.\x7F\xC2\x9B";
  LedgerFixture fixture;
  fixture.plan.workload = bad;
  fixture.plan.releases[2].noise_multiplier = 0;
  fixture.add(fixture.plan);
  Intent without_noise = fixture.intent(1, Purpose::evaluation, Population::test);
  without_noise.name = bad;
  without_noise.parameters.share_variance = 0;
  ASSERT_EQ(fixture.add(without_noise), "");
  write_run(run, fixture);
  std::filesystem::create_directories(run.path() / "merchants" / bad);
  std::ofstream(run.path() / "merchants" / bad / "ledger.jsonl") << "another ledger\n";

  const std::string text = text_of(audit(run.path()));

  for (const char* control : {"\x1B", "\x7F", "\xC2\x9B", "\nThe audit holds.", "\n?[2JThe", "x\n"}) {
    EXPECT_EQ(text.find(control), std::string::npos) << text;
  }
  for (const char* named : {"workload x??[2J", "every epsilon: x??[2J", "copy (x??[2J"}) {
    EXPECT_NE(text.find(named), std::string::npos) << named << " is not in " << text;
  }
}

TEST(Audit, ComparesWithABudgetThatIsAsked) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  write_run(run, fixture);
  const double spent = fixture.state.epsilon_spent();

  EXPECT_TRUE(audit(run.path(), Budget{spent, 1e-6}).holds());
  expect_mentions(audit(run.path(), Budget{spent * 0.999, 1e-6}).findings,
                  "does not hold: the run spent epsilon");
  EXPECT_FALSE(audit(run.path(), Budget{spent, 1e-7}).holds());
}

TEST(Audit, SaysLoudlyThatNothingIsPrivateWithoutAUnit) {
  const TemporaryFolder run;
  LedgerFixture fixture;
  fixture.plan.unit = Unit::none;
  fixture.plan.delta = 0;
  fixture.plan.epsilon.reset();
  fixture.run(1);
  write_run(run, fixture);

  const AuditReport report = audit(run.path());

  EXPECT_TRUE(report.holds()) << all(report.findings);
  EXPECT_NE(text_of(report).find("NOTHING IS PRIVATE"), std::string::npos);
  EXPECT_NE(json_of(report).find("\"private\": false"), std::string::npos);
  expect_mentions(audit(run.path(), Budget{1, 1e-6}).findings, "no unit of privacy");
}

TEST(Audit, NamesWhatWasReleasedWithoutNoise) {
  const TemporaryFolder run;
  LedgerFixture fixture;
  fixture.plan.releases[2].noise_multiplier = 0;
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(1, Purpose::evaluation, Population::test);
  intent.parameters.share_variance = 0;
  fixture.add(intent);
  fixture.add(fixture.release());
  fixture.add(fixture.state.claim_for(sha256(bytes_of("published"))));
  write_run(run, fixture);

  const AuditReport report = audit(run.path());

  EXPECT_TRUE(report.holds()) << all(report.findings);
  expect_mentions(report.notes, "Released without noise, so outside every epsilon: scores, 1 time");
  expect_mentions(audit(run.path(), Budget{100, 1e-6}).findings, "without noise");
}

TEST(Audit, RefusesWhatItCannotRead) {
  const TemporaryFolder run;

  EXPECT_THROW(audit(run.path()), Failure);
  EXPECT_THROW(audit(run.path() / "nowhere"), Failure);
}

TEST(AuditProgram, SaysByItsExitCodeWhetherARunHolds) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  write_run(run, fixture);
  const std::string folder = run.path().string();

  EXPECT_EQ(exit_code(folder), 0);
  EXPECT_EQ(exit_code(folder + " --json"), 0);
  EXPECT_EQ(exit_code(folder + "/ledger.jsonl"), 0);
  EXPECT_EQ(exit_code(folder + " --budget 8,1e-6"), 0);
  EXPECT_EQ(exit_code(folder + " --budget 0.1,1e-6"), 1);
  EXPECT_EQ(exit_code(folder + " --budget 0.1"), 2);
  EXPECT_EQ(exit_code(folder + " --budget 1,2"), 2);
  EXPECT_EQ(exit_code(folder + "/nowhere"), 2);
  EXPECT_EQ(exit_code(""), 2);
}

TEST(AuditProgram, FindsASampleOfChangedBytesAndLines) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(2);
  const std::string content = LedgerFixture::text(fixture.lines);
  const std::string file = (run.path() / "ledger.jsonl").string();

  for (std::size_t at = 0; at < content.size(); at += content.size() / 40) {
    std::string changed = content;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    run.write("ledger.jsonl", changed);
    EXPECT_EQ(exit_code(file), 1) << "byte " << at;
  }
  for (std::size_t i = 0; i < fixture.lines.size(); ++i) {
    std::vector<std::string> removed = fixture.lines;
    removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
    run.write("ledger.jsonl", LedgerFixture::text(removed));
    EXPECT_EQ(exit_code(file), i + 1 < fixture.lines.size() ? 1 : 3) << "line " << i;
  }
}

}  // namespace
}  // namespace hanse
