#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

namespace hanse {

/// How the coordinator tells `hanse run` how it fares: mpirun's own exit code says nothing once the death of a rank is
/// survived, and mpirun does not even return when a host was lost. The file named by the environment variable
/// HANSE_STATUS holds "running PID" from the coordinator's start on, is touched as a sign of life, and holds "done CODE",
/// or "done CODE again" when the run could go on with all its processes, written durably as its last act.
inline constexpr const char* kStatusVariable = "HANSE_STATUS";
/// "1" when the standard output of `hanse run` is a terminal: mpirun's is a pipe, so a program cannot ask
/// itself.
inline constexpr const char* kTerminalVariable = "HANSE_TERMINAL";

/// Each writes into the file that HANSE_STATUS names; nothing when there is none (a plain mpirun).
void write_run_started();
void write_sign_of_life();
void write_run_status(int code, bool again = false);

/// What a rank returns to mpirun: 0 under `hanse run`, which has the code from the status file, because
/// mpirun turns any other into pages of its own; else `code` itself.
int exit_code_for_mpirun(int code);

/// What the file says; empty while it is missing or not of that form.
struct RunStatus {
  std::optional<pid_t> coordinator;  ///< While it runs.
  std::optional<int> code;           ///< Once it is done.
  bool again = false;
};
RunStatus read_run_status(const std::filesystem::path& file);

/// True when a live progress line makes sense: HANSE_TERMINAL if set, or else whether standard output is a
/// terminal.
bool output_is_terminal();

}  // namespace hanse
