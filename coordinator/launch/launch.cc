#include "coordinator/launch/launch.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>

namespace hanse {
namespace {

constexpr unsigned kMostDefaultWorkers = 4;
constexpr unsigned kMostFilesCounted = 4096;

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-_./=:,+@%").find(c) != std::string_view::npos;
}

std::string quoted(const std::string& word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) {
    return word;
  }
  std::string out = "'";
  for (const char c : word) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

void append_ranks(std::vector<std::string>& line, const Launch& launch, unsigned count, const char* program) {
  if (launch.hostfile) {
    line.insert(line.end(), {"--hostfile", *launch.hostfile});
  }
  line.insert(line.end(),
              {"-n", std::to_string(count), (launch.programs / program).string(), launch.file.string()});
  line.insert(line.end(), launch.settings.begin(), launch.settings.end());
}

bool is_executable(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

/// How many merchants the rows are dealt to, when the configuration says so.
std::optional<unsigned> merchants_of(const std::string& partition) {
  const std::size_t colon = partition.find(':');
  if (colon == std::string::npos) {
    return std::nullopt;
  }
  unsigned count = 0;
  const char* begin = partition.data() + colon + 1;
  const auto error = std::from_chars(begin, partition.data() + partition.size(), count).ec;
  return error == std::errc() ? std::optional(count) : std::nullopt;
}

}  // namespace

std::vector<std::string> mpirun_line(const Launch& launch) {
  const char* named = std::getenv("HANSE_MPIRUN");
  std::vector<std::string> line = {named != nullptr && *named != '\0' ? named : "mpirun"};
  append_ranks(line, launch, 1, "hanse-coordinator");
  line.push_back(":");
  append_ranks(line, launch, launch.workers, "hanse-worker");
  if (launch.arbiter) {
    line.push_back(":");
    append_ranks(line, launch, 1, "hanse-worker");
  }
  return line;
}

std::vector<std::pair<std::string, std::string>> missing_mpi_settings(bool as_root) {
  std::vector<std::pair<std::string, std::string>> settings = {
      {"OMPI_MCA_rmaps_base_oversubscribe", "1"},           // More ranks than cores.
      {"OMPI_MCA_hwloc_base_binding_policy", "none"},       // Threads may use every core.
      {"OMPI_MCA_mpi_yield_when_idle", "1"},                // A waiting rank gives its core away.
      {"OMPI_MCA_orte_enable_recovery", "1"},               // The death of a rank is not the end of the run.
      {"OMPI_MCA_async_mpi_finalize", "1"},                 // No fence at the end, which hangs on dead ranks.
      {"OMPI_MCA_plm_rsh_no_tree_spawn", "1"},              // A lost host is not a failed launch.
      {"OMPI_MCA_btl_tcp_flags", "send"},                   // No write past the receiver's buffer, over TCP
      {"OMPI_MCA_btl_vader_single_copy_mechanism", "none"}  // and shared memory.
  };
  if (as_root) {
    settings.emplace_back("OMPI_ALLOW_RUN_AS_ROOT", "1");
    settings.emplace_back("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
  }
  std::erase_if(settings, [](const auto& setting) { return std::getenv(setting.first.c_str()) != nullptr; });
  return settings;
}

std::string shell_line(const std::vector<std::pair<std::string, std::string>>& environment,
                       const std::vector<std::string>& line) {
  std::string out;
  for (const auto& [name, value] : environment) {
    out += name + "=" + quoted(value) + " ";
  }
  for (const std::string& word : line) {
    out += (&word == line.data() ? "" : " ") + quoted(word);
  }
  return out;
}

unsigned default_workers(const Configuration& configuration) {
  constexpr std::string_view kPlace = "{worker}";
  const std::string& path = configuration.data.path;
  const std::size_t at = path.find(kPlace);
  if (at != std::string::npos) {
    unsigned count = 0;
    std::string one = path;
    std::error_code ignored;
    while (count < kMostFilesCounted &&
           std::filesystem::exists(
               one.replace(at, one.size() - at, std::to_string(count + 1) + path.substr(at + kPlace.size())),
               ignored)) {
      ++count;
    }
    return std::max(1u, count);
  }
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  return std::max(1u, std::min({kMostDefaultWorkers, cores,
                                merchants_of(configuration.data.partition).value_or(kMostDefaultWorkers)}));
}

std::filesystem::path program_folder() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

std::optional<std::filesystem::path> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return is_executable(name) ? std::optional<std::filesystem::path>(name) : std::nullopt;
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto candidate = std::filesystem::path(folder.empty() ? "." : folder) / name;
    if (is_executable(candidate)) {
      return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace hanse
