#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "common/base/failure.h"
#include "common/config/configuration.h"
#include "common/data/read_dataset.h"

namespace hanse {

/// A folder for one test's files, removed with it.
class DataFolder {
 public:
  DataFolder() {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("hanse-data-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~DataFolder() { std::filesystem::remove_all(path_); }
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The sentence of the Failure that `act` ends with, without the folder of its files; empty when it does not
/// fail.
template <class Act>
std::string refusal(const Act& act, const std::string& folder = "") {
  try {
    act();
  } catch (const Failure& failure) {
    std::string sentence = failure.what();
    for (std::size_t at = sentence.find(folder + "/"); !folder.empty() && at != std::string::npos;
         at = sentence.find(folder + "/")) {
      sentence.erase(at, folder.size() + 1);
    }
    return sentence;
  }
  return "";
}

/// Columns and values of a row as "0:1.5 3:1", for one-line expectations.
inline std::string text_of_row(const SparseRow& row) {
  std::ostringstream text;
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    text << (i > 0 ? " " : "") << row.columns[i] << ':' << row.values[i];
  }
  return text.str();
}

}  // namespace hanse
