#include "common/base/memory.h"

#include <malloc.h>

namespace hanse {

void keep_freed_memory() {
  constexpr int kMegabyte = 1 << 20;
  // Setting either ends glibc's own adaptation, so both are set. 32 MB is the most it accepts for the first.
  mallopt(M_MMAP_THRESHOLD, 32 * kMegabyte);
  mallopt(M_TRIM_THRESHOLD, 256 * kMegabyte);
}

void give_back_large_buffers() {
  mallopt(M_MMAP_THRESHOLD, 1 << 18);
}

void give_back_freed_memory() {
  malloc_trim(0);
}

}  // namespace hanse
