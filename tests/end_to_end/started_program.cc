#include "tests/end_to_end/started_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <fstream>
#include <sstream>
#include <thread>

namespace hanse {
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kPoll{10};

void redirect(const fs::path& file, int descriptor) {
  const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(opened, descriptor);
}

std::string text_of_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace

StartedProgram::StartedProgram(std::vector<std::string> words, const fs::path& folder,
                               const std::vector<std::string>& environment) {
  static std::atomic<int> started{0};
  const std::string name = "hanse-e2e-" + std::to_string(::getpid()) + "-" + std::to_string(++started);
  output_ = fs::temp_directory_path() / (name + ".out");
  errors_ = fs::temp_directory_path() / (name + ".err");
  const fs::path built = fs::path(HANSE_BIN_DIR) / words[0];
  if (fs::exists(built)) {
    words[0] = built.string();
  }
  child_ = ::fork();
  if (child_ == 0) {
    ::setpgid(0, 0);
    redirect(output_, STDOUT_FILENO);
    redirect(errors_, STDERR_FILENO);
    redirect("/dev/null", STDIN_FILENO);
    for (const std::string& setting : environment) {
      const std::size_t equals = setting.find('=');
      ::setenv(setting.substr(0, equals).c_str(), setting.substr(equals + 1).c_str(), 1);
    }
    std::vector<char*> arguments;
    for (std::string& word : words) {
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    if (::chdir(folder.c_str()) == 0) {
      ::execvp(arguments[0], arguments.data());
    }
    ::_exit(127);
  }
}

StartedProgram::~StartedProgram() {
  if (child_ > 0) {
    wait(std::chrono::seconds(0));
  }
  std::error_code ignored;
  fs::remove(output_, ignored);
  fs::remove(errors_, ignored);
}

Outcome StartedProgram::wait(std::chrono::seconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  int status = 0;
  bool killed = false;
  while (::waitpid(child_, &status, WNOHANG) == 0) {
    if (!killed && std::chrono::steady_clock::now() >= until) {
      ::kill(-child_, SIGKILL);  // A launcher's death takes its mpirun along.
      killed = true;
    }
    std::this_thread::sleep_for(kPoll);
  }
  child_ = -1;
  return {.code = !killed && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .output = text_of_file(output_),
          .errors = text_of_file(errors_)};
}

Outcome run_in(const fs::path& folder, std::vector<std::string> words) {
  return StartedProgram(std::move(words), folder).wait();
}

std::vector<pid_t> processes_with(const std::string& part, const std::string& program) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (!std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
      continue;
    }
    std::string line = text_of_file(entry.path() / "cmdline");
    std::replace(line.begin(), line.end(), '\0', ' ');
    if (line.find(part) != std::string::npos && line.starts_with(program)) {
      found.push_back(std::stoi(name));
    }
  }
  return found;
}

std::string bytes_of_file(const fs::path& file) {
  EXPECT_TRUE(fs::is_regular_file(file)) << file;
  return text_of_file(file);
}

std::map<std::string, std::string> model_files(const fs::path& run) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(run / "model")) {
    if (entry.path().extension() == ".npy" || entry.path().extension() == ".hanse") {
      files[entry.path().filename().string()] = bytes_of_file(entry.path());
    }
  }
  return files;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) {
      lines.push_back(line);
    }
  }
  return lines;
}

}  // namespace hanse
