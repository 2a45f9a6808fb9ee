#pragma once

#include <filesystem>
#include <string_view>

namespace hanse {

/// A file mapped into memory, read only: its pages are the kernel's cache, not ours, so scanning a file twice
/// costs no memory and text can be kept as views. The file must not be truncated meanwhile. Throws bad_input
/// when it cannot be opened or is no regular file.
class MappedFile {
 public:
  /// `key` names the configuration key that asks for the file.
  MappedFile(const std::filesystem::path& path, std::string_view key);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

}  // namespace hanse
