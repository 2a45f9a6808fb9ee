#pragma once

#include <source_location>

namespace hanse {

/// Ends the process, naming file, line and function, when one of our own invariants does not hold. Always on.
/// Never for what a user or a peer sent: that is a Failure or a Result.
inline void check(bool holds, const char* invariant,
                  std::source_location where = std::source_location::current());

[[noreturn]] void check_failed(const char* invariant, const std::source_location& where);

inline void check(bool holds, const char* invariant, std::source_location where) {
  if (!holds) [[unlikely]] {
    check_failed(invariant, where);
  }
}

}  // namespace hanse
