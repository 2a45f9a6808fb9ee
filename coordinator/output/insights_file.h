#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/workloads/insights.h"

namespace hanse {

/// The version of insights.json that this program writes; others are refused.
inline constexpr int kInsightsFormatVersion = 1;

/// For a terminal: the sentences, then each table in columns, numbers to the right. Of a long table the first rows are shown,
/// and where the others are is said. Words are shown with control characters replaced: they may come from data.
std::string insights_text(const Insights& insights);

/// {"schema": 1, "workload": ..., "sentences": [...], "tables": [{"name", "title", "columns", "rows"}]}; a number that is
/// not finite is null.
std::string encode_insights(const Insights& insights, const std::string& workload);

/// Reads them back. Throws bad_input naming `origin`.
Insights decode_insights(const std::string& text, const std::string& origin);

/// Writes insights.json into `folder` so that a crash leaves the old file or the new one, and returns it; nothing where there
/// are no insights. Throws Failure(could_not_finish) when the disk does not take it.
std::optional<std::filesystem::path> write_insights(const std::filesystem::path& folder,
                                                    const Insights& insights, const std::string& workload);

}  // namespace hanse
