#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/bytes.h"

namespace hanse::memory_watch {

/// Looks for known secrets in memory. Linked into a test program it replaces free() and realloc(), hence also
/// operator delete and what OpenSSL frees, and reads every heap block at the moment it is given back.
///
/// A secret is known by its windows of 16 bytes. They are kept disguised, so that the watch never finds itself,
/// and pass between processes in that form: whoever computes them is not the process that is searched.
struct Window {
  std::uint64_t first = 0;   ///< Bytes 0 to 7, disguised.
  std::uint64_t second = 0;  ///< Bytes 8 to 15, disguised.
  std::uint32_t kind = 0;    ///< Of the caller: what the secret is.
};
/// The windows that cover `secret`, of at least 16 bytes.
std::vector<Window> windows_of(ByteView secret, std::uint32_t kind);

struct Finding {
  std::uint32_t kind = 0;
  std::size_t block_size = 0;
};

/// Whether free() is watched at all: not under the sanitizers, who have a free() of their own.
bool works();

/// From now on, what is freed is searched for these.
void begin(std::span<const Window> windows);
/// Ends the watch; gives what it found in blocks as they were freed.
std::vector<Finding> end();
std::uint64_t bytes_freed();  ///< During the latest watch.

/// Searches all memory that this process can write: heap, stack, globals, free blocks too.
std::vector<Finding> search_whole_process(std::span<const Window> windows);

}  // namespace hanse::memory_watch
