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
  explicit MerchantSet(std::size_t roster_size) : bits_(roster_size, false) {}
  static MerchantSet all(std::size_t roster_size);
  /// Ids must be below `roster_size`.
  static MerchantSet of(std::size_t roster_size, const std::vector<std::uint32_t>& ids);

  std::size_t roster_size() const { return bits_.size(); }
  /// False for ids beyond the roster.
  bool contains(std::uint32_t id) const { return id < bits_.size() && bits_[id]; }
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
  std::vector<bool> bits_;
  std::size_t count_ = 0;
};

}  // namespace hanse
