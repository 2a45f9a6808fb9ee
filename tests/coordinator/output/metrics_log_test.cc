#include "coordinator/output/metrics_log.h"

#include <filesystem>
#include <limits>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

RoundMetrics round_of(std::uint64_t round) {
  RoundMetrics metrics;
  metrics.round = round;
  metrics.seconds = 0.5 * static_cast<double>(round);
  metrics.merchants = 20;
  metrics.figures = {{"test_auc", 0.75}, {"train_loss", 0.5}};
  metrics.epsilon = 0.25;
  metrics.delta = 1e-6;
  metrics.bytes_sent = 4096;
  return metrics;
}

class MetricsFile : public testing::Test {
 protected:
  void SetUp() override {
    file_ = test_folder() / "hanse_metrics.jsonl";
    std::filesystem::remove(file_);
  }
  std::filesystem::path file_;
};

TEST_F(MetricsFile, IsOneFlatObjectARoundInAFixedOrder) {
  EXPECT_EQ(to_json_line(round_of(3)),
            R"({"round":3,"seconds":1.5,"merchants":20,"train_loss":0.5,"test_auc":0.75,"epsilon":0.25,)"
            R"("delta":1e-06,"bytes_sent":4096})");
}

TEST_F(MetricsFile, LeavesOutWhatDoesNotApply) {
  RoundMetrics metrics = round_of(1);
  metrics.epsilon.reset();
  metrics.delta.reset();
  metrics.bytes_sent.reset();
  metrics.figures = {{"train_loss", std::numeric_limits<double>::quiet_NaN()}};

  EXPECT_EQ(to_json_line(metrics), R"({"round":1,"seconds":0.5,"merchants":20})");
}

TEST_F(MetricsFile, IsReadBackAsItWasWritten) {
  {
    MetricsLog log(file_, 0);
    log.append(round_of(1));
    log.append(round_of(2));
  }

  const auto rows = read_metrics(file_);

  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].round, 2u);
  EXPECT_EQ(rows[1].figures, round_of(2).figures);
  EXPECT_EQ(rows[1].epsilon, 0.25);
  EXPECT_EQ(rows[1].bytes_sent, 4096u);
}

TEST_F(MetricsFile, AResumedRunDropsRoundsAfterItsCheckpointAndATornLine) {
  {
    MetricsLog log(file_, 0);
    for (std::uint64_t round = 1; round <= 4; ++round) {
      log.append(round_of(round));
    }
  }
  write_durably(file_, read_file(file_) + R"({"round":5,"sec)");

  MetricsLog(file_, 3).append(round_of(4));

  const auto rows = read_metrics(file_);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows.back().round, 4u);
}

TEST_F(MetricsFile, ANewRunStartsEmpty) {
  MetricsLog(file_, 0).append(round_of(1));

  MetricsLog(file_, 0);

  EXPECT_TRUE(read_metrics(file_).empty());
}

TEST_F(MetricsFile, NamesTheMalformedLine) {
  for (const char* bad : {"no json", "[1]", R"({"seconds":1})", R"({"round":-1})",
                          R"({"round":1,"test_auc":"high"})", R"({"round":1,"merchants":0.5})"}) {
    write_durably(file_, to_json_line(round_of(1)) + "\n" + bad + "\n");

    try {
      read_metrics(file_);
      FAIL() << bad;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      EXPECT_NE(std::string(failure.what()).find(".jsonl:2"), std::string::npos) << failure.what();
    }
  }
}

}  // namespace
}  // namespace hanse
