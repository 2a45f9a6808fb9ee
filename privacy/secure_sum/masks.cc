#include "privacy/secure_sum/masks.h"

#include <algorithm>
#include <array>

#include "privacy/crypto/keystream.h"

namespace hanse {
namespace {

/// Bytes of keystream made at a time: with as many bytes of entries, half of a first-level cache.
constexpr std::size_t kChunkBytes = 8192;

template <class T>
void add_next(Keystream& stream, Sign sign, std::span<T> entries) {
  alignas(64) std::array<T, kChunkBytes / sizeof(T)> pad;
  const std::span<T> used = std::span(pad).first(entries.size());
  stream.next(std::as_writable_bytes(used));
  if (sign == Sign::plus) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] += used[i];
    }
  } else {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] -= used[i];
    }
  }
}

template <class T>
void add_masks(std::span<const RoundMasks::Mask> masks, std::span<T> entries) {
  std::vector<Keystream> streams;
  streams.reserve(masks.size());
  for (const RoundMasks::Mask& mask : masks) {
    streams.emplace_back(mask.key_and_iv);
  }
  constexpr std::size_t chunk = kChunkBytes / sizeof(T);
  for (std::size_t begin = 0; begin < entries.size(); begin += chunk) {
    const std::span<T> part = entries.subspan(begin, std::min(chunk, entries.size() - begin));
    for (std::size_t i = 0; i < masks.size(); ++i) {
      add_next(streams[i], masks[i].sign, part);
    }
  }
}

template <class T>
void add_one(const Secret<32>& key_and_iv, Sign sign, std::span<T> entries) {
  Keystream stream(key_and_iv);
  constexpr std::size_t chunk = kChunkBytes / sizeof(T);
  for (std::size_t begin = 0; begin < entries.size(); begin += chunk) {
    add_next(stream, sign, entries.subspan(begin, std::min(chunk, entries.size() - begin)));
  }
}

}  // namespace

void add_keystream(const Secret<32>& key_and_iv, Sign sign, std::span<std::uint32_t> entries) {
  add_one(key_and_iv, sign, entries);
}
void add_keystream(const Secret<32>& key_and_iv, Sign sign, std::span<std::uint64_t> entries) {
  add_one(key_and_iv, sign, entries);
}

void RoundMasks::add_to(std::span<std::uint32_t> entries) const {
  add_masks<std::uint32_t>(masks_, entries);
}
void RoundMasks::add_to(std::span<std::uint64_t> entries) const {
  add_masks<std::uint64_t>(masks_, entries);
}

}  // namespace hanse
