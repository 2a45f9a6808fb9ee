#pragma once

#include <cstdint>

#include "common/base/bytes.h"
#include "privacy/crypto/digest.h"
#include "privacy/protocol/merchant_set.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// The fixed layout of the constants of a sum: length u64, clip_norm f64, grid_bits u32, ring u8, units_max
/// u64, share_variance u64, shares_min u32, merchants_max u32, merchants_per_unit u32, gain u32.
void write_parameters(ByteWriter& writer, const SumParameters& parameters);
/// Refuses (fails the reader) what no honest coordinator sends: a ring that is none, an empty or absurdly
/// long sum, a clip norm that is not positive and finite, more merchants than a roster holds.
SumParameters read_parameters(ByteReader& reader);

/// Everything that all participants of a round must have in common.
struct RoundContext {
  Digest session{};  ///< Session id.
  std::uint64_t round = 0;
  Digest payload{};  ///< SHA-256 of START's payload: intent and model.
  SumParameters parameters;
  MerchantSet participants;  ///< R.
};

/// ctx = SHA-256 of a label with the protocol's version and all of `context`. It is in the derivation of
/// every mask, so that two merchants who were told different things share no mask, and their sum never opens
/// (A6).
Digest digest_of(const RoundContext& context);

}  // namespace hanse
