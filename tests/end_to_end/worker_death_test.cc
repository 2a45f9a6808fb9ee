// A worker that dies in mid-run costs its merchants, and neither the run nor the machine.

#include <signal.h>

#include <thread>

#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

/// Waits until the run has a line of metrics, then gives the processes of its workers.
std::vector<pid_t> workers_in_mid_run(const MarketFolder& market) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::error_code ignored;
  while (std::chrono::steady_clock::now() < until) {
    const auto size = fs::file_size(market / "run" / "metrics.jsonl", ignored);
    if (!ignored && size > 0) {
      return processes_with((market / "shop.ini").string(), HANSE_BIN_DIR "/hanse-worker ");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

std::vector<std::string> words(const MarketFolder& market, const std::string& workers) {
  return {"hanse",
          "run",
          (market / "shop.ini").string(),
          "-n",
          workers,
          "federation.deadline_ms=3000",
          "federation.rounds=8",
          "federation.restarts=0",
          "output.dir=run"};
}

TEST(WorkerDeath, IsSurvivedByTheOtherMerchantsWhenTheyAreEnough) {
  const MarketFolder market(12, 10);
  StartedProgram started(words(market, "4"), market.path());
  const std::vector<pid_t> workers = workers_in_mid_run(market);
  ASSERT_EQ(workers.size(), 4u);

  ::kill(workers.back(), SIGKILL);
  const Outcome run = started.wait();
  const Outcome audit = run_in(market.path(), {"hanse", "audit", "run"});

  EXPECT_EQ(run.code, 0) << run.output << run.errors;
  EXPECT_EQ(audit.code, 0) << audit.output << audit.errors;
  const std::string log = bytes_of_file(market / "run" / "log.txt");
  EXPECT_NE(log.find("is not in round"), std::string::npos) << "the log names who was missing";
  EXPECT_NE(log.find("gave no sign of life in round"), std::string::npos) << log;
  EXPECT_EQ(lines_of(bytes_of_file(market / "run" / "metrics.jsonl")).size(), 8u);
  EXPECT_EQ(processes_with(market.path().string()).size(), 0u);
}

TEST(WorkerDeath, EndsARunWithATreeWithASentenceAndLeavesNothingBehind) {
  const MarketFolder market(12, 10);
  auto with_tree = words(market, "4");
  with_tree.push_back("aggregation.topology=tree");
  with_tree.push_back("federation.rounds=200");  // Still at it when the worker dies.
  StartedProgram started(with_tree, market.path());
  const std::vector<pid_t> workers = workers_in_mid_run(market);
  ASSERT_EQ(workers.size(), 4u);

  ::kill(workers[1], SIGKILL);
  const Outcome run = started.wait();

  EXPECT_EQ(run.code, 3) << run.output << run.errors;
  EXPECT_NE(run.errors.find("not all processes gave their part of the sum in time"), std::string::npos)
      << run.errors;
  EXPECT_FALSE(fs::exists(market / "run" / "model")) << "no model of a run that did not finish";
  EXPECT_EQ(processes_with(market.path().string()).size(), 0u);
}

TEST(WorkerDeath, EndsARunThatHasTooFewMerchantsLeftWithASentence) {
  const MarketFolder market(6, 10);
  StartedProgram started(words(market, "2"), market.path());
  const std::vector<pid_t> workers = workers_in_mid_run(market);
  ASSERT_EQ(workers.size(), 2u);

  ::kill(workers.back(), SIGKILL);
  const Outcome run = started.wait();

  EXPECT_EQ(run.code, 3) << run.output << run.errors;
  EXPECT_NE(run.errors.find("the quorum is lost"), std::string::npos) << run.errors;
  EXPECT_FALSE(fs::exists(market / "run" / "model")) << "no model of a run that did not finish";
  EXPECT_EQ(processes_with(market.path().string()).size(), 0u);
}

}  // namespace
}  // namespace hanse
