#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/paillier.h"
#include "privacy/crypto/signature.h"
#include "privacy/protocol/messages.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// What the arbiter A says and hears, with aggregation.encryption=paillier. It holds the key under which merchants encrypt,
/// sees the sum of a round and no ciphertext of a merchant; the coordinator sees ciphertexts and the sum.
///
///   session   C: PARAMS   A: ARBITER (W hears it too, before ROSTER)   C: ROSTER   A: CONFIRM   C: READY
///   round r   C: DECRYPT  A: DECRYPTED or ABORT
///   any time  A: FAIL     C: STOP

/// ARBITER: the key of the session, signed. Forwarded to the workers as it is.
struct ArbiterHello {
  static constexpr MessageType kType = MessageType::arbiter;
  PublicKey identity{};   ///< Ed25519: pinned by a roster.
  Bytes key;              ///< n and h (privacy/crypto/paillier.h), fresh for this session.
  Signature signature{};  ///< Of signed_bytes() by `identity`.

  /// What is signed: a label, the digest of the session's parameters and everything above.
  Bytes signed_bytes(const Digest& parameters) const;
  void write(ByteWriter& writer) const;
  static ArbiterHello read(ByteReader& reader);
  friend bool operator==(const ArbiterHello&, const ArbiterHello&) = default;
};

/// DECRYPT: the ciphertexts of a sum, each re-randomised. `ciphertexts` views the message it was read from.
struct DecryptRequest {
  static constexpr MessageType kType = MessageType::decrypt;
  SumParameters parameters;
  ByteView ciphertexts;

  void write(ByteWriter& writer) const;
  static DecryptRequest read(ByteReader& reader);
};

/// DECRYPTED: their plaintexts (privacy/packing.h). `plaintexts` views the message it was read from.
struct Decrypted {
  static constexpr MessageType kType = MessageType::decrypted;
  ByteView plaintexts;

  void write(ByteWriter& writer) const;
  static Decrypted read(ByteReader& reader);
};

/// What one side checks an arbiter against.
struct ArbiterRules {
  const SessionParameters& parameters;
  PaillierSize size;                          ///< From one's own configuration.
  std::optional<PublicKey> pinned = {};       ///< The arbiter's identity in the roster.
  std::optional<PublicKey> coordinator = {};  ///< The coordinator's identity, when known: it must be another.
};

/// The key of an arbiter whose identity is the pinned one and not the coordinator's, whose signature holds for these
/// parameters and whose key has its size and shape. An error says which is not so.
Result<PaillierPublicKey> verify_arbiter(const ArbiterHello& hello, const ArbiterRules& rules);

}  // namespace hanse
