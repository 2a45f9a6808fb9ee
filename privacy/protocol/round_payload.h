#pragma once

#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/workloads/model.h"
#include "privacy/crypto/digest.h"

namespace hanse {

/// What the layer above the secure sum sends with START: the ledger's intent and the model that the sum is
/// about. Its digest is bound into the mask keys, so merchants with different models never add up.
struct RoundPayload {
  std::vector<std::string>
      ledger_lines;   ///< The ledger's latest lines, without newlines; the last is the intent.
  Model preparation;  ///< What the statistics sums have told so far: how the data is encoded.
  Model model;        ///< The model in training; empty parameters while statistics are gathered.
};

/// Fixed little-endian layout:
///   u32 version | u32 lines, for each: u64 bytes, line | for each model: u64 step, u64 count, count * f64.
/// server_state is not in it: it stays with the coordinator.
Bytes encode(const RoundPayload& payload);

/// Refuses other versions, lengths beyond the bytes that are there, trailing bytes and parameters that are
/// NaN or infinite (a trap model).
Result<RoundPayload> decode_round_payload(ByteView bytes);

/// SHA-256 of both models in the layout above: what the intent records.
Digest digest_of(const Model& preparation, const Model& model);

}  // namespace hanse
