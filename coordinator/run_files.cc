#include "coordinator/run_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <system_error>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "privacy/ledger/ledger_lines.h"
#include "privacy/ledger/ledger_state.h"

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

namespace {

/// Whether the ledger's claim is made and signed, and the last file written. Signatures are the continuation's to verify.
bool is_finished(const fs::path& folder, const std::string& ledger) {
  LedgerState state;
  for (const std::string_view line : split_lines(ledger).lines) {
    if (!state.accept(line, Signatures::trust)) {
      return false;
    }
  }
  std::error_code error;
  return state.finished() && fs::exists(folder / "model" / "certificate.json", error);
}

}  // namespace

RunStart check_run_start(const Configuration& configuration) {
  const fs::path folder = run_directory(configuration);
  std::error_code error;
  if (!configuration.federation.resume || !fs::exists(folder, error) || fs::is_empty(folder, error)) {
    check_run_directory(folder);
    return RunStart::fresh;
  }
  const fs::path settings = folder / "federation.ini";
  if (!fs::is_directory(folder, error) || !fs::exists(settings, error)) {
    throw bad_input("federation.resume: output.dir " + folder.string() +
                    " exists and is no run directory: name the one to continue, or a new one");
  }
  const fs::path ledger = folder / "ledger.jsonl";
  const std::string content = fs::exists(ledger, error) ? read_file(ledger) : std::string();
  if (split_lines(content).lines.empty()) {
    return RunStart::fresh;
  }
  const auto changed = shared_difference(read_configuration(settings, {}), configuration);
  if (changed) {
    throw bad_input("federation.resume: the run in " + folder.string() + " has another configuration: " +
                    *changed + "; continue it with its own, or begin another run in another output.dir");
  }
  return is_finished(folder, content) ? RunStart::finished : RunStart::continued;
}

std::string finished_sentence(const Configuration& configuration) {
  return "the run in " + run_directory(configuration).string() +
         " is finished already: nothing is left to do";
}

RunFolderLock::RunFolderLock(const fs::path& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const std::string why = descriptor_ >= 0 && errno == EWOULDBLOCK ? "another coordinator is at work in it"
                                                                     : std::strerror(errno);
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    throw Failure(ExitCode::could_not_finish,
                  "cannot take the run directory " + folder.string() + ": " + why);
  }
}

RunFolderLock::~RunFolderLock() {
  ::close(descriptor_);
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
