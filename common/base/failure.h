#pragma once

#include <stdexcept>
#include <string>

namespace hanse {

/// What a program's exit code says; the same for every program of Hanse.
enum class ExitCode : int {
  done = 0,
  finding = 1,           ///< An audit that does not hold.
  bad_input = 2,         ///< Bad input or usage.
  could_not_finish = 3,  ///< Quorum lost, budget spent before the first round, disk full.
  refused = 4,           ///< Refused by the protocol: an attack or a foreign peer.
};

/// Ends the program with one clear sentence for its user: the file, line, key or rank, what was expected and
/// what to do. Thrown where the fault is seen and caught once, in run_program(). A peer's bad message is no
/// Failure: it is a value (`Result`), because it must not end anything.
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Shorthand for the commonest Failure.
inline Failure bad_input(const std::string& sentence) {
  return {ExitCode::bad_input, sentence};
}

}  // namespace hanse
