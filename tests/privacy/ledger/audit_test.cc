#include "privacy/ledger/audit.h"

#include <sys/wait.h>

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
  EXPECT_EQ(report.lines, 12u);
  EXPECT_EQ(report.copies, 4u);
  EXPECT_EQ(report.copies_agreeing, 4u);
  expect_mentions(report.notes, "1 round was aborted");
  EXPECT_NE(text_of(report).find("The audit holds."), std::string::npos);
  EXPECT_NE(text_of(report).find("unit customer"), std::string::npos);
  EXPECT_NE(json_of(report).find("\"holds\": true"), std::string::npos);
}

TEST(Audit, FindsAnUnfinishedRun) {
  const TemporaryFolder run;
  LedgerFixture fixture = LedgerFixture::of_run(3);
  fixture.lines.pop_back();
  run.write("ledger.jsonl", LedgerFixture::text(fixture.lines));
  const AuditReport claimless = audit(run.path());
  fixture.lines.pop_back();
  run.write("ledger.jsonl", LedgerFixture::text(fixture.lines));
  const AuditReport open = audit(run.path());
  run.write("ledger.jsonl", "");
  const AuditReport empty = audit(run.path());

  expect_mentions(claimless.findings, "has not ended with a claim");
  expect_mentions(open.findings, "announced and never answered");
  expect_mentions(empty.findings, "empty");
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

  expect_mentions(other.findings, "not the one that the claim is about");
  expect_mentions(none.findings, "sha256");
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
    EXPECT_EQ(exit_code(file), 1) << "line " << i;
  }
}

}  // namespace
}  // namespace hanse
