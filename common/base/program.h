#pragma once

#include <functional>

namespace hanse {

/// Runs `body` as a program's main: gives its exit code, or prints the sentence of a Failure (or of an unexpected
/// exception) on standard error behind the program's name and gives that exit code.
int run_program(const char* name, const std::function<int()>& body);

}  // namespace hanse
