#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

#include "common/config/configuration.h"

namespace hanse {

/// Throws bad_input when `folder` cannot become a run directory: it exists and is not empty, or its parent
/// takes no new folder. Writes nothing that stays.
void check_run_directory(const std::filesystem::path& folder);

/// Makes the run directory and writes the effective configuration into it.
void create_run_directory(const std::filesystem::path& folder, const Configuration& configuration);

/// log.txt: one line an event, with the time. No overload takes secrets.
class RunLog {
 public:
  explicit RunLog(const std::filesystem::path& file);
  void note(std::string_view sentence);

 private:
  std::ofstream stream_;
};

}  // namespace hanse
