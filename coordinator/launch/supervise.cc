#include "coordinator/launch/supervise.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>

#include "common/base/failure.h"
#include "common/transport/run_status.h"

namespace hanse {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPoll{20};
constexpr milliseconds kPatience{2000};  ///< Before the next signal to an mpirun that does not end.

volatile sig_atomic_t interrupted = 0;
void note_interruption(int signal_number) {
  interrupted = signal_number;
}

/// A folder of its own for the status file, gone with the launcher.
class StatusFolder {
 public:
  StatusFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "hanse.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw Failure(ExitCode::could_not_finish, "cannot create " + name + ": " + std::strerror(errno));
    }
    folder_ = name;
  }
  ~StatusFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  StatusFolder(const StatusFolder&) = delete;
  StatusFolder& operator=(const StatusFolder&) = delete;
  std::filesystem::path file() const { return folder_ / "status"; }

 private:
  std::filesystem::path folder_;
};

/// In a process group of its own, so that Control-C reaches mpirun once, through us.
pid_t start(const std::vector<std::string>& line) {
  std::vector<char*> words;
  for (const std::string& word : line) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) {
      ::_exit(127);
    }
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  if (child < 0) {
    throw Failure(ExitCode::could_not_finish,
                  std::string("cannot start ") + line[0] + ": " + std::strerror(errno));
  }
  return child;
}

/// Waits until the child has ended, at most for `patience`; its wait status, or nothing.
std::optional<int> ended(pid_t child, milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  do {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      return status;
    }
    std::this_thread::sleep_for(kPoll);
  } while (std::chrono::steady_clock::now() < until);
  return std::nullopt;
}

void end(pid_t child) {
  for (const int signal_number : {SIGTERM, SIGTERM, SIGKILL}) {
    ::kill(child, signal_number);
    if (ended(child, kPatience)) {
      return;
    }
  }
}

std::string described(int wait_status) {
  return WIFSIGNALED(wait_status) ? "by signal " + std::to_string(WTERMSIG(wait_status))
                                  : "with code " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace

int supervise(const std::vector<std::string>& line,
              const std::vector<std::pair<std::string, std::string>>& environment) {
  const StatusFolder status;
  for (const auto& [name, value] : environment) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  ::setenv(kStatusVariable, status.file().c_str(), 1);
  ::setenv(kTerminalVariable, ::isatty(STDOUT_FILENO) == 1 ? "1" : "0", 0);
  struct sigaction action {};
  action.sa_handler = note_interruption;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);

  const pid_t child = start(line);
  while (true) {
    const auto wait_status = ended(child, kPoll);
    // Read after the child was looked at: its last word cannot be missed.
    const auto code = read_run_status(status.file());
    if (code) {
      if (!wait_status && !ended(child, kPatience)) {
        end(child);
      }
      return *code;
    }
    if (wait_status) {
      throw Failure(ExitCode::could_not_finish,
                    "mpirun ended " + described(*wait_status) + " before the coordinator had finished");
    }
    if (interrupted != 0) {
      end(child);
      throw Failure(ExitCode::could_not_finish,
                    "interrupted by signal " + std::to_string(static_cast<int>(interrupted)));
    }
  }
}

}  // namespace hanse
