#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "common/config/configuration.h"

namespace hanse {

/// Throws bad_input when `folder` cannot become a run directory: it exists and holds more than a start that was cut short
/// leaves, or its parent takes no new folder. Writes nothing that stays.
void check_run_directory(const std::filesystem::path& folder);

/// What a run begins from, or continues from.
enum class RunStart {
  fresh,      ///< Without federation.resume, or with it where no ledger is: from the beginning.
  continued,  ///< Behind the lines of a ledger.
  finished,   ///< Nothing is left to do.
};

/// Asked before anything starts and by the coordinator: with federation.resume, what the run directory holds; without, what
/// check_run_directory() says. Throws bad_input when the folder is no run directory, or its run has another configuration:
/// the key that changed is named. Writes nothing.
RunStart check_run_start(const Configuration& configuration);

/// What a user is told who continues a finished run.
std::string finished_sentence(const Configuration& configuration);

/// Holds a run directory for one coordinator, until it is gone, by a lock on its file "lock", which other hosts of a shared
/// disk respect too. A stopped coordinator holds it too: two never write one ledger.
class RunFolderLock {
 public:
  /// Makes the folder when it is missing. Throws Failure(could_not_finish) when another process has it.
  explicit RunFolderLock(const std::filesystem::path& folder);
  ~RunFolderLock();
  RunFolderLock(const RunFolderLock&) = delete;
  RunFolderLock& operator=(const RunFolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Makes the run directory and writes the effective configuration into it.
void create_run_directory(const std::filesystem::path& folder, const Configuration& configuration);

/// The coordinator's key where there is no roster.
std::filesystem::path coordinator_key_file(const std::filesystem::path& folder);

/// Removes the keys that were made for a run and kept in its directory: when it is finished, nobody signs with them.
void remove_run_keys(const std::filesystem::path& folder);

/// Gives a file its name, and has both on the disk before it returns. Throws Failure(could_not_finish).
void move_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// log.txt: one line an event, with the time. No overload takes secrets.
class RunLog {
 public:
  explicit RunLog(const std::filesystem::path& file);
  void note(std::string_view sentence);

 private:
  std::ofstream stream_;
};

}  // namespace hanse
