#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/workloads/insights.h"
#include "common/workloads/model.h"

namespace hanse {

/// Where a run stands after a round.
struct ProgressState {
  std::uint64_t round = 0;
  std::uint64_t rounds = 0;     ///< Planned.
  std::uint32_t merchants = 0;  ///< In the last sum.
  std::uint32_t merchants_all = 0;
  Metrics figures;                ///< The last known figures; the most telling one or two are shown.
  std::optional<double> epsilon;  ///< Spent; absent when nothing is private.
  std::optional<double> budget;   ///< Of epsilon.
  double seconds = 0;             ///< Since training began.
};

/// One line, at most `width` columns: the least important parts are left out first.
///   round 12/100 | loss 0.4312  AUC 0.8123 | epsilon 0.84 of 2 | 20 of 20 merchants | 1:12 left
std::string progress_line(const ProgressState& state, std::size_t width);

/// 42 s, 3:05, 2:10:00.
std::string duration_text(double seconds);

/// Shows progress: on a terminal one line that is rewritten in place; otherwise plain lines, about one for
/// every tenth of the rounds and never less than 2 s apart, the first and the last always.
class Progress {
 public:
  /// `stream` is standard error in the programs; `terminal` is isatty of it.
  Progress(std::FILE* stream, bool terminal, const Clock& clock);
  void show(const ProgressState& state);
  /// A line of its own (an event, a warning) that does not tear the live line.
  void note(std::string_view sentence);
  /// Ends the live line; call before anything else is printed.
  void finish();

 private:
  std::FILE* stream_;
  bool terminal_;
  const Clock& clock_;
  std::size_t drawn_ = 0;  ///< Columns of the live line on the screen.
  std::string last_;       ///< The live line, redrawn after a note.
  bool printed_ = false;
  Instant last_print_{0};
  std::uint64_t last_tenth_ = 0;
};

/// What the end of a run says.
struct RunSummary {
  std::string name;
  std::string workload;
  std::uint32_t merchants = 0;
  std::uint64_t rounds = 0;
  std::uint64_t rounds_aborted = 0;
  double seconds = 0;
  Metrics figures;
  std::optional<double> epsilon;  ///< Absent: nothing private is promised.
  double delta = 0;
  std::string unit;        ///< "customer": whom the promise protects.
  std::string adjacency;   ///< For instance "add or remove one customer".
  std::string encryption;  ///< "masked", "paillier" or "none".
  std::uint64_t bytes_sent = 0;
  std::string stopped;  ///< Why before the planned rounds ("the budget is spent"), or empty.
  std::vector<std::string> files;
  Insights insights;  ///< What the model says.
};

/// The final table, one fact a line, then what the model says.
std::string summary_text(const RunSummary& summary);

}  // namespace hanse
