#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/failure.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/paillier.h"
#include "privacy/crypto/signature.h"
#include "worker/worker_node.h"

namespace hanse {

struct ArbiterOptions {
  std::uint32_t rank = 1;
  PaillierSize size;
  std::uint32_t merchants_min = 0;  ///< Fewest merchants in a sum; 0: max(3, two thirds of the roster).
  std::optional<Digest> plan = {};  ///< The configuration's digest.
  std::optional<PublicKey> coordinator = {};         ///< Pinned identity of the coordinator, when known.
  std::map<std::string, PublicKey> identities = {};  ///< Pinned identities of merchants; empty: none are.
};

/// The arbiter of a federation with aggregation.encryption=paillier, as a function of the messages that reach it. It makes
/// a key pair for the session, and decrypts sums: re-randomised, one a round, and only of enough merchants.
///
///   Linking --answer--> Joining --PARAMS--> ARBITER sent --ROSTER--> CONFIRM sent --READY--> Ready --STOP--> Ended
///
///   Ready: DECRYPT of a later round than all before --> DECRYPTED, or ABORT with the reason
///
/// What it can and cannot promise: the canaries count the merchants of an honest coordinator's sum, so a sum of too few
/// is refused. Whoever has the public key can forge canaries, so a coordinator that breaks the protocol can dress up one
/// merchant's ciphertext as a sum. The secrecy of single uploads rests on the coordinator following the protocol and on the
/// two not working together (privacy/README.md).
class ArbiterNode {
 public:
  using End = WorkerNode::End;

  ArbiterNode(ArbiterOptions options, SigningKey identity, SecureRandom& random);
  /// An arbiter whose own input is at fault: it joins only to say so.
  ArbiterNode(ArbiterOptions options, Failure failure, SecureRandom& random);
  ~ArbiterNode();
  ArbiterNode(ArbiterNode&&) noexcept;
  ArbiterNode& operator=(ArbiterNode&&) noexcept;

  /// The first message to the coordinator.
  Bytes hail();
  void handle(ByteView message, const std::function<void(Bytes)>& send);
  std::vector<Bytes> handle(ByteView message);

  bool ready() const;
  const std::optional<End>& ended() const;
  /// What was refused so far, one sentence each, for the log.
  const std::vector<std::string>& refusals() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hanse
