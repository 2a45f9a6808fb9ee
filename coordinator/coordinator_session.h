#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/failure.h"
#include "common/base/result.h"
#include "common/base/secure_random.h"
#include "common/transport/channel.h"
#include "privacy/crypto/paillier.h"
#include "privacy/crypto/signature.h"
#include "privacy/protocol/messages.h"

namespace hanse {

struct SessionOptions {
  std::uint32_t workers = 1;
  Encryption encryption = Encryption::masked;
  bool tree = false;            ///< Uploads come added up, along a tree of all workers.
  bool remove_surplus = false;  ///< privacy.remove_surplus_noise; with masks, between all merchants.
  GraphWishes graph = {};       ///< Neighbours and threshold, and what is assumed.
  Digest plan{};                ///< Of the effective configuration.
  std::map<std::string, PublicKey> identities = {};  ///< Pinned identities by merchant name; empty: none are.
  std::optional<PaillierSize> paillier = {};         ///< Of the arbiter's modulus, with Encryption::paillier.
  std::optional<PublicKey> arbiter = {};             ///< Its pinned identity, when known.

  /// With Encryption::paillier, the rank behind the workers.
  std::optional<Peer> arbiter_rank() const {
    return encryption == Encryption::paillier ? std::optional<Peer>(workers + 1) : std::nullopt;
  }
};

/// A message to one worker, before it is sealed.
struct ToWorker {
  Peer worker = 0;
  Bytes message;
};

/// A message from a worker, opened.
struct FromWorker {
  Peer worker = 0;
  Bytes message;
};

/// The coordinator's side of a session: links to all workers, and the roster. A function of what it is told;
/// no clock, no network.
///
///   Joining --all HELLOs (and ARBITER)--> [Opening --all SEEDS-->] Confirming --all CONFIRMs--> Ready
///      \-----------------------\----------------------\-- a fault, a deadline --> Refused{exit code, sentence}
///
/// Opening is there when not everyone masks with everyone (privacy/protocol/session.h).
class CoordinatorSession {
 public:
  /// `identity` and `random` must outlive the session.
  CoordinatorSession(SessionOptions options, const SigningKey& identity, SecureRandom& random);
  CoordinatorSession(SessionOptions, SigningKey&&, SecureRandom&) = delete;
  ~CoordinatorSession();
  CoordinatorSession(CoordinatorSession&&) noexcept;
  CoordinatorSession& operator=(CoordinatorSession&&) noexcept;

  /// Handles what `from` sent while the session is being set up, and says what to send. When it ends Refused,
  /// the messages tell every linked worker.
  std::vector<Outgoing> handle(Peer from, ByteView message);
  /// Not all workers are there in time: Refused, naming them.
  std::vector<Outgoing> deadline_passed();

  bool ready() const;
  struct Refused {
    ExitCode code = ExitCode::could_not_finish;
    std::string sentence;
  };
  const std::optional<Refused>& refused() const;

  /// --- Once ready. ---
  /// Names of all merchants, sorted: a merchant's place is its id.
  const std::vector<std::string>& names() const;
  /// Their Ed25519 identities, by id.
  std::vector<PublicKey> identities() const;
  /// The rank of the worker that hosts each merchant, by id.
  const std::vector<Peer>& hosts() const;
  const Digest& session_id() const;
  /// The neighbours of each merchant, by id, each list increasing; empty lists without masks.
  const std::vector<std::vector<std::uint32_t>>& neighbours() const;
  /// How many holders open a secret.
  const ThresholdRule& threshold() const;
  const SessionParameters& parameters() const;
  /// The rank of the arbiter, and what encrypts under its key; nothing without one.
  std::optional<Peer> arbiter() const;
  const PaillierEncryptor* encryptor() const;
  /// What re-randomises sums.
  SecureRandom& random() const;
  bool tree() const;
  bool removes_surplus() const;
  /// All workers: ranks 1 to this.
  std::uint32_t workers() const;

  /// Opens what a worker sent. An error (replayed, altered, unknown sender) is attributed to the peer and
  /// logged.
  Result<FromWorker> open(Peer from, ByteView message);
  std::vector<Outgoing> seal(const std::vector<ToWorker>& messages);
  /// Ends the run for all linked workers.
  std::vector<Outgoing> stop(ExitCode code, const std::string& sentence);

  /// What was refused so far, one sentence each, for the log.
  const std::vector<std::string>& refusals() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hanse
