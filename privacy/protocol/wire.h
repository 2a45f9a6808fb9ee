#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/base/bytes.h"

namespace hanse {

/// Small readers and writers that the fixed layouts of privacy/protocol are made of. A field that breaks a
/// rule fails the reader, so that a message has one verdict, asked for once, at its end.

/// Makes every later question to `reader` answer "failed".
inline void reject(ByteReader& reader) {
  (void)reader.get_bytes(reader.remaining() + 1);
}

template <std::size_t N>
std::array<std::byte, N> get_array(ByteReader& reader) {
  std::array<std::byte, N> bytes{};
  const ByteView field = reader.get_bytes(N);
  std::copy(field.begin(), field.end(), bytes.begin());
  return bytes;
}

/// A 32-bit count of elements of at least `element_size` bytes each, all of which must still be there:
/// nothing is ever allocated from a number that the message's own length does not carry.
inline std::size_t get_count(ByteReader& reader, std::size_t element_size) {
  const auto count = reader.get<std::uint32_t>();
  if (count > reader.remaining() / element_size) {
    reject(reader);
    return 0;
  }
  return count;
}

/// Text of at most `size_max` bytes behind its 32-bit length.
inline void put_text(ByteWriter& writer, std::string_view text) {
  writer.put(static_cast<std::uint32_t>(text.size())).put_bytes(bytes_of(text));
}
inline std::string get_text(ByteReader& reader, std::size_t size_max) {
  const std::size_t size = get_count(reader, 1);
  if (size > size_max) {
    reject(reader);
    return {};
  }
  return text_of(reader.get_bytes(size));
}

}  // namespace hanse
