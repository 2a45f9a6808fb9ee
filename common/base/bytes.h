#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace hanse {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

static_assert(std::endian::native == std::endian::little,
              "fixed layouts are written as little-endian memory");

inline ByteView bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
inline std::string text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends little-endian fields to a message.
class ByteWriter {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> ByteWriter& put(T value) {
    return put_bytes(std::as_bytes(std::span(&value, 1)));
  }
  // Not inlined: g++ 12 sees overflows that are not there when it inlines several insertions into one function.
  [[gnu::noinline]] ByteWriter& put_bytes(ByteView bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Bytes take() { return std::move(bytes_); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

/// Reads little-endian fields from a peer's bytes. Every read past the end sets failed() and gives zeros, so a
/// parser reads all its fields and asks once. Nothing is allocated from a length before it was compared with
/// remaining().
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  template <class T>
  requires std::is_arithmetic_v<T> T get() {
    T value{};
    const ByteView field = get_bytes(sizeof(T));
    if (field.size() == sizeof(T)) {
      std::memcpy(&value, field.data(), sizeof(T));
    }
    return value;
  }
  /// The next `count` bytes, or none (and failed()) when fewer remain.
  ByteView get_bytes(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const ByteView field = rest_.first(count);
    rest_ = rest_.subspan(count);
    return field;
  }
  std::size_t remaining() const { return rest_.size(); }
  bool failed() const { return failed_; }
  /// True when all bytes were read and none was missing.
  bool finished() const { return !failed_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool failed_ = false;
};

}  // namespace hanse
