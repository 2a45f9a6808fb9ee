#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/workloads/insights.h"
#include "coordinator/output/metrics_log.h"
#include "privacy/ledger/audit.h"
#include "privacy/published/model_file.h"

namespace hanse {

/// An intent of the ledger and how it ended.
struct LedgerSum {
  Intent intent;
  double noise_multiplier = 0;     ///< As the accountant counts it; 0: without noise.
  std::optional<Release> release;  ///< None: the run ended before it was answered.
};

/// All that a report tells, read from a run directory.
struct ReportData {
  std::filesystem::path folder;
  std::vector<RoundMetrics> metrics;
  std::optional<Plan> plan;
  std::vector<LedgerSum> sums;
  std::optional<AuditReport> audit;     ///< None: there is no ledger.
  std::optional<PublishedModel> model;  ///< None: the run has published none yet.
  std::string model_digest;
  Insights insights;          ///< Of the published model.
  std::string model_problem;  ///< Why the model on disk cannot be read; or empty.
  std::string configuration;  ///< Effective, canonical; empty when missing.
};

/// Reads `run`. Throws bad_input in one sentence when it is no run directory, or when its metrics are
/// malformed; a ledger or a model that does not hold is part of the report.
ReportData read_report_data(const std::filesystem::path& run);

}  // namespace hanse
