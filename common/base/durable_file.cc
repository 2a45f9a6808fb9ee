#include "common/base/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "common/base/failure.h"

namespace hanse {
namespace {

constexpr mode_t kPublic = 0644;
constexpr mode_t kPrivate = 0600;

Failure disk_failure(const char* what, const std::filesystem::path& file) {
  return {ExitCode::could_not_finish,
          std::string("cannot ") + what + " " + file.string() + ": " + std::strerror(errno)};
}

void write_all(int descriptor, std::string_view content, const std::filesystem::path& file) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      throw disk_failure("write", file);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    ::fsync(descriptor);
    ::close(descriptor);
  }
}

}  // namespace

void make_folder_durably(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::is_directory(folder, error)) {
    return;
  }
  // "a/b/" is a folder "b" in a folder "a", as "a/b" is.
  const std::filesystem::path named = folder.has_filename() ? folder : folder.parent_path();
  make_folder_durably(named.parent_path());
  std::filesystem::create_directory(named, error);
  if (error) {
    throw Failure(ExitCode::could_not_finish, "cannot make " + folder.string() + ": " + error.message());
  }
  sync_folder(named);
}

namespace {

void write_with_mode(const std::filesystem::path& file, std::string_view content, mode_t mode) {
  const std::filesystem::path fresh = file.string() + ".new";
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (descriptor < 0) {
    throw disk_failure("create", fresh);
  }
  try {
    // What a crash left there keeps the mode that it was made with.
    if (mode == kPrivate && ::fchmod(descriptor, mode) != 0) {
      throw disk_failure("protect", fresh);
    }
    write_all(descriptor, content, fresh);
    if (::fsync(descriptor) != 0) {
      throw disk_failure("write", fresh);
    }
  } catch (...) {
    ::close(descriptor);
    ::unlink(fresh.c_str());
    throw;
  }
  ::close(descriptor);
  if (::rename(fresh.c_str(), file.c_str()) != 0) {
    throw disk_failure("rename into place", file);
  }
  sync_folder(file);
}

}  // namespace

void write_durably(const std::filesystem::path& file, std::string_view content) {
  write_with_mode(file, content, kPublic);
}

void write_privately(const std::filesystem::path& file, std::string_view content) {
  write_with_mode(file, content, kPrivate);
}

DurableLog::DurableLog(std::filesystem::path file)
    : file_(std::move(file)),
      descriptor_(::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) {
    throw disk_failure("open", file_);
  }
  sync_folder(file_);
}

DurableLog::~DurableLog() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

DurableLog::DurableLog(DurableLog&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

void DurableLog::append(std::string_view line) {
  std::string text(line);
  text.push_back('\n');
  write_all(descriptor_, text, file_);
  if (::fdatasync(descriptor_) != 0) {
    throw disk_failure("write", file_);
  }
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream content;
  if (!stream || std::filesystem::is_directory(file) || !(content << stream.rdbuf()).good()) {
    // An empty file sets failbit when its empty buffer is inserted; only that case is no error.
    if (!stream || std::filesystem::is_directory(file) || std::filesystem::file_size(file) != 0) {
      throw bad_input("cannot read " + file.string() + ": " + std::strerror(errno));
    }
  }
  return content.str();
}

}  // namespace hanse
