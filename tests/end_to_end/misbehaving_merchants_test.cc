// Merchants that break the rules, at a real federation under mpirun: they cost rounds, are named, and change nothing of
// what the others train.

#include <sys/stat.h>

#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kFaulty = {"the-garbler", "the-leaver", "the-liar", "the-sleeper"};

/// Sixteen merchants of equally many rows, the last four by name the faulty ones: dealt to four workers, each has
/// one of them, behind its three others.
void rename_four(const MarketFolder& market) {
  std::string text = bytes_of_file(market / "shop.csv");
  for (std::size_t i = 0; i < kFaulty.size(); ++i) {
    const std::string old = "\nshop" + std::to_string(13 + i) + ",";
    for (std::size_t at = text.find(old); at != std::string::npos; at = text.find(old, at)) {
      text.replace(at, old.size(), "\n" + kFaulty[i] + ",");
    }
  }
  market.write("shop.csv", text);
}

void remove_four(const MarketFolder& market) {
  std::string text;
  for (const std::string& line : lines_of(bytes_of_file(market / "shop.csv"))) {
    text += line.starts_with("the-") ? "" : line + "\n";
  }
  market.write("shop.csv", text);
}

/// An mpirun that starts the misbehaving workers in the place of hanse-worker; everything else is `hanse run`'s.
std::string exchanging_mpirun(const MarketFolder& market) {
  market.write(
      "mpirun.sh",
      "#!/bin/sh\nfor word do\n  shift\n  case \"$word\" in\n  */hanse-worker) word=" HANSE_TEST_BIN_DIR
      "/misbehaving-worker ;;\n  esac\n  set -- \"$@\" \"$word\"\ndone\nexec mpirun \"$@\"\n");
  ::chmod((market / "mpirun.sh").c_str(), 0700);
  return "HANSE_MPIRUN=" + (market / "mpirun.sh").string();
}

/// Whether some line of the log has all of these in it.
bool says(const std::string& log, const std::vector<std::string>& parts) {
  for (const std::string& line : lines_of(log)) {
    if (std::all_of(parts.begin(), parts.end(),
                    [&](const std::string& part) { return line.find(part) != std::string::npos; })) {
      return true;
    }
  }
  return false;
}

TEST(MisbehavingMerchants, CostRoundsAreNamedAndLeaveNoTraceInTheModelOfTheOthers) {
  const MarketFolder market(16, 20);
  rename_four(market);
  const auto words = [](const std::string& dir) {
    return std::vector<std::string>{"hanse",
                                    "run",
                                    "shop.ini",
                                    "-n",
                                    "4",
                                    "federation.deadline_ms=3000",
                                    "federation.rounds=3",
                                    "output.dir=" + dir};
  };

  StartedProgram started(words("run"), market.path(), {exchanging_mpirun(market)});
  const Outcome run = started.wait(std::chrono::seconds(120));
  const std::size_t left_over = processes_with(market.path().string()).size();
  const Outcome audit = run_in(market.path(), {"hanse", "audit", "run"});
  remove_four(market);
  const Outcome without = run_in(market.path(), words("without"));

  // The run goes on to its last round, and everything in it holds.
  ASSERT_EQ(run.code, 0) << run.output << run.errors;
  EXPECT_EQ(audit.code, 0) << audit.output << audit.errors;
  EXPECT_EQ(left_over, 0u);
  EXPECT_EQ(lines_of(bytes_of_file(market / "run" / "metrics.jsonl")).size(), 3u);
  // Each is named, with what it did.
  const std::string log = bytes_of_file(market / "run" / "log.txt");
  EXPECT_TRUE(says(log, {"merchant the-sleeper is not in round 1", "no UPLOAD before the deadline"})) << log;
  EXPECT_TRUE(says(log, {"merchant the-leaver", "left the round", "it has had enough"})) << log;
  EXPECT_TRUE(says(log, {"merchant the-garbler", "malformed"})) << log;
  EXPECT_TRUE(says(log, {"merchant the-liar is at fault"})) << log;
  for (int shop = 1; shop <= 12; ++shop) {
    EXPECT_FALSE(says(log, {"merchant shop" + std::to_string(shop) + " is at fault"})) << log;
  }
  // The model is the one of the twelve others: not a bit of the four is in it.
  ASSERT_EQ(without.code, 0) << without.output << without.errors;
  const auto files = model_files(market / "run");
  ASSERT_GT(files.size(), 2u);
  EXPECT_TRUE(files == model_files(market / "without"));
}

}  // namespace
}  // namespace hanse
