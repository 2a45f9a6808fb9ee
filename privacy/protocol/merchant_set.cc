#include "privacy/protocol/merchant_set.h"

#include "common/base/check.h"
#include "privacy/protocol/wire.h"
#include "privacy/sum_parameters.h"

namespace hanse {

MerchantSet MerchantSet::all(std::size_t roster_size) {
  MerchantSet set(roster_size);
  for (std::uint32_t id = 0; id < roster_size; ++id) {
    set.insert(id);
  }
  return set;
}

MerchantSet MerchantSet::of(std::size_t roster_size, const std::vector<std::uint32_t>& ids) {
  MerchantSet set(roster_size);
  for (const std::uint32_t id : ids) {
    set.insert(id);
  }
  return set;
}

void MerchantSet::insert(std::uint32_t id) {
  check(id < roster_size_, "a merchant set holds ids of its roster");
  count_ += contains(id) ? std::size_t{0} : std::size_t{1};
  bitmap_[id / 8] |= bit_of(id);
}

void MerchantSet::erase(std::uint32_t id) {
  if (contains(id)) {
    bitmap_[id / 8] &= ~bit_of(id);
    --count_;
  }
}

std::vector<std::uint32_t> MerchantSet::ids() const {
  std::vector<std::uint32_t> ids;
  ids.reserve(count_);
  for (std::uint32_t id = 0; id < roster_size_; ++id) {
    if (contains(id)) {
      ids.push_back(id);
    }
  }
  return ids;
}

bool MerchantSet::within(const MerchantSet& other) const {
  for (std::size_t i = 0; i < bitmap_.size(); ++i) {
    const std::byte there = i < other.bitmap_.size() ? other.bitmap_[i] : std::byte{0};
    if ((bitmap_[i] & ~there) != std::byte{0}) {
      return false;
    }
  }
  return true;
}

MerchantSet MerchantSet::without(const MerchantSet& others) const {
  MerchantSet rest = *this;
  for (const std::uint32_t id : others.ids()) {
    rest.erase(id);
  }
  return rest;
}

void MerchantSet::write(ByteWriter& writer) const {
  writer.put(static_cast<std::uint32_t>(roster_size_)).put_bytes(bitmap_);
}

MerchantSet MerchantSet::read(ByteReader& reader) {
  const auto roster_size = reader.get<std::uint32_t>();
  if (roster_size > kMerchantsMax) {
    reject(reader);
    return {};
  }
  const ByteView bitmap = reader.get_bytes((std::size_t{roster_size} + 7) / 8);
  MerchantSet set(roster_size);
  for (std::size_t bit = 0; bit < bitmap.size() * 8; ++bit) {
    if ((bitmap[bit / 8] >> (bit % 8) & std::byte{1}) == std::byte{0}) {
      continue;
    }
    if (bit >= roster_size) {  // One set has one encoding.
      reject(reader);
      return {};
    }
    set.insert(static_cast<std::uint32_t>(bit));
  }
  return set;
}

}  // namespace hanse
