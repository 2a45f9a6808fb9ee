// The programs `hanse` and `hanse run` as their users see them, with a script in mpirun's place.
#include <sys/wait.h>
#include "tests/support/test_folder.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hanse {
namespace {

struct Outcome {
  int code = -1;
  std::string output;
};

class HanseRun : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test_folder() /
              ("hanse_run_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "good.ini")
        << "[federation]\nname = x\n[data]\nlabel = y\n[privacy]\nunit = none\n";
    std::ofstream(folder_ / "bad.ini") << "[privacy]\nepsilno = 1\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Makes a script that `hanse run` takes for mpirun.
  void fake_mpirun(const std::string& script) {
    std::ofstream(folder_ / "mpirun") << "#!/bin/sh\n" << script;
    std::filesystem::permissions(folder_ / "mpirun", std::filesystem::perms::owner_all);
  }
  Outcome shell(const std::string& command) {
    const std::string line = "cd " + folder_.string() + " && HANSE_MPIRUN=" + (folder_ / "mpirun").string() +
                             " " + command + " 2>&1";
    Outcome outcome;
    std::FILE* pipe = ::popen(line.c_str(), "r");
    std::array<char, 4096> buffer{};
    while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
      outcome.output.append(buffer.data(), count);
    }
    const int status = ::pclose(pipe);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }
  Outcome hanse(const std::string& arguments) {
    return shell(std::string(HANSE_BIN_DIR "/hanse ") + arguments);
  }

  std::filesystem::path folder_;
};

bool holds(const Outcome& outcome, const std::string& part) {
  return outcome.output.find(part) != std::string::npos;
}

TEST_F(HanseRun, OnlyPrintsTheLineWhenDry) {
  fake_mpirun("touch started\n");

  const Outcome outcome = hanse("run good.ini --dry-run -n 3 workload.l2=0.5");

  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(holds(outcome, "-n 1 " HANSE_BIN_DIR "/hanse-coordinator good.ini workload.l2=0.5 : -n 3 "))
      << outcome.output;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "started"));
}

TEST_F(HanseRun, RefusesABadConfigurationBeforeAnythingStarts) {
  fake_mpirun("touch started\n");

  const Outcome unknown = hanse("run bad.ini");
  const Outcome absent = hanse("run absent.ini");
  const Outcome range = hanse("run good.ini --federation.rounds 0");

  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(unknown.output,
            "hanse run: bad.ini:2: unknown key privacy.epsilno: did you mean 'privacy.epsilon'?\n");
  EXPECT_EQ(absent.code, 2);
  EXPECT_TRUE(holds(absent, "absent.ini")) << absent.output;
  EXPECT_EQ(range.code, 2);
  EXPECT_TRUE(holds(range, "federation.rounds")) << range.output;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "started"));
}

TEST_F(HanseRun, RefusesUsageThatMakesNoSense) {
  fake_mpirun("true\n");

  EXPECT_EQ(hanse("run").code, 2);
  EXPECT_EQ(hanse("run good.ini -n 0").code, 2);
  EXPECT_EQ(hanse("run good.ini -n many").code, 2);
  EXPECT_EQ(hanse("run good.ini --hostfile absent").code, 2);
  EXPECT_EQ(shell("HANSE_MPIRUN=/no/mpirun " HANSE_BIN_DIR "/hanse run good.ini").code, 2);
}

TEST_F(HanseRun, GivesTheCoordinatorsCodeWhateverMpirunSays) {
  for (const int code : {0, 2, 3, 4}) {
    fake_mpirun("echo progress\necho done " + std::to_string(code) + " > $HANSE_STATUS\nexit 1\n");

    const Outcome outcome = hanse("run good.ini");

    EXPECT_EQ(outcome.code, code);
    EXPECT_TRUE(holds(outcome, "\nprogress\n")) << outcome.output;
  }
}

TEST_F(HanseRun, EndsAnMpirunThatDoesNotReturn) {
  fake_mpirun("trap '' TERM\necho $$ > pid\necho done 0 > $HANSE_STATUS\nwhile true; do sleep 0.1; done\n");

  const Outcome outcome = hanse("run good.ini");

  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(shell("kill -0 $(cat pid)").code, 1);
}

TEST_F(HanseRun, SaysThatMpirunEndedWithoutAResult) {
  fake_mpirun("exit 7\n");

  const Outcome outcome = hanse("run good.ini");

  EXPECT_EQ(outcome.code, 3);
  EXPECT_TRUE(holds(outcome, "mpirun ended with code 7 before the coordinator had finished"))
      << outcome.output;
}

