#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace hanse {

/// Runs mpirun as a child until the run is over, and gives the coordinator's own exit code, which it finds in
/// the file named by HANSE_STATUS: with recovery on, mpirun's code is 0 whatever happened. Once that file
/// says "done", mpirun gets two seconds to end, then TERM, TERM and KILL, because it does not return when a
/// host was lost.
///
/// SIGINT and SIGTERM end the run. Throws Failure(could_not_finish) when mpirun ended without "done" or the
/// user interrupted it.
int supervise(const std::vector<std::string>& line,
              const std::vector<std::pair<std::string, std::string>>& environment);

}  // namespace hanse
