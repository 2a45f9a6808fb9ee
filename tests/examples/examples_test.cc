// Both examples do what their first comment says.
#include <sys/wait.h>
#include "tests/support/test_folder.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

namespace hanse {
namespace {

struct Outcome {
  int code = -1;
  std::string output;

  bool says(const std::string& part) const { return output.find(part) != std::string::npos; }
};

Outcome shell(const std::string& command) {
  Outcome outcome;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    outcome.output.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

TEST(OneProcess, WalksThroughASumThatOpensToTruthAndNoise) {
  const Outcome outcome = shell(HANSE_BIN_DIR "/one_process");

  EXPECT_EQ(outcome.code, 0) << outcome.output;
  for (const char* part :
       {"Anna's, in its own house", "Bruno's, in its own house", "Carla's, in its own house",
        "its share of the noise", "masked residues", "to the last step: yes\n"}) {
    EXPECT_TRUE(outcome.says(part)) << part << "\n" << outcome.output;
  }
}

TEST(OneProcess, ShowsTheMessagesOfARoundInTheirOrder) {
  const Outcome outcome = shell(HANSE_BIN_DIR "/one_process");

  std::size_t place = 0;
  for (const char* name :
       {"OPEN", "SHARE", "START", "UPLOAD", "SET", "AGREE", "AGREED", "REVEAL", "RESULT"}) {
    place = outcome.output.find(std::string(" ") + name + " ", place);
    ASSERT_NE(place, std::string::npos) << name << "\n" << outcome.output;
  }
}

/// A workload from outside the library leaves a run directory that the auditor accepts like any other.
class OwnWorkload : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_ =
      test_folder() /
      ("own_workload_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(OwnWorkload, SpendsEpsilonOneAndItsAuditHolds) {
  const Outcome run = shell(HANSE_BIN_DIR "/own_workload " + folder_.string());
  const Outcome audit = shell(HANSE_BIN_DIR "/hanse-audit " + folder_.string());

  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_TRUE(run.says("each customer: epsilon = 1.0000 at delta = 1e-06")) << run.output;
  EXPECT_EQ(audit.code, 0) << audit.output;
  EXPECT_TRUE(audit.says("The audit holds.")) << audit.output;
}

TEST_F(OwnWorkload, RefusesAFolderThatIsThere) {
  std::filesystem::create_directories(folder_);

  const Outcome run = shell(HANSE_BIN_DIR "/own_workload " + folder_.string());

  EXPECT_EQ(run.code, 2);
  EXPECT_TRUE(run.says("exists: name another folder")) << run.output;
}

}  // namespace
}  // namespace hanse
