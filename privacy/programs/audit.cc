#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "privacy/empirical/audit_by_experiment.h"
#include "privacy/ledger/audit.h"
#include "privacy/ledger/model_certificate.h"

namespace hanse {
namespace {

std::optional<Budget> asked_budget(const Arguments& arguments) {
  if (!arguments.given("budget")) {
    return std::nullopt;
  }
  const std::vector<double> figures = arguments.numbers("budget", 2);
  const Budget budget{.epsilon = figures[0], .delta = figures[1]};
  if (!(budget.epsilon > 0) || !(budget.delta > 0 && budget.delta < 1)) {
    throw bad_input(
        "--budget must be EPSILON,DELTA with a positive epsilon and a delta between 0 and 1, as in 2,1e-6");
  }
  return budget;
}

std::vector<std::filesystem::path> earlier_ledgers(const Arguments& arguments) {
  std::vector<std::filesystem::path> paths;
  std::string list = arguments.given("previous") ? arguments.text("previous") : "";
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    paths.emplace_back(list.substr(0, comma));
    list.erase(0, comma + 1);
  }
  return paths;
}

/// A model's folder, without the run that it comes from.
bool is_model_alone(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "certificate.json") &&
         !std::filesystem::exists(folder / "ledger.jsonl");
}

ExitCode audit_model(const std::filesystem::path& folder) {
  const auto published = model_digest_in(folder / "model.json");
  const auto certificate = decode_certificate(read_file(folder / "certificate.json"));
  const auto certified = !published     ? Result<CertifiedModel>(published.error())
                         : !certificate ? Result<CertifiedModel>(certificate.error())
                                        : verify(*certificate, *published);
  const std::string text = certified ? text_of(*certified) : "FINDING: " + certified.what() + ".\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  return certified ? ExitCode::done : ExitCode::finding;
}

/// Prints the verdict, and gives the exit code that goes with it.
ExitCode audit_ledger(const Arguments& arguments) {
  const AuditReport report = audit(arguments.text("RUN_DIR"), asked_budget(arguments),
                                   earlier_ledgers(arguments), arguments.flag_given("every-signature"));
  Verdict verdict{.text = arguments.flag_given("json") ? json_of(report) : text_of(report),
                  .holds = report.verdict() != AuditReport::Verdict::broken};
  add_experiment(arguments, report, verdict);
  std::fwrite(verdict.text.data(), 1, verdict.text.size(), stdout);
  if (!verdict.holds) {
    return ExitCode::finding;
  }
  return report.holds() ? ExitCode::done : ExitCode::could_not_finish;
}

ExitCode experiment_alone(const Arguments& arguments) {
  const Verdict verdict = experiment_without_ledger(arguments);
  std::fwrite(verdict.text.data(), 1, verdict.text.size(), stdout);
  return verdict.holds ? ExitCode::done : ExitCode::finding;
}

int audit_main(int argc, const char* const* argv) {
  Arguments arguments(
      "hanse audit",
      "Verifies the ledger of a run and recomputes what it spent, trusting nobody. Exit code 0: it "
      "holds; 1: it does not, each finding a sentence; 2: there is no ledger to read; 3: what there is "
      "holds, and "
      "the run is unfinished.");
  arguments
      .optional_positional(
          "RUN_DIR", "Folder of the run, a ledger file alone, or the folder of a model with its certificate.")
      .option("budget", "EPSILON,DELTA that the run must not have passed, as in 2,1e-6.")
      .option("previous",
              "Earlier runs on the same people that the ledger continues, RUN_DIR,RUN_DIR, the latest first: "
              "what "
              "they spent is added.")
      .flag("every-signature",
            "Verifies each signature also of a ledger with thousands, where the last of each signer covers "
            "all.")
      .flag("json", "Prints one JSON object.");
  declare_experiment_options(arguments);
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  if (!arguments.given("RUN_DIR")) {
    return static_cast<int>(experiment_alone(arguments));
  }
  const std::filesystem::path what = arguments.text("RUN_DIR");
  return static_cast<int>(is_model_alone(what) ? audit_model(what) : audit_ledger(arguments));
}

}  // namespace
}  // namespace hanse

int main(int argc, char** argv) {
  return hanse::run_program("hanse-audit", [&] { return hanse::audit_main(argc, argv); });
}
