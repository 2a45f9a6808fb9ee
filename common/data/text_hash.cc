#include "common/data/text_hash.h"

#include <algorithm>
#include <cstring>

#include "common/base/bytes.h"
#include "common/base/seeded_generator.h"

namespace hanse {

std::uint64_t text_hash(std::string_view text) {
  std::uint64_t hash = split_mix(text.size());
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t taken = std::min(text.size(), sizeof(word));
    std::memcpy(&word, text.data(), taken);
    hash = split_mix(hash ^ word);
    text.remove_prefix(taken);
  }
  return hash;
}

}  // namespace hanse
