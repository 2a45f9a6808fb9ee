#include "common/transport/run_status.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "common/base/durable_file.h"

namespace hanse {

namespace {

const char* status_file() {
  const char* file = std::getenv(kStatusVariable);
  return file != nullptr && *file != '\0' ? file : nullptr;
}

}  // namespace

void write_run_started() {
  if (const char* file = status_file()) {
    write_durably(file, "running " + std::to_string(::getpid()) + "\n");
  }
}

void write_sign_of_life() {
  if (const char* file = status_file()) {
    ::utimensat(AT_FDCWD, file, nullptr, 0);  // One that fails is one that is missing.
  }
}

void write_run_status(int code, bool again) {
  if (const char* file = status_file()) {
    write_durably(file, "done " + std::to_string(code) + (again ? " again\n" : "\n"));
  }
}

int exit_code_for_mpirun(int code) {
  return std::getenv(kStatusVariable) != nullptr ? 0 : code;
}

RunStatus read_run_status(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string word;
  long number = 0;
  RunStatus status;
  if (stream >> word >> number && word == "running" && number > 1) {
    status.coordinator = static_cast<pid_t>(number);
  } else if (word == "done" && number >= 0 && number <= 255 && stream) {
    status.code = static_cast<int>(number);
    status.again = (stream >> word) && word == "again";
  }
  return status;
}

bool output_is_terminal() {
  const char* told = std::getenv(kTerminalVariable);
  return told != nullptr ? std::string(told) == "1" : ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace hanse
