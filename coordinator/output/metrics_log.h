#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/durable_file.h"
#include "common/workloads/model.h"

namespace hanse {

/// One line of metrics.jsonl: what is known after a round. What does not apply is absent from the line.
struct RoundMetrics {
  std::uint64_t round = 0;        ///< From 1; 0 is the model before training.
  double seconds = 0;             ///< Since the run began.
  std::uint32_t merchants = 0;    ///< Included in the round's sum.
  Metrics figures;                ///< train_loss, test_loss, test_auc, test_accuracy, test_f1, test_rmse.
  std::optional<double> epsilon;  ///< Spent so far, at `delta`; absent when nothing is private.
  std::optional<double> delta;
  std::optional<std::uint64_t> bytes_sent;  ///< By the coordinator and all workers in this round.
};

/// The flat JSON object of one round, without a newline; keys in a fixed order, numbers that are not finite
/// left out.
std::string to_json_line(const RoundMetrics& metrics);

/// Reads one line back. Throws bad_input; `where` is "FILE:LINE".
RoundMetrics parse_metrics_line(std::string_view line, const std::string& where);

/// metrics.jsonl, appended to durably.
class MetricsLog {
 public:
  /// Opens or creates `file` and drops what a crash left behind: a torn last line and rounds after
  /// `last_round`. A new run passes 0 and a resumed one the round of its checkpoint.
  MetricsLog(const std::filesystem::path& file, std::uint64_t last_round);
  void append(const RoundMetrics& metrics) { log_.append(to_json_line(metrics)); }

 private:
  DurableLog log_;
};

/// All complete lines of `file`, a torn last one left out. Throws bad_input naming file and line.
std::vector<RoundMetrics> read_metrics(const std::filesystem::path& file);

}  // namespace hanse
