#include "coordinator/output/report_data.h"

#include <string_view>
#include <variant>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "coordinator/output/insights_file.h"

namespace hanse {
namespace {

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

/// Plan and sums of the ledger, up to the first line that cannot be read: the audit says what is wrong with
/// it.
void read_ledger(const std::filesystem::path& file, ReportData& data) {
  const std::string text = read_file(file);
  std::string_view rest = text;
  for (std::size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
    const auto record = decode_record(rest.substr(0, end));
    if (!record) {
      return;
    }
    if (const auto* plan = std::get_if<Plan>(&record->payload)) {
      data.plan = *plan;
    } else if (const auto* intent = std::get_if<Intent>(&record->payload)) {
      const double multiplier = event_of(*intent, data.plan ? data.plan->collusion : 0).noise_multiplier;
      data.sums.push_back({*intent, multiplier, std::nullopt});
    } else if (const auto* release = std::get_if<Release>(&record->payload); release && !data.sums.empty()) {
      data.sums.back().release = *release;
    }
  }
}

void read_published_model(const std::filesystem::path& file, ReportData& data) {
  try {
    data.model = read_model(file);
    data.model_digest = model_digest(*data.model);
    if (const auto insights = file.parent_path() / "insights.json"; is_file(insights)) {
      data.insights = decode_insights(read_file(insights), insights.string());
    }
  } catch (const Failure& failure) {
    data.model_problem = failure.what();
  }
}

}  // namespace

ReportData read_report_data(const std::filesystem::path& run) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(run, ignored)) {
    throw bad_input("no run directory " + run.string() +
                    ": expected the folder that a run wrote, for instance runs/NAME");
  }
  const auto metrics = run / "metrics.jsonl", ledger = run / "ledger.jsonl",
             configuration = run / "federation.ini";
  if (!is_file(metrics) && !is_file(ledger)) {
    throw bad_input(run.string() + " is no run directory: it holds neither metrics.jsonl nor ledger.jsonl");
  }
  ReportData data;
  data.folder = run;
  if (is_file(metrics)) {
    data.metrics = read_metrics(metrics);
  }
  if (is_file(ledger)) {
    read_ledger(ledger, data);
    data.audit = audit(run);
  }
  if (is_file(configuration)) {
    data.configuration = read_file(configuration);
  }
  if (is_file(run / "model" / "model.hanse")) {
    read_published_model(run / "model" / "model.hanse", data);
  }
  return data;
}

}  // namespace hanse
