#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace hanse {

/// Distinct strings, numbered 0, 1, ... in the order they came. One block of characters and one table: 20
/// bytes and the text for each string, so that a million customers are no million allocations.
class StringTable {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  /// The number of `text`, which is added when it is new.
  std::uint32_t add(std::string_view text);
  /// The number of `text`, or kNone.
  std::uint32_t find(std::string_view text) const;
  std::string_view text(std::uint32_t number) const;
  std::uint32_t size() const { return static_cast<std::uint32_t>(ends_.size()); }

 private:
  std::size_t slot_of(std::string_view text) const;
  void grow();

  std::vector<char> characters_;
  std::vector<std::uint64_t> ends_;  ///< Of each string in `characters_`.
  std::vector<std::uint32_t> slots_ =
      std::vector<std::uint32_t>(16, kNone);  ///< Open addressing, a power of two.
};

}  // namespace hanse
