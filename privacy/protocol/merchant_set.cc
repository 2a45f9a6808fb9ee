#include "privacy/protocol/merchant_set.h"

#include "common/base/check.h"
#include "privacy/protocol/wire.h"
#include "privacy/sum_parameters.h"

namespace hanse {

MerchantSet MerchantSet::all(std::size_t roster_size) {
  MerchantSet set;
  set.bits_.assign(roster_size, true);
  set.count_ = roster_size;
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
  check(id < bits_.size(), "a merchant set holds ids of its roster");
  count_ += bits_[id] ? std::size_t{0} : std::size_t{1};
  bits_[id] = true;
}

void MerchantSet::erase(std::uint32_t id) {
  if (contains(id)) {
    bits_[id] = false;
    --count_;
  }
}

std::vector<std::uint32_t> MerchantSet::ids() const {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t id = 0; id < bits_.size(); ++id) {
    if (bits_[id]) {
      ids.push_back(id);
    }
  }
  return ids;
}

bool MerchantSet::within(const MerchantSet& other) const {
  for (std::uint32_t id = 0; id < bits_.size(); ++id) {
    if (bits_[id] && !other.contains(id)) {
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
  Bytes bitmap((bits_.size() + 7) / 8);
  for (std::size_t id = 0; id < bits_.size(); ++id) {
    if (bits_[id]) {
      bitmap[id / 8] |= std::byte{1} << (id % 8);
    }
  }
  writer.put(static_cast<std::uint32_t>(bits_.size())).put_bytes(bitmap);
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
