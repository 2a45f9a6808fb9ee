#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "privacy/crypto/secret.h"
#include "privacy/secure_sum/sign.h"

namespace hanse {

/// The mask that a Keystream of the same key and counter gives, on processors that encrypt two AES blocks with one
/// instruction (VAES and AVX2: AMD since Zen 3, Intel since Ice Lake). The stream is added to the entries from the
/// registers it was made in and never stands in memory, which halves the cost of a mask and more.
class FusedMask {
 public:
  /// Bytes of the stream made at a time.
  static constexpr std::size_t kBatch = 256;
  /// Whether this processor has the instructions; nothing else may be called where it has not.
  static bool runs_here();

  explicit FusedMask(const Secret<32>& key_and_iv);

  /// Adds the next bytes of the stream. Every call but the last takes a multiple of kBatch bytes of entries.
  void add(Sign sign, std::span<std::uint32_t> entries);
  void add(Sign sign, std::span<std::uint64_t> entries);

  struct Counter {
    std::uint64_t high;
    std::uint64_t low;
  };

 private:
  template <class T>
  void add_all(Sign sign, std::span<T> entries);

  Secret<11 * 16> round_keys_;
  Secret<sizeof(Counter)> counter_;  ///< Of the next block.
};

}  // namespace hanse
