#include "privacy/secure_sum/masks.h"

#include <algorithm>
#include <array>

#include "common/base/each_processor.h"
#include "privacy/crypto/keystream.h"
#include "privacy/secure_sum/fused_mask.h"

namespace hanse {
namespace {

/// Bytes of entries that get all masks before the next ones do: a quarter of a first-level cache.
constexpr std::size_t kChunkBytes = 8192;
static_assert(kChunkBytes % FusedMask::kBatch == 0);

template <class T>
[[gnu::always_inline]] inline void add_each(Sign sign, const T* mask, T* entries, std::size_t count) {
  if (sign == Sign::plus) {
    for (std::size_t i = 0; i < count; ++i) {
      entries[i] += mask[i];
    }
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      entries[i] -= mask[i];
    }
  }
}

HANSE_EACH_PROCESSOR
void add(Sign sign, const std::uint32_t* mask, std::uint32_t* entries, std::size_t count) {
  add_each(sign, mask, entries, count);
}
HANSE_EACH_PROCESSOR
void add(Sign sign, const std::uint64_t* mask, std::uint64_t* entries, std::size_t count) {
  add_each(sign, mask, entries, count);
}

/// Chunk by chunk: add_mask(i, chunk) for each mask i.
template <class T, class AddMask>
void add_in_chunks(std::size_t masks, std::span<T> entries, const AddMask& add_mask) {
  constexpr std::size_t kChunk = kChunkBytes / sizeof(T);
  for (std::size_t begin = 0; begin < entries.size(); begin += kChunk) {
    const std::span<T> chunk = entries.subspan(begin, std::min(kChunk, entries.size() - begin));
    for (std::size_t i = 0; i < masks; ++i) {
      add_mask(i, chunk);
    }
  }
}

template <class Stream>
std::vector<Stream> streams_of(std::span<const RoundMasks::Mask> masks) {
  std::vector<Stream> streams;
  streams.reserve(masks.size());
  for (const RoundMasks::Mask& mask : masks) {
    streams.emplace_back(mask.key_and_iv);
  }
  return streams;
}

template <class T>
void add_masks(std::span<const RoundMasks::Mask> masks, std::span<T> entries, MaskKernel kernel) {
  if (kernel == MaskKernel::fused) {
    auto streams = streams_of<FusedMask>(masks);
    add_in_chunks(masks.size(), entries,
                  [&](std::size_t i, std::span<T> chunk) { streams[i].add(masks[i].sign, chunk); });
    return;
  }
  auto streams = streams_of<Keystream>(masks);
  // Wiped, since whoever has it can take a mask off.
  alignas(64) Secret<kChunkBytes> pad;
  add_in_chunks(masks.size(), entries, [&](std::size_t i, std::span<T> chunk) {
    streams[i].next(pad.expose_for_writing().first(chunk.size_bytes()));
    add(masks[i].sign, reinterpret_cast<const T*>(pad.expose().data()), chunk.data(), chunk.size());
  });
}

}  // namespace

MaskKernel fastest_mask_kernel() {
  return FusedMask::runs_here() ? MaskKernel::fused : MaskKernel::portable;
}

void RoundMasks::add_to(std::span<std::uint32_t> entries, MaskKernel kernel) const {
  add_masks<std::uint32_t>(masks_, entries, kernel);
}
void RoundMasks::add_to(std::span<std::uint64_t> entries, MaskKernel kernel) const {
  add_masks<std::uint64_t>(masks_, entries, kernel);
}

}  // namespace hanse
