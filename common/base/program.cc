#include "common/base/program.h"

#include <cstdio>
#include <exception>

#include "common/base/failure.h"
#include "common/base/memory.h"

namespace hanse {

int run_program(const char* name, const std::function<int()>& body) {
  keep_freed_memory();
  try {
    return body();
  } catch (const Failure& failure) {
    std::fprintf(stderr, "%s: %s\n", name, failure.what());
    return static_cast<int>(failure.code());
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "%s: unexpected: %s\n", name, exception.what());
    return static_cast<int>(ExitCode::could_not_finish);
  }
}

}  // namespace hanse
