#pragma once

#include <filesystem>
#include <string>

namespace hanse {

/// One self-contained HTML page about a run: summary, curves, privacy, audit, releases, configuration. No
/// network, no scripts; light and dark. Throws bad_input in one sentence when `run` is no run directory or a
/// file in it is malformed.
std::string report_html(const std::filesystem::path& run);

}  // namespace hanse
