#include "common/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace hanse {

void check_failed(const char* invariant, const std::source_location& where) {
  std::fprintf(stderr, "hanse: broken invariant at %s:%u in %s: %s\n", where.file_name(), where.line(),
               where.function_name(), invariant);
  std::abort();
}

}  // namespace hanse