TEST_F(HanseRun, StartsAgainWhenTheCoordinatorIsGoneAndContinues) {
  // The first time a coordinator that is gone at once under an mpirun that stays; then one that finishes.
  fake_mpirun(
      "case \"$*\" in *federation.resume=true*) echo continued; echo done 0 > $HANSE_STATUS; exit 0;; esac\n"
      "sh -c 'echo running $$ > $HANSE_STATUS.new; mv $HANSE_STATUS.new $HANSE_STATUS' &\n"
      "echo $$ > pid\nwhile true; do sleep 0.1; done\n");

  const Outcome outcome = hanse("run good.ini");

  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_TRUE(holds(outcome, "hanse run: the coordinator is gone; restart 1 of 3 continues the run\n"))
      << outcome.output;
  EXPECT_TRUE(holds(outcome, "\ncontinued\n")) << outcome.output;
  EXPECT_EQ(shell("kill -0 $(cat pid)").code, 1) << "the first mpirun is ended";
}

TEST_F(HanseRun, StartsAgainWhenMpirunIsGoneAndNoProcessStays) {
  fake_mpirun(
      "case \"$*\" in *federation.resume=true*) echo done 0 > $HANSE_STATUS; exit 0;; esac\n"
      "sh -c 'echo $$ > rank; echo running $$ > $HANSE_STATUS; trap \"\" TERM; while true; do sleep 0.1; "
      "done' &\n"
      "while [ ! -s $HANSE_STATUS ]; do sleep 0.05; done\nsleep 0.2\nkill -STOP $(cat rank)\nkill -KILL "
      "$$\n");

  const Outcome outcome = hanse("run good.ini");

  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_TRUE(holds(outcome, "mpirun ended by signal 9 before the coordinator had finished; restart 1 of 3"))
      << outcome.output;
  EXPECT_EQ(shell("kill -0 $(cat rank)").code, 1) << "a stopped rank is ended too";
}

TEST_F(HanseRun, StartsAgainAsOftenAsItIsToldWhenTheQuorumIsLost) {
  fake_mpirun("echo started >> starts\necho done 3 again > $HANSE_STATUS\n");

  const Outcome twice = hanse("run good.ini federation.restarts=2");
  EXPECT_EQ(twice.code, 3);
  EXPECT_EQ(shell("wc -l < starts").output, "3\n");
  EXPECT_TRUE(holds(twice, "the coordinator could not go on; restart 2 of 2 continues the run"))
      << twice.output;

  const Outcome never = hanse("run good.ini federation.restarts=0");
  EXPECT_EQ(never.code, 3);
  EXPECT_EQ(shell("wc -l < starts").output, "4\n");
}

TEST_F(HanseRun, DoesNotStartAgainWhatAnotherStartCannotMend) {
  fake_mpirun("echo started >> starts\necho done 3 > $HANSE_STATUS\n");

  EXPECT_EQ(hanse("run good.ini").code, 3);
  EXPECT_EQ(shell("wc -l < starts").output, "1\n");
}

TEST_F(HanseRun, EndsMpirunWhenItIsInterrupted) {
  fake_mpirun(
      "trap 'echo ended > ended; exit 1' TERM\necho $PPID > parent\nwhile true; do sleep 0.1; done\n");

  const Outcome outcome =
      shell("sh -c '(while [ ! -s parent ]; do sleep 0.05; done; kill -INT $(cat parent)) & exec " +
            std::string(HANSE_BIN_DIR) + "/hanse run good.ini'");

  EXPECT_EQ(outcome.code, 3);
  EXPECT_TRUE(holds(outcome, "interrupted by signal 2")) << outcome.output;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "ended"));
}

TEST_F(HanseRun, TellsTheProgramsWhetherItsOutputIsATerminal) {
  fake_mpirun("echo terminal $HANSE_TERMINAL\necho done 0 > $HANSE_STATUS\n");

  EXPECT_TRUE(holds(hanse("run good.ini"), "terminal 0"));
}

TEST_F(HanseRun, ListsEveryKeyInItsHelp) {
  const Outcome outcome = hanse("run --help");

  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(holds(outcome, "privacy.noise_multiplier  (above 0, at most 1e6)"));
  EXPECT_TRUE(holds(outcome, "policy.workloads"));
}

TEST_F(HanseRun, IsFoundByTheDispatcherWhichNamesTheNearestProgram) {
  EXPECT_EQ(hanse("").code, 0);
  EXPECT_TRUE(holds(hanse("--help"), "run "));
  EXPECT_EQ(hanse("rnu").output, "hanse: unknown program 'rnu': did you mean 'run'? (see 'hanse --help')\n");
  EXPECT_EQ(hanse("rnu").code, 2);
  EXPECT_EQ(hanse("../bin/hanse-run").code, 2);
  EXPECT_EQ(hanse("help run").output, hanse("run --help").output);
  EXPECT_EQ(hanse("--version").output, "hanse 0.1.0\n");
}

}  // namespace
}  // namespace hanse
