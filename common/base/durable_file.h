#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hanse {

/// Writes `content` so that a crash at any instant leaves the old file or the new one: write beside it, fsync,
/// rename, fsync of the folder. Throws Failure(could_not_finish) naming the file when the disk does not take it.
void write_durably(const std::filesystem::path& file, std::string_view content);

/// The same, readable by its owner alone (mode 0600), from its first byte on.
void write_privately(const std::filesystem::path& file, std::string_view content);

/// Makes a folder, with those above it that are missing, and has their names on the disk before it returns: what is written
/// durably into a folder that is lost is lost. Throws Failure(could_not_finish) naming the folder.
void make_folder_durably(const std::filesystem::path& folder);

/// An append-only file of lines; append() returns when the line is on disk (fsync). Throws
/// Failure(could_not_finish) naming the file.
class DurableLog {
 public:
  /// Opens or creates `file` for appending.
  explicit DurableLog(std::filesystem::path file);
  ~DurableLog();
  DurableLog(DurableLog&&) noexcept;
  DurableLog& operator=(DurableLog&&) = delete;

  /// Appends `line` and a newline.
  void append(std::string_view line);

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

/// The whole content of a file; throws bad_input naming the file when it cannot be read.
std::string read_file(const std::filesystem::path& file);

}  // namespace hanse
