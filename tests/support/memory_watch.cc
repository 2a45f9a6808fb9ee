#include "tests/support/memory_watch.h"

#include <malloc.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#ifdef HANSE_SANITIZED
#define HANSE_WATCHES_FREE 0
#else
#define HANSE_WATCHES_FREE 1
#endif

namespace hanse::memory_watch {
namespace {

constexpr std::uint64_t kDisguise = 0x9E3779B97F4A7C15u;
constexpr std::size_t kTableSize = 1u << 16;
constexpr std::size_t kFindingsMax = 1024;

/// An open hash table in static memory: a hook of free() must not allocate.
std::array<Window, kTableSize> table;
std::array<Finding, kFindingsMax> findings;
std::size_t found = 0;
std::uint64_t freed = 0;
bool watching = false;

std::size_t place_of(std::uint64_t disguised) {
  return static_cast<std::size_t>((disguised * 0xFF51AFD7ED558CCDu) >> 48) % kTableSize;
}

void fill_table(std::span<const Window> windows) {
  table.fill({});
  for (const Window& window : windows) {
    std::size_t place = place_of(window.first);
    while (table[place].first != 0) {
      place = (place + 1) % kTableSize;
    }
    table[place] = window;
  }
}

/// Calls `report(window)` for each window in `memory`, at whatever byte.
template <class Report>
void scan(const std::byte* memory, std::size_t size, const Report& report) {
  for (std::size_t at = 0; at + 16 <= size; ++at) {
    std::uint64_t first = 0;
    std::memcpy(&first, memory + at, 8);
    first ^= kDisguise;
    for (std::size_t place = place_of(first); table[place].first != 0; place = (place + 1) % kTableSize) {
      if (table[place].first == first) {
        std::uint64_t second = 0;
        std::memcpy(&second, memory + at + 8, 8);
        if ((second ^ kDisguise) == table[place].second) {
          report(table[place]);
        }
      }
    }
  }
}

[[maybe_unused]] void look_at_block(void* block) {
  if (!watching || block == nullptr) {
    return;
  }
  const std::size_t size = ::malloc_usable_size(block);
  freed += size;
  scan(static_cast<const std::byte*>(block), size, [&](const Window& window) {
    if (found < kFindingsMax) {
      findings[found++] = {window.kind, size};
    }
  });
}

}  // namespace

std::vector<Window> windows_of(ByteView secret, std::uint32_t kind) {
  std::vector<Window> windows;
  for (std::size_t at = 0; at + 16 <= secret.size();
       at += std::clamp<std::size_t>(secret.size() - at - 16, 1, 16)) {
    Window window{.kind = kind};
    std::memcpy(&window.first, secret.data() + at, 8);
    std::memcpy(&window.second, secret.data() + at + 8, 8);
    window.first ^= kDisguise;
    window.second ^= kDisguise;
    windows.push_back(window);
  }
  return windows;
}

bool works() {
  return HANSE_WATCHES_FREE != 0;
}

void begin(std::span<const Window> windows) {
  fill_table(windows);
  found = 0;
  freed = 0;
  watching = true;
}

std::vector<Finding> end() {
  watching = false;
  return {findings.begin(), findings.begin() + static_cast<std::ptrdiff_t>(found)};
}

std::uint64_t bytes_freed() {
  return freed;
}

std::vector<Finding> search_whole_process(std::span<const Window> windows) {
  fill_table(windows);
  std::vector<Finding> all;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw-p ") == std::string::npos || line.find("[vvar]") != std::string::npos) {
      continue;
    }
    const std::uint64_t begin_address = std::stoull(line, nullptr, 16);
    const std::uint64_t end_address = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    scan(reinterpret_cast<const std::byte*>(begin_address), end_address - begin_address,
         [&](const Window& window) {
           all.push_back({window.kind, 0});
         });
  }
  return all;
}

}  // namespace hanse::memory_watch

#if HANSE_WATCHES_FREE
extern "C" {
void __libc_free(void* block);
void* __libc_malloc(std::size_t size);

void free(void* block) noexcept {
  hanse::memory_watch::look_at_block(block);
  __libc_free(block);
}

/// Never grows in place: what it leaves behind is a freed block like any other.
void* realloc(void* block, std::size_t size) noexcept {
  if (block == nullptr) {
    return __libc_malloc(size);
  }
  void* moved = __libc_malloc(size);
  if (moved != nullptr) {
    std::memcpy(moved, block, std::min(size, ::malloc_usable_size(block)));
    free(block);
  }
  return moved;
}
}
#endif
