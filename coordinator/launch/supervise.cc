#include "coordinator/launch/supervise.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/failure.h"
#include "common/transport/run_status.h"

namespace hanse {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPoll{20};
constexpr milliseconds kLeaving{1500};   ///< For ranks, when mpirun is gone.
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

/// What /proc says of a process: its state letter and its parent; nothing when it is gone.
std::optional<std::pair<char, pid_t>> seen(pid_t process) {
  std::ifstream stream("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(stream, text);
  const std::size_t name_end = text.rfind(')');  // A program's name may hold anything.
  char state = 0;
  int parent = 0;
  if (name_end == std::string::npos ||
      std::sscanf(text.c_str() + name_end + 1, " %c %d", &state, &parent) != 2) {
    return std::nullopt;
  }
  return std::pair{state, parent};
}

bool is_gone(pid_t process) {
  const auto found = seen(process);
  return !found || found->first == 'Z' || found->first == 'X';
}

std::vector<pid_t> children() {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; })) {
      const auto process = static_cast<pid_t>(std::atol(name.c_str()));
      const auto state = seen(process);
      if (state && state->second == ::getpid()) {
        found.push_back(process);
      }
    }
  }
  return found;
}

/// Ranks that outlive mpirun become children of this process (a subreaper). They end by themselves within a second or two;
/// one that is stopped, or waits inside MPI, does not.
void end_orphans() {
  const auto until = std::chrono::steady_clock::now() + kLeaving;
  while (true) {
    pid_t reaped = 0;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (reaped < 0) {
      return;  // No child is left.
    }
    if (std::chrono::steady_clock::now() >= until) {
      for (const pid_t child : children()) {
        ::kill(child, SIGKILL);  // Also a stopped one.
      }
    }
    std::this_thread::sleep_for(kPoll);
  }
}

/// How one mpirun ended.
struct Ending {
  std::optional<int> code;  ///< The coordinator's, if it gave one.
  bool worth_restarting = false;
  std::string why;  ///< Follows on "hanse run: ".
};

/// When the status file was last seen to change, by a clock that nobody sets and that stands still while the machine
/// sleeps. One that died before its first word is silent from the start.
class SignsOfLife {
 public:
  explicit SignsOfLife(std::filesystem::path status) : status_(std::move(status)) {}

  bool missing_for(std::chrono::milliseconds patience) {
    std::error_code error;
    const auto written = std::filesystem::last_write_time(status_, error);
    const auto now = std::chrono::steady_clock::now();
    if (!error && written != written_) {
      written_ = written;
      seen_ = now;
    }
    return now - seen_ > patience;
  }

 private:
  std::filesystem::path status_;
  std::optional<std::filesystem::file_time_type> written_;
  std::chrono::steady_clock::time_point seen_ = std::chrono::steady_clock::now();
};

Ending watch(const std::vector<std::string>& line, const std::filesystem::path& file,
             std::chrono::milliseconds patience) {
  SignsOfLife signs(file);
  const pid_t mpirun = start(line);
  bool was_at_work = false;
  while (true) {
    const auto wait_status = ended(mpirun, kPoll);
    const RunStatus before = read_run_status(file);
    was_at_work = was_at_work || before.coordinator;
    const bool gone = before.coordinator && is_gone(*before.coordinator);
    // Read after all were looked at: the coordinator's last word cannot be missed.
    const RunStatus status = read_run_status(file);
    std::string why;
    if (status.code) {
      if (!wait_status && !ended(mpirun, kPatience)) {
        end(mpirun);
      }
      return {status.code, status.again, "the coordinator could not go on"};
    }
    if (wait_status) {
      return {std::nullopt, was_at_work,
              "mpirun ended " + described(*wait_status) + " before the coordinator had finished"};
    }
    if (gone) {
      why = "the coordinator is gone";
    } else if (signs.missing_for(patience)) {
      why = "the coordinator gave no sign of life for " + std::to_string(patience.count() / 1000) + " s";
    }
    if (!why.empty()) {
      end(mpirun);
      return {std::nullopt, true, why};
    }
    if (interrupted != 0) {
      end(mpirun);
      return {std::nullopt, false, "interrupted by signal " + std::to_string(static_cast<int>(interrupted))};
    }
  }
}

}  // namespace

int supervise(const Supervised& run) {
  const StatusFolder status;
  for (const auto& [name, value] : run.environment) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  ::setenv(kStatusVariable, status.file().c_str(), 1);
  ::setenv(kTerminalVariable, ::isatty(STDOUT_FILENO) == 1 ? "1" : "0", 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  struct sigaction action {};
  action.sa_handler = note_interruption;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);

  for (unsigned restart = 1;; ++restart) {
    std::error_code ignored;
    std::filesystem::remove(status.file(), ignored);
    const Ending ending = watch(restart == 1 ? run.line : run.continued, status.file(), run.patience);
    end_orphans();
    if (interrupted == 0 && ending.worth_restarting && restart <= run.restarts) {
      std::fprintf(stderr, "hanse run: %s; restart %u of %u continues the run\n", ending.why.c_str(), restart,
                   run.restarts);
      continue;
    }
    if (ending.code) {
      return *ending.code;
    }
    throw Failure(
        ExitCode::could_not_finish,
        ending.why +
            (ending.worth_restarting ? ": start it again with federation.resume=true to continue it" : ""));
  }
}

}  // namespace hanse
