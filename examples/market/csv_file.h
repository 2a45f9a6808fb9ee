#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

namespace hanse {

/// A text file written line by line; a disk that does not take it is a Failure(could_not_finish), at the
/// latest on close().
class CsvFile {
 public:
  explicit CsvFile(std::filesystem::path file);
  ~CsvFile();
  CsvFile(const CsvFile&) = delete;
  CsvFile& operator=(const CsvFile&) = delete;

  void write(std::string_view text);
  template <class... Values>
  void print(const char* pattern, Values... values) {
    if (std::fprintf(stream_, pattern, values...) < 0) {
      fail("write");
    }
  }
  void close();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path file_;
  std::FILE* stream_;
};

}  // namespace hanse
