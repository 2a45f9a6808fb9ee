#pragma once

#include <string>
#include <string_view>

#include "common/base/failure.h"
#include "privacy/crypto/digest.h"
#include "tests/fuzz/fuzz.h"

/// What holds for every kind of sealed file (privacy/published/sealed_file.h).
namespace hanse::fuzz {

/// Of a kind of sealed file. `once_more(bytes)` reads a file and writes what it read.
template <class OnceMore>
struct SealedFile {
  std::string_view magic;
  std::uint32_t version;
  std::size_t bytes_allocated_for_one;  ///< At most, for each byte that is read,
  std::size_t and_as_if_more;           ///< as if there were so many more.
  OnceMore once_more;

  /// The file itself, and a payload behind a header that fits it.
  void check_both(std::string_view bytes) const {
    check_file(bytes);
    ByteWriter writer;
    writer.put_bytes(bytes_of(magic)).put(version).put(std::uint64_t{bytes.size()});
    writer.put_bytes(sha256(bytes_of(bytes))).put_bytes(bytes_of(bytes));
    check_file(text_of(writer.bytes()));
  }

 private:
  void check_file(std::string_view bytes) const {
    const Allocations allocations;
    try {
      const std::string once = once_more(bytes);
      check(once_more(once) == once, "a file that was read is written in one way");
    } catch (const Failure& failure) {
      check(failure.code() == ExitCode::bad_input, "a bad file is bad input");
    }
    allocations.must_be_within(bytes.size() + and_as_if_more, bytes_allocated_for_one);
  }
};

}  // namespace hanse::fuzz
