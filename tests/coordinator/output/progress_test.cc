#include "coordinator/output/progress.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

namespace hanse {
namespace {

ProgressState state_of(std::uint64_t round) {
  ProgressState state;
  state.round = round;
  state.rounds = 100;
  state.merchants = 19;
  state.merchants_all = 20;
  state.figures = {{"train_loss", 0.43125}, {"test_auc", 0.81}, {"test_f1", 0.6}};
  state.epsilon = 0.84;
  state.budget = 2;
  state.seconds = 12;
  return state;
}

class HandClock final : public Clock {
 public:
  Instant now() const override { return instant; }
  Instant instant{0};
};

/// A stream into memory.
class Screen {
 public:
  Screen() : stream_(open_memstream(&text_, &size_)) {}
  ~Screen() {
    std::fclose(stream_);
    std::free(text_);
  }
  std::FILE* stream() { return stream_; }
  std::string text() {
    std::fflush(stream_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
};

TEST(ProgressLine, TellsWhereTheRunStands) {
  EXPECT_EQ(progress_line(state_of(12), 200),
            "round 12/100 | loss 0.4313  AUC 0.81 | epsilon 0.84 of 2 | 19 of 20 merchants | 1:28 left");
}

TEST(ProgressLine, LeavesOutTheLeastImportantPartsFirst) {
  EXPECT_EQ(progress_line(state_of(12), 75),
            "round 12/100 | loss 0.4313  AUC 0.81 | epsilon 0.84 of 2 | 1:28 left");
  EXPECT_EQ(progress_line(state_of(12), 62), "round 12/100 | loss 0.4313  AUC 0.81 | epsilon 0.84 of 2");
  EXPECT_EQ(progress_line(state_of(12), 40), "round 12/100 | loss 0.4313  AUC 0.81");
  EXPECT_EQ(progress_line(state_of(12), 20), "round 12/100");
  EXPECT_EQ(progress_line(state_of(12), 5), "round");
}

TEST(ProgressLine, SaysThatNothingIsPrivate) {
  ProgressState state = state_of(12);
  state.epsilon.reset();

  EXPECT_NE(progress_line(state, 200).find("not private"), std::string::npos);
}

TEST(ProgressLine, SaysHowLongItTookAtTheEnd) {
  EXPECT_NE(progress_line(state_of(100), 200).find("| 12 s"), std::string::npos);
  EXPECT_EQ(progress_line(ProgressState{}, 200), "round 0/0 | not private | 0 of 0 merchants | 0.0 s");
}

TEST(DurationText, UsesTheUnitsPeopleUse) {
  EXPECT_EQ(duration_text(1.25), "1.2 s");
  EXPECT_EQ(duration_text(42.4), "42 s");
  EXPECT_EQ(duration_text(185), "3:05");
  EXPECT_EQ(duration_text(7800), "2:10:00");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::infinity()), "?");
}

TEST(Progress, RewritesOneLineOnATerminal) {
  Screen screen;
  HandClock clock;
  Progress progress(screen.stream(), true, clock);

  progress.show(state_of(9));
  clock.instant += Milliseconds(1000);
  progress.show(state_of(10));
  progress.finish();

  const std::string text = screen.text();
  EXPECT_EQ(text.substr(0, 8), "\rround 9");
  EXPECT_NE(text.find("\rround 10"), std::string::npos);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(Progress, ANoteDoesNotTearTheLiveLine) {
  Screen screen;
  HandClock clock;
  Progress progress(screen.stream(), true, clock);

  progress.show(state_of(9));
  progress.note("merchant 7 is late");

  const std::string text = screen.text();
  const std::size_t note = text.find("\rmerchant 7 is late ");
  ASSERT_NE(note, std::string::npos);
  EXPECT_NE(text.find("\nround 9/100", note), std::string::npos);
}

TEST(Progress, PrintsEveryTenthAsPlainLinesAndNotTooOften) {
  Screen screen;
  HandClock clock;
  Progress progress(screen.stream(), false, clock);

  for (std::uint64_t round = 1; round <= 100; ++round) {
    clock.instant += Milliseconds(300);
    progress.show(state_of(round));
  }
  progress.finish();

  const std::string text = screen.text();
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  EXPECT_EQ(text.substr(0, 11), "round 1/100");
  EXPECT_NE(text.find("round 100/100"), std::string::npos);
}

TEST(Progress, AFastRunPrintsItsFirstAndItsLastLine) {
  Screen screen;
  HandClock clock;
  Progress progress(screen.stream(), false, clock);

  for (std::uint64_t round = 1; round <= 100; ++round) {
    progress.show(state_of(round));
  }

  const std::string text = screen.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(SummaryText, NamesThePromiseInFull) {
  RunSummary summary;
  summary.name = "purchase";
  summary.workload = "logistic";
  summary.merchants = 20;
  summary.rounds = 100;
  summary.seconds = 61;
  summary.figures = {{"test_auc", 0.9}};
  summary.epsilon = 1.99;
  summary.delta = 1e-6;
  summary.unit = "customer";
  summary.adjacency = "add or remove one customer";
  summary.encryption = "masked";
  summary.bytes_sent = 12'300'000;
  summary.files = {"runs/purchase/model/model.hanse", "runs/purchase/ledger.jsonl"};

  EXPECT_EQ(summary_text(summary),
            "purchase: logistic\n"
            "  merchants   20\n"
            "  rounds      100 in 1:01\n"
            "  test_auc    0.9\n"
            "              (figures are private sums too: over few test rows they are mostly noise)\n"
            "  privacy     epsilon 1.99 at delta 1e-6 for each customer (add or remove one customer)\n"
            "  encryption  masked: the coordinator saw sums only\n"
            "  sent        12.3 MB\n"
            "  files       runs/purchase/model/model.hanse\n"
            "              runs/purchase/ledger.jsonl\n");
}

TEST(SummaryText, IsHonestWhenNothingIsPrivate) {
  RunSummary summary;
  summary.encryption = "none";
  summary.rounds_aborted = 2;
  summary.stopped = "the budget is spent";

  const std::string text = summary_text(summary);

  EXPECT_NE(text.find("not differentially private"), std::string::npos);
  EXPECT_NE(text.find("saw every merchant's vector"), std::string::npos);
  EXPECT_NE(text.find("2 aborted; stopped because the budget is spent"), std::string::npos);
}

}  // namespace
}  // namespace hanse
