#include "coordinator/run_files.h"

#include <fcntl.h>
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

/// A folder that is made and removed to see whether one can be.
constexpr const char* kProbe = ".hanse-probe";

/// The nearest folder above `folder` that exists.
fs::path existing_ancestor(fs::path folder) {
  folder = fs::absolute(folder);
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_parent_path() && folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

/// Nothing is there but what a run leaves that dies before it has its configuration on the disk: that file's draft, the lock, a
/// probe, and merchants' folders without a byte in them.
bool is_blank(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return false;
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (name != "federation.ini.new" && name != "lock" && name != kProbe && name != "merchants") {
      return false;
    }
  }
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder / "merchants", error)) {
    if (!entry.is_directory(error) && !(entry.is_regular_file(error) && entry.file_size(error) == 0)) {
      return false;
    }
  }
  return true;
}

/// fsync of a file or a folder; false when the disk does not take it.
bool sync(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  return synced;
}

}  // namespace

void check_run_directory(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::none) {
    throw bad_input("output.dir " + folder.string() + " cannot be made: " + error.message());
  }
  if (fs::exists(status) && !is_blank(folder)) {
    throw bad_input("output.dir " + folder.string() + " exists already: choose another one or remove it");
  }
  const fs::path probe = existing_ancestor(folder) / kProbe;
  fs::create_directory(probe, error);  // Or it is left from a start that was cut short.
  if (error) {
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
  if (!configuration.federation.resume || !fs::exists(folder, error) || is_blank(folder)) {
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

namespace {

int open_lock(const fs::path& folder) {
  make_folder_durably(folder);
  return ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
}

}  // namespace

/// Of the open file, not of the process: closing another descriptor of it gives nothing up.
RunFolderLock::RunFolderLock(const fs::path& folder) : descriptor_(open_lock(folder)) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (descriptor_ < 0 || ::fcntl(descriptor_, F_OFD_SETLK, &whole) != 0) {
    const std::string why = descriptor_ >= 0 && (errno == EAGAIN || errno == EACCES)
                                ? "another coordinator is at work in it"
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
  make_folder_durably(folder);
  write_durably(folder / "federation.ini", canonical_text(configuration));
}

fs::path coordinator_key_file(const fs::path& folder) {
  return folder / "coordinator.key";
}

void remove_run_keys(const fs::path& folder) {
  std::error_code ignored;
  fs::remove(coordinator_key_file(folder), ignored);
  for (const fs::directory_entry& merchant : fs::directory_iterator(folder / "merchants", ignored)) {
    fs::remove(merchant.path() / "identity.key", ignored);
  }
}

void move_durably(const fs::path& from, const fs::path& to) {
  if (!sync(from) || ::rename(from.c_str(), to.c_str()) != 0 || !sync(to.parent_path())) {
    throw Failure(ExitCode::could_not_finish, "cannot write " + to.string() + ": " + std::strerror(errno));
  }
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
