#include "common/transport/run_status.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "common/base/durable_file.h"

namespace hanse {

void write_run_status(int code) {
  const char* file = std::getenv(kStatusVariable);
  if (file != nullptr && *file != '\0') {
    write_durably(file, "done " + std::to_string(code) + "\n");
  }
}

int exit_code_for_mpirun(int code) {
  return std::getenv(kStatusVariable) != nullptr ? 0 : code;
}

std::optional<int> read_run_status(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string word;
  int code = 0;
  if (stream >> word >> code && word == "done" && code >= 0 && code <= 255) {
    return code;
  }
  return std::nullopt;
}

bool output_is_terminal() {
  const char* told = std::getenv(kTerminalVariable);
  return told != nullptr ? std::string(told) == "1" : ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace hanse
