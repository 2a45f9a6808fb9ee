#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/config/configuration.h"

namespace hanse {

/// What `hanse run` was asked to start.
struct Launch {
  std::filesystem::path file;         ///< The INI file, as all ranks read it.
  std::vector<std::string> settings;  ///< KEY=VALUE for all ranks.
  unsigned workers = 1;
  std::optional<std::string> hostfile;  ///< For mpirun. The coordinator runs on its first host: this one.
  std::filesystem::path programs;       ///< Folder of hanse-coordinator and hanse-worker.
  bool arbiter = false;       ///< One more hanse-worker, the last rank: aggregation.encryption=paillier.
  std::string finished = {};  ///< What to say when the run was finished before and nothing starts; or empty.
};

/// The mpirun line: one coordinator, the workers, and the arbiter if there is one. mpirun is the program named by HANSE_MPIRUN, or
/// "mpirun".
std::vector<std::string> mpirun_line(const Launch& launch);

/// Settings of Open MPI that a fault-tolerant run on any number of cores needs, without those that the user
/// has set: the user's own win.
std::vector<std::pair<std::string, std::string>> missing_mpi_settings(bool as_root);

/// Both as one line for a shell.
std::string shell_line(const std::vector<std::pair<std::string, std::string>>& environment,
                       const std::vector<std::string>& line);

/// Number of workers when none is asked for: one for each file when data.path names a file for each worker;
/// else one for each core, at most four and no more than merchants where the configuration says how many
/// there are.
unsigned default_workers(const Configuration& configuration);

/// Folder of the running program, where its sisters are.
std::filesystem::path program_folder();

/// The executable that a shell would start for `name`; nothing when there is none.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace hanse
