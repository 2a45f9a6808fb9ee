#include "privacy/packing.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "common/base/check.h"
#include "privacy/crypto/secret.h"
#include "privacy/pipeline.h"

namespace hanse {
namespace {

__extension__ using Wide = unsigned __int128;
__extension__ using SignedWide = __int128;

constexpr std::size_t kWordBits = 64;

std::uint32_t width(Wide value) {
  const auto high = static_cast<std::uint64_t>(value >> kWordBits);
  return static_cast<std::uint32_t>(high > 0 ? kWordBits + std::bit_width(high)
                                             : std::bit_width(static_cast<std::uint64_t>(value)));
}

/// A plaintext as words; one word more than it has, so that a slot can be written as two.
using Words = std::vector<std::uint64_t>;

void put(Words& words, std::size_t position, std::uint64_t value) {
  const Wide shifted = Wide{value} << position % kWordBits;
  words[position / kWordBits] |= static_cast<std::uint64_t>(shifted);
  words[position / kWordBits + 1] |= static_cast<std::uint64_t>(shifted >> kWordBits);
}

std::uint64_t get_word(const Words& words, std::size_t position) {
  const std::size_t word = position / kWordBits;
  const Wide pair = Wide{words[word]} | Wide{words[std::min(word + 1, words.size() - 1)]} << kWordBits;
  return static_cast<std::uint64_t>(pair >> position % kWordBits);
}

Wide get(const Words& words, std::size_t position, std::uint32_t bits) {
  Wide value = get_word(words, position);
  if (bits > kWordBits) {
    value |= Wide{get_word(words, position + kWordBits)} << kWordBits;
  }
  return value & ((Wide{1} << bits) - 1);
}

Words words_of(ByteView bytes) {
  Words words(bytes.size() / sizeof(std::uint64_t) + 2);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

bool zero_from(const Words& words, std::size_t position) {
  const std::size_t word = position / kWordBits;
  return words[word] >> position % kWordBits == 0 &&
         std::all_of(words.begin() + static_cast<std::ptrdiff_t>(word) + 1, words.end(),
                     [](std::uint64_t value) { return value == 0; });
}

}  // namespace

Packing::Packing(const SumParameters& parameters, std::uint32_t modulus_bits)
    : parameters_(parameters),
      modulus_bits_(modulus_bits),
      bias_(parameters.merchant_bound()),
      slot_bits_(width(Wide{parameters.merchants_max} * 2 * bias_)),
      slots_((modulus_bits - 1) / slot_bits_),
      plaintexts_(0) {
  check(slots_ >= 2, "a modulus holds a canary and an entry");
  plaintexts_ = (parameters.length + slots_ - 2) / (slots_ - 1);
}

std::uint64_t Packing::canary(std::size_t plaintext) const {
  const std::uint64_t fitting = std::bit_floor(2 * bias_) - 1;  // Below 2 B, and odd.
  return (kCanaries[plaintext % kCanaries.size()] & fitting) | 1;
}

Bytes Packing::pack(std::span<const std::int64_t> entries) const {
  check(entries.size() == parameters_.length, "what is packed has the length of the sum");
  const auto bound = static_cast<std::int64_t>(bias_);
  Bytes plaintexts(plaintexts_ * plaintext_bytes());
  Words words(plaintext_bytes() / sizeof(std::uint64_t) + 2);
  for (std::size_t i = 0; i < plaintexts_; ++i) {
    std::ranges::fill(words, 0);
    put(words, 0, canary(i));
    for (std::size_t slot = 1; slot < slots_ && !entries.empty(); ++slot, entries = entries.subspan(1)) {
      const std::int64_t entry = std::clamp(entries.front(), -bound, bound);
      put(words, slot * slot_bits_, static_cast<std::uint64_t>(entry) + bias_);
    }
    std::memcpy(plaintexts.data() + i * plaintext_bytes(), words.data(), plaintext_bytes());
  }
  wipe(std::as_writable_bytes(std::span(words)));
  return plaintexts;
}

Result<Packing::Sum> Packing::unpack(ByteView plaintexts) const {
  if (plaintexts.size() != plaintexts_ * plaintext_bytes()) {
    return Error{"the plaintexts of a sum have " + std::to_string(plaintexts.size()) + " bytes instead of " +
                 std::to_string(plaintexts_ * plaintext_bytes())};
  }
  const std::uint64_t bound = parameters_.sum_bound();
  Sum sum;
  sum.entries.reserve(parameters_.length);
  for (std::size_t i = 0; i < plaintexts_; ++i) {
    const Words words = words_of(plaintexts.subspan(i * plaintext_bytes(), plaintext_bytes()));
    const Wide lane = get(words, 0, slot_bits_);
    if (i == 0) {
      if (lane == 0 || lane > parameters_.merchants_max) {
        return Error{"the canary lane of a sum counts no merchant, or more than there are"};
      }
      sum.merchants = static_cast<std::uint32_t>(lane);
    }
    if (lane != Wide{sum.merchants} * canary(i)) {
      return Error{"a canary lane does not open to its constant: a ciphertext is not what it claimed"};
    }
    const std::size_t taken = std::min(slots_, 1 + parameters_.length - sum.entries.size());
    for (std::size_t slot = 1; slot < taken; ++slot) {
      const Wide value = get(words, slot * slot_bits_, slot_bits_);
      const SignedWide entry =
          static_cast<SignedWide>(value) - static_cast<SignedWide>(Wide{sum.merchants} * bias_);
      const Wide magnitude = static_cast<Wide>(entry < 0 ? -entry : entry);
      if (value > Wide{sum.merchants} * 2 * bias_ || magnitude > bound) {
        return Error{"an entry of the sum is beyond the bound that honest merchants keep"};
      }
      sum.entries.push_back(static_cast<std::int64_t>(entry));
    }
    if (!zero_from(words, taken * slot_bits_)) {
      return Error{"a plaintext of a sum has bits where no merchant puts any"};
    }
  }
  return sum;
}

}  // namespace hanse
