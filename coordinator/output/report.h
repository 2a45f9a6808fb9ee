#pragma once

#include <string>

#include "coordinator/output/report_data.h"

namespace hanse {

/// One self-contained HTML page about a run: verdicts, summary, curves, participation, privacy, audit,
/// releases, model, configuration. No network, no scripts, light and dark; every text of the run is escaped.
std::string report_html(const ReportData& data);

}  // namespace hanse
