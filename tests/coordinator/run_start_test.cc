// What a run begins or continues from, and what is refused before anything starts.

#include <fstream>

#include "common/base/failure.h"
#include "coordinator/run_files.h"
#include "tests/support/ledger_fixture.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

class RunStarts : public testing::Test {
 protected:
  RunStarts() {
    configuration_.federation.resume = true;
    configuration_.data.label = "y";
    configuration_.output.dir = folder_.path() / "run";
  }

  /// A run directory with this configuration, and these lines as its ledger.
  void make_run(const std::string& ledger) {
    create_run_directory(run_directory(configuration_), configuration_);
    folder_.write("run/ledger.jsonl", ledger);
  }
  std::string refusal() const {
    try {
      (void)check_run_start(configuration_);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return failure.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  Configuration configuration_;
  LedgerFixture finished_ = LedgerFixture::of_run();
};

TEST_F(RunStarts, AreFreshWhereNothingIsOrTheFolderIsEmpty) {
  EXPECT_EQ(check_run_start(configuration_), RunStart::fresh);
  fs::create_directories(run_directory(configuration_));
  EXPECT_EQ(check_run_start(configuration_), RunStart::fresh);
}

TEST_F(RunStarts, AreFreshWithoutALedgerAndWithAFirstLineThatWasCutShort) {
  make_run("");
  EXPECT_EQ(check_run_start(configuration_), RunStart::fresh);
  fs::remove(run_directory(configuration_) / "ledger.jsonl");
  EXPECT_EQ(check_run_start(configuration_), RunStart::fresh);
  make_run(finished_.lines[0].substr(0, 40));
  EXPECT_EQ(check_run_start(configuration_), RunStart::fresh);
}

TEST_F(RunStarts, ContinueBehindALedgerUntilItsClaimIsSigned) {
  make_run(LedgerFixture::text(finished_.lines));
  EXPECT_EQ(check_run_start(configuration_), RunStart::continued) << "its last file is missing";
  folder_.write("run/model/certificate.json", "{}");
  EXPECT_EQ(check_run_start(configuration_), RunStart::finished);

  auto lines = finished_.lines;
  lines.pop_back();
  make_run(LedgerFixture::text(lines));
  EXPECT_EQ(check_run_start(configuration_), RunStart::continued);

  make_run(LedgerFixture::text(lines) + "torn");
  EXPECT_EQ(check_run_start(configuration_), RunStart::continued);
}

TEST_F(RunStarts, WithoutResumeRefuseADirectoryThatIsThere) {
  make_run("");
  configuration_.federation.resume = false;

  EXPECT_NE(refusal().find("exists already"), std::string::npos) << refusal();
}

TEST_F(RunStarts, AreFreshWhereOneDiedBeforeItsConfigurationWasOnTheDisk) {
  folder_.write("run/federation.ini.new", "[federat");
  folder_.write("run/merchants/bergen/ledger.jsonl", "");
  fs::create_directories(run_directory(configuration_) / ".hanse-probe");
  const RunFolderLock lock(run_directory(configuration_));

  EXPECT_EQ(check_run_start(configuration_), RunStart::fresh);
  configuration_.federation.resume = false;
  EXPECT_EQ(check_run_start(configuration_), RunStart::fresh);

  folder_.write("run/merchants/bergen/ledger.jsonl", finished_.lines[0]);
  EXPECT_NE(refusal().find("exists already"), std::string::npos) << refusal();
}

TEST_F(RunStarts, OfAFinishedRunNeedNoKeys) {
  make_run(LedgerFixture::text(finished_.lines));
  folder_.write("run/coordinator.key", "key");
  folder_.write("run/merchants/bergen/identity.key", "key");
  folder_.write("run/merchants/bergen/ledger.jsonl", "");

  remove_run_keys(run_directory(configuration_));

  EXPECT_FALSE(fs::exists(folder_.path() / "run/coordinator.key"));
  EXPECT_FALSE(fs::exists(folder_.path() / "run/merchants/bergen/identity.key"));
  EXPECT_TRUE(fs::exists(folder_.path() / "run/merchants/bergen/ledger.jsonl"));
}

TEST_F(RunStarts, RefuseAFolderThatIsNoRunDirectory) {
  folder_.write("run/letter.txt", "dear");

  EXPECT_NE(refusal().find("is no run directory"), std::string::npos) << refusal();
}

TEST_F(RunStarts, NameTheKeyThatChanged) {
  make_run(LedgerFixture::text(finished_.lines));
  configuration_.workload.l2 = 0.25;

  EXPECT_NE(refusal().find("workload.l2 (0 before, 0.25 now)"), std::string::npos) << refusal();
}

TEST_F(RunStarts, NameAWorkloadsOwnKeyThatIsNew) {
  make_run(LedgerFixture::text(finished_.lines));
  configuration_.workload.other["l2_bias"] = "0.5";

  EXPECT_NE(refusal().find("workload.l2_bias (not given before, 0.5 now)"), std::string::npos) << refusal();
}

TEST_F(RunStarts, LetChangeWhatIsNoPartOfTheModel) {
  auto lines = finished_.lines;
  lines.pop_back();
  make_run(LedgerFixture::text(lines));
  configuration_.federation.deadline_ms = 123;
  configuration_.federation.checkpoint_every = 5;
  configuration_.federation.restarts = 0;
  configuration_.worker.threads = 2;

  EXPECT_EQ(check_run_start(configuration_), RunStart::continued);
}

TEST_F(RunStarts, AreOfOneCoordinatorAtATime) {
  make_run("");
  const RunFolderLock first(run_directory(configuration_));

  try {
    const RunFolderLock second(run_directory(configuration_));
    FAIL() << "two coordinators hold one run directory";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::could_not_finish);
    EXPECT_NE(std::string(failure.what()).find("another coordinator is at work in it"), std::string::npos);
  }
}

}  // namespace
}  // namespace hanse
