#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hanse {

/// What is run until it is done.
struct Supervised {
  std::vector<std::string> line;       ///< mpirun and its arguments.
  std::vector<std::string> continued;  ///< The same with federation.resume=true.
  std::vector<std::pair<std::string, std::string>> environment;
  unsigned restarts = 0;
  std::chrono::milliseconds patience{180'000};  ///< Longest time without a sign of life of the coordinator.
};

/// Runs mpirun as a child until the run is over, and gives the coordinator's own exit code, which it finds in
/// the file named by HANSE_STATUS: with recovery on, mpirun's code is 0 whatever happened. Once that file
/// says "done", mpirun gets two seconds to end, then TERM, TERM and KILL, because it does not return when a
/// host was lost.
///
/// When the coordinator is gone or silent without "done", when mpirun is gone, or when the coordinator says that too few
/// processes are left, all that is left of the run on this machine is ended and it is started again with `continued`, at most
/// `restarts` times, each with one line on standard error. What was never at work is not tried again.
///
/// SIGINT and SIGTERM end the run. Throws Failure(could_not_finish) when there is no exit code of the coordinator's.
int supervise(const Supervised& run);

}  // namespace hanse
