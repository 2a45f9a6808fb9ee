#include "common/data/string_table.h"

#include "common/base/check.h"
#include "common/data/text_hash.h"

namespace hanse {

std::uint32_t StringTable::add(std::string_view text) {
  std::size_t slot = slot_of(text);
  if (slots_[slot] != kNone) {
    return slots_[slot];
  }
  if (2 * (ends_.size() + 1) > slots_.size()) {
    grow();
    slot = slot_of(text);
  }
  check(ends_.size() < kNone, "a table holds fewer than 2^32 - 1 strings");
  const auto number = static_cast<std::uint32_t>(ends_.size());
  characters_.insert(characters_.end(), text.begin(), text.end());
  ends_.push_back(characters_.size());
  slots_[slot] = number;
  return number;
}

std::uint32_t StringTable::find(std::string_view text) const {
  return slots_[slot_of(text)];
}

std::string_view StringTable::text(std::uint32_t number) const {
  const std::uint64_t begin = number == 0 ? 0 : ends_[number - 1];
  return {characters_.data() + begin, ends_[number] - begin};
}

std::size_t StringTable::slot_of(std::string_view text) const {
  std::size_t slot = text_hash(text) & (slots_.size() - 1);
  while (slots_[slot] != kNone && this->text(slots_[slot]) != text) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slot;
}

void StringTable::grow() {
  slots_.assign(2 * slots_.size(), kNone);
  for (std::uint32_t number = 0; number < size(); ++number) {
    slots_[slot_of(text(number))] = number;
  }
}

}  // namespace hanse
