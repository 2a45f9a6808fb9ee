// hanse: starts the program of that name beside it, as in `hanse run federation.ini`.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/failure.h"
#include "common/base/program.h"
#include "common/config/nearest.h"
#include "coordinator/launch/launch.h"

namespace {

struct Program {
  const char* name;
  const char* does;
};

constexpr Program kPrograms[] = {
    {"run", "runs a federation: coordinator and workers"},
    {"crossvalidate", "runs a federation once for each fold of its rows, and compares"},
    {"audit", "verifies a run's ledger and recomputes its privacy budget"},
    {"report", "writes a run's report, one page with plots"},
    {"predict", "applies a model to a merchant's own customers"},
    {"recommend", "recommends items to a merchant's own customers"},
    {"query", "asks a Bayesian network: P(buys | month=May)"},
    {"epsilon", "computes the epsilon of a mechanism"},
    {"calibrate", "computes the noise for a wished epsilon"},
    {"keys", "creates identities and the signed roster"},
    {"market", "generates a synthetic market of merchants with known truth"},
    {"coordinator", "rank 0 of a federation, started by mpirun"},
    {"worker", "every other rank, started by mpirun"},
};

std::filesystem::path file_of(const std::string& name) {
  return hanse::program_folder() / ("hanse-" + name);
}

void print_programs() {
  std::puts("usage: hanse PROGRAM [arguments]\n\nFederated learning for merchants.\n");
  for (const Program& program : kPrograms) {
    if (std::filesystem::exists(file_of(program.name))) {
      std::printf("  %-14s %s\n", program.name, program.does);
    }
  }
  std::puts("\n'hanse PROGRAM --help' tells more.");
}

/// Replaces this process; comes back only by a Failure.
[[noreturn]] void become(const std::string& name, std::vector<std::string> arguments) {
  const std::string file = file_of(name).string();
  if (name.find('/') != std::string::npos || ::access(file.c_str(), X_OK) != 0) {
    std::vector<std::string> names;
    for (const Program& program : kPrograms) {
      names.emplace_back(program.name);
    }
    throw hanse::bad_input("unknown program '" + name + "'" + hanse::did_you_mean(name, names) +
                           " (see 'hanse --help')");
  }
  arguments.insert(arguments.begin(), file);
  std::vector<char*> words;
  for (std::string& word : arguments) {
    words.push_back(word.data());
  }
  words.push_back(nullptr);
  ::execv(file.c_str(), words.data());
  throw hanse::Failure(hanse::ExitCode::could_not_finish,
                       "cannot start " + file + ": " + std::strerror(errno));
}

int dispatch(std::vector<std::string> arguments) {
  const std::string name = arguments.empty() ? "--help" : arguments.front();
  if (name == "--version") {
    std::printf("hanse %s\n", HANSE_VERSION);
    return 0;
  }
  if (name == "--help" || name == "-h" || (name == "help" && arguments.size() == 1)) {
    print_programs();
    return 0;
  }
  if (name == "help") {
    become(arguments[1], {"--help"});
  }
  arguments.erase(arguments.begin());
  become(name, arguments);
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse", [&] { return dispatch({argv + 1, argv + argc}); });
}
