#pragma once

#include <filesystem>
#include <optional>

namespace hanse {

/// How the coordinator tells `hanse run` its exit code: mpirun's own says nothing once the death of a rank is
/// survived, and mpirun does not even return when a host was lost. The file named by the environment variable
/// HANSE_STATUS holds "done CODE", written durably as the coordinator's last act.
inline constexpr const char* kStatusVariable = "HANSE_STATUS";
/// "1" when the standard output of `hanse run` is a terminal: mpirun's is a pipe, so a program cannot ask
/// itself.
inline constexpr const char* kTerminalVariable = "HANSE_TERMINAL";

/// Writes "done CODE" into the file that HANSE_STATUS names; nothing when there is none (a plain mpirun).
void write_run_status(int code);

/// What a rank returns to mpirun: 0 under `hanse run`, which has the code from the status file, because
/// mpirun turns any other into pages of its own; else `code` itself.
int exit_code_for_mpirun(int code);

/// The code in `file`; nothing while it is missing or not of that form.
std::optional<int> read_run_status(const std::filesystem::path& file);

/// True when a live progress line makes sense: HANSE_TERMINAL if set, or else whether standard output is a
/// terminal.
bool output_is_terminal();

}  // namespace hanse
