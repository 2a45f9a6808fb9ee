#include "coordinator/run_files.h"

#include <ctime>
#include <string>
#include <system_error>

#include "common/base/durable_file.h"
#include "common/base/failure.h"

namespace hanse {
namespace fs = std::filesystem;
namespace {

/// The nearest folder above `folder` that exists.
fs::path existing_ancestor(fs::path folder) {
  folder = fs::absolute(folder);
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_parent_path() && folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

}  // namespace

void check_run_directory(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::none) {
    throw bad_input("output.dir " + folder.string() + " cannot be made: " + error.message());
  }
  if (fs::exists(status) && !(fs::is_directory(folder, error) && fs::is_empty(folder, error))) {
    throw bad_input("output.dir " + folder.string() + " exists already: choose another one or remove it");
  }
  const fs::path probe = existing_ancestor(folder) / (".hanse-" + std::to_string(std::time(nullptr)));
  if (!fs::create_directory(probe, error)) {
    throw bad_input("output.dir " + folder.string() + " cannot be made: " + error.message());
  }
  fs::remove(probe, error);
}

void create_run_directory(const fs::path& folder, const Configuration& configuration) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Failure(ExitCode::could_not_finish, "cannot make " + folder.string() + ": " + error.message());
  }
  write_durably(folder / "federation.ini", canonical_text(configuration));
}

RunLog::RunLog(const fs::path& file) : stream_(file, std::ios::app) {}

void RunLog::note(std::string_view sentence) {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ ", &parts);
  stream_ << text << sentence << '\n' << std::flush;
}

}  // namespace hanse
