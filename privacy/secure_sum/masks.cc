#include "privacy/secure_sum/masks.h"

#include <algorithm>
#include <array>

#include "privacy/crypto/keystream.h"

namespace hanse {
namespace {

/// Bytes of keystream made at a time: with as many bytes of entries, half of a first-level cache.
constexpr std::size_t kChunkBytes = 8192;

/// Room for one chunk of keystream; wiped, since whoever has it can take the mask off.
template <class T>
struct Pad {
  static constexpr std::size_t size = kChunkBytes / sizeof(T);

  Pad() = default;
  Pad(const Pad&) = delete;
  Pad& operator=(const Pad&) = delete;
  ~Pad() { wipe(std::as_writable_bytes(std::span(entries))); }

  alignas(64) std::array<T, size> entries;
};

template <class T>
void add_next(Keystream& stream, Sign sign, std::span<T> entries, Pad<T>& pad) {
  const std::span<T> used = std::span(pad.entries).first(entries.size());
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
  Pad<T> pad;
  for (std::size_t begin = 0; begin < entries.size(); begin += Pad<T>::size) {
    const std::span<T> part = entries.subspan(begin, std::min(Pad<T>::size, entries.size() - begin));
    for (std::size_t i = 0; i < masks.size(); ++i) {
      add_next(streams[i], masks[i].sign, part, pad);
    }
  }
}

template <class T>
void add_one(const Secret<32>& key_and_iv, Sign sign, std::span<T> entries) {
  Keystream stream(key_and_iv);
  Pad<T> pad;
  for (std::size_t begin = 0; begin < entries.size(); begin += Pad<T>::size) {
    add_next(stream, sign, entries.subspan(begin, std::min(Pad<T>::size, entries.size() - begin)), pad);
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
