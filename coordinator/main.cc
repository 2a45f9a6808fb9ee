// hanse-coordinator: MPI rank 0.

#include <cstdio>

#include "common/base/failure.h"
#include "common/base/interrupted.h"
#include "common/base/memory.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "common/transport/mpi_channel.h"
#include "common/transport/mpi_sums.h"
#include "common/transport/run_status.h"
#include "coordinator/coordinator_run.h"
#include "coordinator/preflight.h"
#include "coordinator/run_files.h"
#include "privacy/crypto/system_random.h"

namespace hanse {
namespace {

int run(int argc, char** argv) {
  Arguments arguments("hanse-coordinator",
                      "The coordinator of a federation: MPI rank 0. Usually started by hanse run.");
  arguments.positional("FILE.ini", "The federation's configuration.").configuration_settings();
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  give_back_large_buffers();
  const Configuration configuration = read_configuration(arguments.text("FILE.ini"), arguments.settings());
  check_run(configuration);
  check_run_start(configuration);

  const MpiEnvironment mpi(&argc, &argv);
  if (mpi.rank() != 0 || mpi.size() < 2) {
    throw bad_input(
        "hanse-coordinator must be rank 0 of at least 2: start with hanse run FILE.ini, or mpirun -n 1 "
        "hanse-coordinator FILE.ini : -n 4 hanse-worker FILE.ini");
  }
  if (configuration.aggregation.encryption == "paillier" && mpi.size() < 3) {
    throw bad_input(
        "aggregation.encryption=paillier needs an arbiter, a hanse-worker at the last rank behind all "
        "workers: start "
        "with hanse run FILE.ini, or mpirun -n 1 hanse-coordinator FILE.ini : -n 5 hanse-worker FILE.ini");
  }
  if (configuration.aggregation.topology == "tree") {
    check_sums_wrap();
  }
  MpiChannel channel(mpi);
  const SteadyClock clock;
  SystemRandom random;
  Progress progress(stdout, output_is_terminal(), clock);
  const auto summary = run_coordinator(configuration, channel, clock, random, progress);
  progress.finish();
  if (summary) {
    std::fputs(summary_text(*summary).c_str(), stdout);
  } else {
    std::printf("%s\n", finished_sentence(configuration).c_str());
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace
}  // namespace hanse

int main(int argc, char** argv) {
  bool again = false;
  const int code = hanse::run_program("hanse-coordinator", [&] {
    hanse::write_run_started();
    try {
      return hanse::run(argc, argv);
    } catch (const hanse::Interrupted&) {
      again = true;
      throw;
    }
  });
  hanse::write_run_status(code, again);
  return hanse::exit_code_for_mpirun(code);
}
