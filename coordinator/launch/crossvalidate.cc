// hanse crossvalidate: `hanse run` once for each fold of the rows, which is tested on what the others trained.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "coordinator/launch/launch.h"
#include "coordinator/output/metrics_log.h"
#include "coordinator/preflight.h"
#include "coordinator/run_files.h"
#include "privacy/ledger/audit.h"

namespace {

namespace fs = std::filesystem;

struct CrossValidation {
  fs::path file;
  std::vector<std::string> settings;
  std::string workers;  ///< Of each run; empty: the launcher's own.
  int folds = 5;
  bool whole_customers = false;
  fs::path folder;
  std::vector<std::string>
      earlier_runs;  ///< privacy.previous_ledgers of the configuration, the latest first.
};

fs::path folder_of(const CrossValidation& wanted, int fold) {
  return wanted.folder / ("fold-" + std::to_string(fold));
}

/// The ledgers that a fold continues: those of the folds before it, then those that the configuration names.
std::vector<fs::path> earlier_of(const CrossValidation& wanted, int fold) {
  std::vector<fs::path> earlier;
  for (int before = fold - 1; before >= 1; --before) {
    earlier.push_back(folder_of(wanted, before));
  }
  earlier.insert(earlier.end(), wanted.earlier_runs.begin(), wanted.earlier_runs.end());
  return earlier;
}

/// The line of `hanse run` of one fold. With privacy a later fold continues the ledgers of the earlier: every row is in
/// several of them, so their budgets add up, and merchants' own limits are of all together.
std::vector<std::string> line_of(const CrossValidation& wanted, int fold, bool is_private) {
  std::vector<std::string> line = {hanse::program_folder() / "hanse-run", wanted.file.string()};
  if (!wanted.workers.empty()) {
    line.insert(line.end(), {"-n", wanted.workers});
  }
  line.insert(line.end(), wanted.settings.begin(), wanted.settings.end());
  line.push_back(std::string("data.test=") + (wanted.whole_customers ? "customers-fold:" : "fold:") +
                 std::to_string(fold) + "/" + std::to_string(wanted.folds));
  line.push_back("output.dir=" + folder_of(wanted, fold).string());
  if (const std::vector<fs::path> runs = earlier_of(wanted, fold); is_private && !runs.empty()) {
    std::string earlier;
    for (const fs::path& run : runs) {
      earlier += (earlier.empty() ? "" : ",") + run.string();
    }
    line.push_back("privacy.previous_ledgers=" + earlier);
  }
  return line;
}

/// Runs it, without what it prints on its way, and gives its exit code.
int run_line(const std::vector<std::string>& line) {
  std::vector<std::string> words = line;
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, pointers[0], &actions, nullptr, pointers.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error != 0 || ::waitpid(child, &status, 0) != child) {
    throw hanse::Failure(hanse::ExitCode::could_not_finish,
                         "cannot start " + line[0] + ": " + std::strerror(error != 0 ? error : errno));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(hanse::ExitCode::could_not_finish);
}

struct Spread {
  std::vector<double> values;  ///< One a fold.

  double mean() const {
    double sum = 0;
    for (const double value : values) {
      sum += value;
    }
    return sum / static_cast<double>(values.size());
  }
  /// Of the folds; not of their mean: folds share most of their training rows.
  double deviation() const {
    double squares = 0;
    for (const double value : values) {
      squares += (value - mean()) * (value - mean());
    }
    return values.size() < 2 ? 0 : std::sqrt(squares / static_cast<double>(values.size() - 1));
  }
};

void print_and_write(const CrossValidation& wanted, const std::map<std::string, Spread>& figures,
                     std::optional<double> epsilon) {
  nlohmann::ordered_json json = {{"schema", 1}, {"folds", wanted.folds}};
  std::size_t width = 12;
  for (const auto& [name, spread] : figures) {
    width = std::max(width, name.size());
  }
  std::printf("\n  %-*s  %9s  %9s\n", static_cast<int>(width), "figure", "mean", "deviation");
  for (const auto& [name, spread] : figures) {
    std::printf("  %-*s  %9.5g  %9.2g\n", static_cast<int>(width), name.c_str(), spread.mean(),
                spread.deviation());
    json["figures"][name] = {
        {"mean", spread.mean()}, {"deviation", spread.deviation()}, {"folds", spread.values}};
  }
  if (epsilon) {
    std::printf("Privacy: all folds together have spent epsilon %.5g.\n", *epsilon);
    json["epsilon"] = *epsilon;
  }
  const fs::path file = wanted.folder / "crossvalidation.json";
  hanse::write_durably(file, json.dump(1) + "\n");
  std::printf("%s\n", file.c_str());
}

int run(int argc, char** argv) {
  hanse::Arguments arguments(
      "hanse crossvalidate",
      "Runs a federation once for each fold of its rows: trained on the others, tested on it.");
  arguments.option("folds,k", "Number of folds, 2 to 100; 5 unless given.")
      .option("workers,n", "Number of worker processes of each run, as for hanse run.")
      .flag("customers", "All rows of a customer are in one fold.")
      .positional("FILE.ini", "Configuration; data.test is chosen here, and runs are folders in output.dir.")
      .configuration_settings();
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  CrossValidation wanted;
  wanted.file = arguments.text("FILE.ini");
  wanted.settings = arguments.settings();
  wanted.folds = arguments.given("folds") ? static_cast<int>(arguments.integer("folds", 2, 100)) : 5;
  wanted.workers = arguments.given("workers") ? arguments.text("workers") : "";
  wanted.whole_customers = arguments.flag_given("customers");
  const auto configuration = hanse::read_configuration(wanted.file, wanted.settings);
  const bool is_private = configuration.privacy.unit != hanse::Unit::none;
  wanted.folder = fs::absolute(hanse::run_directory(configuration));
  wanted.earlier_runs = configuration.privacy.previous_ledgers;
  if (!configuration.federation.start.empty()) {
    throw hanse::bad_input(
        "federation.start: a model that has seen the rows of a fold cannot be tested on it; leave it out");
  }

  std::map<std::string, Spread> figures;
  std::optional<double> epsilon;
  for (int fold = 1; fold <= wanted.folds; ++fold) {
    if (const int code = run_line(line_of(wanted, fold, is_private)); code != 0) {
      std::fprintf(stderr, "hanse crossvalidate: fold %d ended with code %d\n", fold, code);
      return code;
    }
    const auto metrics = hanse::read_metrics(folder_of(wanted, fold) / "metrics.jsonl");
    if (metrics.empty()) {
      throw hanse::Failure(hanse::ExitCode::could_not_finish,
                           "fold " + std::to_string(fold) + " has no figures");
    }
    std::printf("fold %d of %d:", fold, wanted.folds);
    for (const auto& [name, value] : metrics.back().figures) {
      figures[name].values.push_back(value);
      if (name == "test_auc" || name == "test_accuracy" || name == "test_rmse" || name == "test_loss") {
        std::printf(" %s %.5g", name.c_str(), value);
      }
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  if (is_private) {
    const std::vector<fs::path> earlier = earlier_of(wanted, wanted.folds);
    const hanse::AuditReport report = hanse::audit(folder_of(wanted, wanted.folds), std::nullopt, earlier);
    if (!report.holds()) {
      std::fputs(hanse::text_of(report).c_str(), stderr);
      return static_cast<int>(hanse::ExitCode::finding);
    }
    epsilon = report.total.at(0).epsilon;
  }
  print_and_write(wanted, figures, epsilon);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse-crossvalidate", [&] { return run(argc, argv); });
}
