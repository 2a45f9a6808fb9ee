#include "privacy/secure_sum/fused_mask.h"

#include <array>
#include <cstring>

#include "common/base/check.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

namespace hanse {
namespace {

constexpr std::size_t kRounds = 10;
constexpr std::size_t kVectors = FusedMask::kBatch / sizeof(__m256i);
constexpr std::uint64_t kBlocks = FusedMask::kBatch / sizeof(__m128i);

// --- the key schedule of AES-128 (FIPS 197, section 5.2) ---

[[gnu::target("aes")]] __m128i next_round_key(__m128i key, __m128i assist) {
  assist = _mm_shuffle_epi32(assist, 0xff);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, assist);
}

[[gnu::target("aes")]] void expand(const std::byte* key, std::span<std::byte, 11 * 16> round_keys) {
  auto* const out = reinterpret_cast<__m128i*>(round_keys.data());
  __m128i k = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key));
  _mm_storeu_si128(out, k);
#define HANSE_ROUND_KEY(i, constant)                             \
  k = next_round_key(k, _mm_aeskeygenassist_si128(k, constant)); \
  _mm_storeu_si128(out + (i), k)
  HANSE_ROUND_KEY(1, 0x01);
  HANSE_ROUND_KEY(2, 0x02);
  HANSE_ROUND_KEY(3, 0x04);
  HANSE_ROUND_KEY(4, 0x08);
  HANSE_ROUND_KEY(5, 0x10);
  HANSE_ROUND_KEY(6, 0x20);
  HANSE_ROUND_KEY(7, 0x40);
  HANSE_ROUND_KEY(8, 0x80);
  HANSE_ROUND_KEY(9, 0x1b);
  HANSE_ROUND_KEY(10, 0x36);
#undef HANSE_ROUND_KEY
}

// --- the stream ---

/// The numbers of the next blocks, high half and low half of each, when the low half wraps among them.
void count_over(FusedMask::Counter counter, std::array<std::uint64_t, 2 * kBlocks>& numbers) {
  for (std::size_t i = 0; i < kBlocks; ++i) {
    numbers[2 * i] = counter.high;
    numbers[2 * i + 1] = counter.low;
    counter.high += ++counter.low == 0 ? 1u : 0u;
  }
}

template <class T>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i combine(Sign sign, __m256i entries, __m256i mask) {
  if constexpr (sizeof(T) == 4) {
    return sign == Sign::plus ? _mm256_add_epi32(entries, mask) : _mm256_sub_epi32(entries, mask);
  } else {
    return sign == Sign::plus ? _mm256_add_epi64(entries, mask) : _mm256_sub_epi64(entries, mask);
  }
}

/// Adds `batches` batches of the stream to what stands at `out`. The round keys are read where they are in every round:
/// sixteen registers do not hold them, and copies of them on the stack would not be wiped.
template <class T, Sign sign>
[[gnu::target("avx2,vaes,aes")]] void add_batches(const std::byte* round_keys, FusedMask::Counter& counter,
                                                  std::byte* out, std::size_t batches) {
  const auto round_key = [round_keys](std::size_t round)
      __attribute__((target("avx2,vaes,aes"), always_inline)) {
    return _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(round_keys + 16 * round)));
  };
  // Counter blocks are big-endian (SP 800-38A, appendix B.1 with m = 128).
  const __m256i swap = _mm256_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3,
                                        2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
  for (; batches > 0; --batches, out += FusedMask::kBatch) {
    __m256i state[kVectors];
    const std::uint64_t after = counter.low + kBlocks;
    if (after >= kBlocks) {
      const __m256i two = _mm256_setr_epi64x(0, 2, 0, 2);
      __m256i number =
          _mm256_setr_epi64x(static_cast<long long>(counter.high), static_cast<long long>(counter.low),
                             static_cast<long long>(counter.high), static_cast<long long>(counter.low + 1));
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kVectors; ++i) {
        state[i] = number;
        number = _mm256_add_epi64(number, two);
      }
    } else {
      std::array<std::uint64_t, 2 * kBlocks> numbers;
      count_over(counter, numbers);
      std::memcpy(state, numbers.data(), sizeof state);
      ++counter.high;
    }
    counter.low = after;
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kVectors; ++i) {
      state[i] = _mm256_xor_si256(_mm256_shuffle_epi8(state[i], swap), round_key(0));
    }
#pragma GCC unroll 1
    for (std::size_t round = 1; round < kRounds; ++round) {
      const __m256i key = round_key(round);
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kVectors; ++i) {
        state[i] = _mm256_aesenc_epi128(state[i], key);
      }
    }
    auto* const entries = reinterpret_cast<__m256i*>(out);
    const __m256i key = round_key(kRounds);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kVectors; ++i) {
      const __m256i mask = _mm256_aesenclast_epi128(state[i], key);
      _mm256_storeu_si256(entries + i, combine<T>(sign, _mm256_loadu_si256(entries + i), mask));
    }
  }
}

}  // namespace

bool FusedMask::runs_here() {
  static const bool has = [] {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    constexpr unsigned kVaes = 1u << 9;  // Of ECX, leaf 7; not every compiler knows it by name.
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("aes") &&
           __get_cpuid_count(7, 0, &a, &b, &c, &d) == 1 && (c & kVaes) != 0;
  }();
  return has;
}

FusedMask::FusedMask(const Secret<32>& key_and_iv) {
  expand(key_and_iv.expose().data(), round_keys_.expose_for_writing());
  const std::byte* iv = key_and_iv.expose().data() + 16;
  std::array<std::uint64_t, 2> big_endian;
  std::memcpy(big_endian.data(), iv, sizeof big_endian);
  const Counter first{__builtin_bswap64(big_endian[0]), __builtin_bswap64(big_endian[1])};
  std::memcpy(counter_.expose_for_writing().data(), &first, sizeof first);
}

template <class T>
void FusedMask::add_all(Sign sign, std::span<T> entries) {
  Counter counter;
  std::memcpy(&counter, counter_.expose().data(), sizeof counter);
  const auto add = sign == Sign::plus ? add_batches<T, Sign::plus> : add_batches<T, Sign::minus>;
  const std::size_t batches = entries.size_bytes() / kBatch;
  add(round_keys_.expose().data(), counter, reinterpret_cast<std::byte*>(entries.data()), batches);
  if (const auto rest = std::as_writable_bytes(entries).subspan(batches * kBatch); !rest.empty()) {
    // What lies behind the last entry is masked too, and thrown away.
    Secret<kBatch> last;
    std::memcpy(last.expose_for_writing().data(), rest.data(), rest.size());
    add(round_keys_.expose().data(), counter, last.expose_for_writing().data(), 1);
    std::memcpy(rest.data(), last.expose().data(), rest.size());
  }
  std::memcpy(counter_.expose_for_writing().data(), &counter, sizeof counter);
}

#else  // Other processors take a Keystream.

namespace hanse {

bool FusedMask::runs_here() {
  return false;
}
FusedMask::FusedMask(const Secret<32>&) {
  check(false, "fused masks are for processors that have their instructions");
}
template <class T>
void FusedMask::add_all(Sign, std::span<T>) {}

#endif

void FusedMask::add(Sign sign, std::span<std::uint32_t> entries) {
  add_all(sign, entries);
}
void FusedMask::add(Sign sign, std::span<std::uint64_t> entries) {
  add_all(sign, entries);
}

}  // namespace hanse
