// hanse run: checks the configuration, then starts the coordinator and the workers by mpirun.
#include <unistd.h>

#include <cstdio>

#include "common/base/failure.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "coordinator/launch/launch.h"
#include "coordinator/launch/supervise.h"
#include "coordinator/preflight.h"
#include "coordinator/run_files.h"

namespace {

/// Checks on its way all that can be checked here, so that a slip costs one sentence and no mpirun.
hanse::Launch read_launch(const hanse::Arguments& arguments, hanse::Supervised& run) {
  hanse::Launch launch;
  launch.file = arguments.text("FILE.ini");
  launch.settings = arguments.settings();
  launch.programs = hanse::program_folder();
  const auto configuration = hanse::read_configuration(launch.file, launch.settings);
  hanse::check_run(configuration);
  if (!arguments.flag_given("dry-run")) {
    const hanse::RunStart start = hanse::check_run_start(configuration);
    if (start == hanse::RunStart::finished) {
      launch.finished = hanse::finished_sentence(configuration);
      hanse::remove_run_keys(
          hanse::run_directory(configuration));  // When all died just before they would have.
    }
  }
  run.restarts = configuration.federation.restarts;
  // As long as a worker waits for the coordinator.
  run.patience = std::chrono::milliseconds{4 * std::int64_t{configuration.federation.deadline_ms} + 60'000};
  launch.workers = arguments.given("workers")
                       ? static_cast<unsigned>(arguments.integer("workers", 1, 100'000))
                       : hanse::default_workers(configuration);
  launch.arbiter = configuration.aggregation.encryption == "paillier";
  if (arguments.given("hostfile")) {
    launch.hostfile = arguments.text("hostfile");
    if (::access(launch.hostfile->c_str(), R_OK) != 0) {
      throw hanse::bad_input("cannot read the hostfile " + *launch.hostfile);
    }
  }
  return launch;
}

int run(int argc, char** argv) {
  hanse::Arguments arguments("hanse run",
                             "Runs a federation: one coordinator and its workers, started by mpirun.");
  arguments.option("workers,n", "Number of worker processes; otherwise one a core, at most four.")
      .option("hostfile", "Hosts for mpirun; the coordinator runs on the first, which must be this one.")
      .flag("dry-run", "Only prints the mpirun line.")
      .positional("FILE.ini", "Configuration, the same for all ranks.")
      .configuration_settings()
      .notes("HANSE_MPIRUN names another mpirun; your own OMPI_* settings are kept.");
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  hanse::Supervised supervised;
  hanse::Launch launch = read_launch(arguments, supervised);
  if (!launch.finished.empty()) {
    std::printf("%s\n", launch.finished.c_str());
    return 0;
  }
  const auto line = supervised.line = hanse::mpirun_line(launch);
  const auto settings = supervised.environment = hanse::missing_mpi_settings(::geteuid() == 0);
  std::printf("%s\n", hanse::shell_line(settings, line).c_str());
  if (launch.arbiter) {
    std::printf("# The last rank is the arbiter: it alone can decrypt, and it sees sums only.\n");
  }
  std::fflush(stdout);
  if (arguments.flag_given("dry-run")) {
    return 0;
  }
  if (!hanse::find_program(line[0])) {
    throw hanse::bad_input("cannot find " + line[0] + ": install openmpi-bin, or name it in HANSE_MPIRUN");
  }
  launch.settings.emplace_back("federation.resume=true");
  supervised.continued = hanse::mpirun_line(launch);
  return hanse::supervise(supervised);
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse run", [&] { return run(argc, argv); });
}
