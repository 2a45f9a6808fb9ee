#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"

/// What every fuzz target is: a function of bytes that somebody else chose. It ends the process when a promise is broken;
/// the sanitizers end it for the rest. libFuzzer (Serebryany 2015) calls it with millions of inputs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace hanse::fuzz {

inline ByteView input(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}
inline std::string_view text_input(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Everything that is allocated while it lives, freed again or not: a parser that believes a length it was told shows here,
/// however briefly it does.
class Allocations {
 public:
  Allocations() : before_(total()) {}
  std::uint64_t bytes() const { return total() - before_; }
  /// At most `factor` bytes for each byte of input, and a little for sentences of errors.
  void must_be_within(std::size_t input_size, std::size_t factor) const {
    check(bytes() <= factor * input_size + kSlack, "a parser allocates in proportion to its input");
  }

 private:
  static constexpr std::size_t kSlack = 16 * 1024;
  static std::uint64_t total();

  std::uint64_t before_;
};

/// A file in memory, for parsers that read files. Its path is good in this process.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void write(std::string_view content);
  const char* path() const { return path_; }

 private:
  int descriptor_;
  char path_[40];
};

}  // namespace hanse::fuzz
