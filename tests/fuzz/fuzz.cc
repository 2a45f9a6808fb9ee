#include "tests/fuzz/fuzz.h"

#include <sanitizer/allocator_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

namespace hanse::fuzz {
namespace {

std::uint64_t allocated = 0;

void on_malloc(const volatile void*, std::size_t size) {
  allocated += size;
}
void on_free(const volatile void*) {}

const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

}  // namespace

std::uint64_t Allocations::total() {
  check(installed > 0, "allocations are watched");
  return allocated;
}

MemoryFile::MemoryFile() : descriptor_(memfd_create("fuzz", 0)) {
  check(descriptor_ >= 0, "a file in memory is made");
  std::snprintf(path_, sizeof path_, "/proc/self/fd/%d", descriptor_);
}

MemoryFile::~MemoryFile() {
  close(descriptor_);
}

void MemoryFile::write(std::string_view content) {
  check(ftruncate(descriptor_, 0) == 0 &&
            pwrite(descriptor_, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()),
        "a file in memory takes its content");
}

}  // namespace hanse::fuzz
