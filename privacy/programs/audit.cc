#include <cstdio>
#include <optional>

#include "common/base/failure.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "privacy/empirical/audit_by_experiment.h"
#include "privacy/ledger/audit.h"

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

Verdict verdict_on_ledger(const Arguments& arguments) {
  const AuditReport report = audit(arguments.text("RUN_DIR"), asked_budget(arguments));
  Verdict verdict{.text = arguments.flag_given("json") ? json_of(report) : text_of(report),
                  .holds = report.holds()};
  add_experiment(arguments, report, verdict);
  return verdict;
}

int audit_main(int argc, const char* const* argv) {
  Arguments arguments(
      "hanse audit",
      "Verifies the ledger of a run and recomputes what it spent, trusting nobody. Exit code 0: it "
      "holds; 1: it does not, each finding a sentence; 2: there is no ledger to read.");
  arguments.optional_positional("RUN_DIR", "Folder of the run, or a ledger file alone.")
      .option("budget", "EPSILON,DELTA that the run must not have passed, as in 2,1e-6.")
      .flag("json", "Prints one JSON object.");
  declare_experiment_options(arguments);
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  const Verdict verdict =
      arguments.given("RUN_DIR") ? verdict_on_ledger(arguments) : experiment_without_ledger(arguments);
  std::fwrite(verdict.text.data(), 1, verdict.text.size(), stdout);
  return static_cast<int>(verdict.holds ? ExitCode::done : ExitCode::finding);
}

}  // namespace
}  // namespace hanse

int main(int argc, char** argv) {
  return hanse::run_program("hanse-audit", [&] { return hanse::audit_main(argc, argv); });
}
