#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// How the entries of a sum stand side by side in plaintexts below a modulus of `modulus_bits` bits, so that one
/// addition of ciphertexts adds them all. A plaintext is a row of slots of w bits, the lowest first:
///
///   slot 0    a canary: a public constant between 1 and 2 B, the same from every merchant
///   slot i    an entry of the sum plus the bias B, so that it is never negative
///
/// and what is left over at the top, and behind the last entry, is zero. With
///
///   B = units_max * D2 + 12 standard deviations of a noise share      (SumParameters::merchant_bound)
///   w = number of bits of merchants_max * 2 B
///
/// no slot reaches into the next one: pack() gives 0 <= slot <= 2 B for whatever entries (an entry beyond +-B, which noise
/// reaches with probability below 2^-103, counts as the bound), so the sum over any m <= merchants_max merchants is at
/// most m 2 B < 2^w: no carry leaves a slot, and a whole plaintext is below 2^(slots * w) <= 2^(modulus_bits - 1) < n:
/// no sum is reduced modulo n. The canary of the first plaintext is 1, so it counts the merchants; those of
/// the others must agree with it.
class Packing {
 public:
  Packing(const SumParameters& parameters, std::uint32_t modulus_bits);

  std::uint32_t slot_bits() const { return slot_bits_; }
  /// Slots of one plaintext, the canary's included.
  std::size_t slots() const { return slots_; }
  std::size_t plaintexts() const { return plaintexts_; }
  std::size_t plaintext_bytes() const { return modulus_bits_ / 8; }

  /// The plaintexts of one merchant's entries, one after the other, little-endian.
  Bytes pack(std::span<const std::int64_t> entries) const;

  struct Sum {
    std::uint32_t merchants = 0;  ///< What the canaries say.
    std::vector<std::int64_t> entries;
  };
  /// Reads a sum of what pack() gives. Refuses a wrong length, canaries that do not agree or speak of no or of too many
  /// merchants, slots beyond m 2 B, bits where none can be, and entries beyond sum_bound().
  Result<Sum> unpack(ByteView plaintexts) const;

 private:
  std::uint64_t canary(std::size_t plaintext) const;

  SumParameters parameters_;
  std::uint32_t modulus_bits_;
  std::uint64_t bias_;
  std::uint32_t slot_bits_;
  std::size_t slots_;
  std::size_t plaintexts_;
};

}  // namespace hanse
