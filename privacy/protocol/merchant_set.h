#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/bytes.h"

namespace hanse {

/// A set of merchants of a roster, as a bitmap: one bit an id. Requests name sets in this form only, so that
/// a merchant is in or out, and never both.
class MerchantSet {
 public:
  MerchantSet() = default;
  explicit MerchantSet(std::size_t roster_size) : roster_size_(roster_size), bitmap_((roster_size + 7) / 8) {}
  static MerchantSet all(std::size_t roster_size);
  /// Ids must be below `roster_size`.
  static MerchantSet of(std::size_t roster_size, const std::vector<std::uint32_t>& ids);

  std::size_t roster_size() const { return roster_size_; }
  /// False for ids beyond the roster.
  bool contains(std::uint32_t id) const {
    return id < roster_size_ && (bitmap_[id / 8] & bit_of(id)) != std::byte{0};
  }
  void insert(std::uint32_t id);
  void erase(std::uint32_t id);
  std::size_t count() const { return count_; }
  std::vector<std::uint32_t> ids() const;  ///< Increasing.
  bool within(const MerchantSet& other) const;
  /// Those that are not in `others`.
  MerchantSet without(const MerchantSet& others) const;

  /// roster_size u32, then one bit an id, lowest bit of the first byte first; spare bits are zero.
  void write(ByteWriter& writer) const;
  static MerchantSet read(ByteReader& reader);

  friend bool operator==(const MerchantSet&, const MerchantSet&) = default;

 private:
  static std::byte bit_of(std::uint32_t id) { return std::byte{1} << (id % 8); }

  std::size_t roster_size_ = 0;
  Bytes
      bitmap_;  ///< As it is written: thousands of merchants each put it under a hash, several times a round.
  std::size_t count_ = 0;
};

}  // namespace hanse
