#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hanse {

/// What a program left behind.
struct Outcome {
  int code = -1;  ///< Exit code; -1 when it did not end in time or died of a signal.
  std::string output;
  std::string errors;
};

/// A program of the build, started in a folder as a user would: `{"hanse", "run", "shop.ini"}` is
/// build/bin/hanse. A name with a '/' in it, or one that the build does not have, is looked up in PATH.
class StartedProgram {
 public:
  StartedProgram(std::vector<std::string> words, const std::filesystem::path& folder,
                 const std::vector<std::string>& environment = {});
  ~StartedProgram();
  StartedProgram(const StartedProgram&) = delete;
  StartedProgram& operator=(const StartedProgram&) = delete;

  /// Waits for its end, at most `patience`; then it is ended by force.
  Outcome wait(std::chrono::seconds patience = std::chrono::seconds(60));

 private:
  pid_t child_ = -1;
  std::filesystem::path output_;
  std::filesystem::path errors_;
};

/// Starts it and waits.
Outcome run_in(const std::filesystem::path& folder, std::vector<std::string> words);

/// Processes alive whose command line begins with `program` and has `part` in it.
std::vector<pid_t> processes_with(const std::string& part, const std::string& program = "");

/// The bytes of a file; a failed test when there is none.
std::string bytes_of_file(const std::filesystem::path& file);

/// The files of a run's model by name: model.hanse and all arrays.
std::map<std::string, std::string> model_files(const std::filesystem::path& run);

/// Lines of a text that are not empty.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace hanse
