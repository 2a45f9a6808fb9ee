#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/failure.h"
#include "common/base/result.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/paillier.h"
#include "privacy/crypto/signature.h"
#include "privacy/pipeline.h"
#include "privacy/protocol/messages.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// A merchant that a worker speaks for.
struct HostedMerchant {
  std::string name;
  SigningKey identity;
};

/// What a worker insists on, whatever the coordinator says. Its own: never taken from the network.
struct WorkerOptions {
  std::uint32_t rank = 1;
  std::uint32_t merchants_min = 0;  ///< Fewest merchants in a sum; 0: max(3, two thirds of the roster).
  Encryption encryption = Encryption::masked;  ///< aggregation.encryption: sums under another are refused.
  GraphWishes graph = {};       ///< Of [aggregation]: a coordinator that tells others is refused.
  bool tree = false;            ///< aggregation.topology=tree: sealed sums leave added up, along the tree.
  bool remove_surplus = false;  ///< privacy.remove_surplus_noise.
  std::optional<Digest> plan = {};            ///< The configuration's digest, when the worker read it too.
  std::optional<PublicKey> coordinator = {};  ///< Pinned identity of the coordinator, when known.
  std::map<std::string, PublicKey> identities =
      {};                                     ///< Pinned identities of merchants by name; empty: none are.
  std::optional<PaillierSize> paillier = {};  ///< Of the arbiter's modulus, with Encryption::paillier.
  std::optional<PublicKey> arbiter = {};      ///< Its pinned identity, when known.
  std::uint32_t aborts_max = 8;  ///< Rounds in a row without a release that a merchant's session survives.
};

/// What START asks for.
struct StartView {
  std::uint64_t round = 0;
  const SumParameters& parameters;              ///< As the coordinator claims them.
  ByteView payload;                             ///< Intent and model, of the layer above.
  std::span<const std::uint32_t> merchants;     ///< Those hosted here that take part, by id.
  std::span<const std::uint32_t> participants;  ///< All that take part, by id.
};

/// A session that stands: ids are places in the sorted list of all names.
struct SessionView {
  std::vector<std::string> names;     ///< Of all merchants of the federation.
  std::vector<std::uint32_t> hosted;  ///< Ids of those hosted here, increasing.
  Digest session_id{};
};

/// What merchants sign to agree to the ledger as this worker has it.
struct HeadToSign {
  std::uint64_t size = 0;
  Digest root{};
  Bytes text;  ///< cosigned_bytes() of privacy/ledger/record.h.
};

/// The layer above: where data, budget and ledger live.
struct WorkerHooks {
  std::function<void(const SessionView&)> session_ready = [](const SessionView&) {};
  /// Verifies the ledger's lines, asks budget and policy of the merchants (ids of this worker's), and has the lines on its
  /// own disk when it gives what they are to sign: for an intent, the permission to spend it. Without merchants the
  /// lines are only kept. An error refuses for all merchants here; its sentence goes to the coordinator.
  std::function<Result<HeadToSign>(std::span<const std::string> lines,
                                   std::span<const std::uint32_t> merchants)>
      permit = {};
  /// When a run is continued: the lines on this worker's disk behind the first `size`, whose last has the hash `tip`. An
  /// error says that they are not what this worker was shown.
  std::function<Result<std::vector<std::string>>(std::uint64_t size, const Digest& tip)> recall = {};
  /// Checks the intent and the budget and sets up the sum. Gives the parameters this worker derived itself: a
  /// round with others is refused. An error refuses the round for all merchants here; its sentence goes to
  /// the coordinator.
  std::function<Result<SumParameters>(const StartView&)> accept_round;
  /// One merchant's sealed sum; called once for each participating merchant, one after the other.
  std::function<SealedSum(std::uint32_t merchant, const Seal& seal)> prepare;
  /// Joins the next sum along the tree with this worker's part: sealed sums of its merchants, or zeros. Only called
  /// with WorkerOptions::tree.
  std::function<void(SealedSum::Residues part)> join_sum = [](SealedSum::Residues) {};
  /// The end of a round that accept_round had accepted. `payload`: the release, or a sentence when none.
  std::function<void(ByteView payload, bool released)> round_ended = [](ByteView, bool) {};
  /// Sees each message to the coordinator before it is sealed, may change it, and keeps it back with false.
  /// Nobody's but the tests': they play merchants that misbehave.
  std::function<bool(Bytes& message)> before_sealing = [](Bytes&) { return true; };
};

/// One worker: its link, its session and the rounds of all merchants it hosts, as a function of the messages
/// that reach it. It has no clock and no network: the caller carries bytes to and from the coordinator.
///
///   Linking --answer--> Joining --PARAMS--> HELLO sent --(ARBITER) ROSTER--> CONFIRM sent --READY--> Ready --STOP-->
///   Ended                                             \--ROSTER--> SEEDS sent --GRAPH--> CONFIRM sent
///
/// SEEDS are sent when not everyone masks with everyone (privacy/protocol/session.h). There is no way back: a
/// worker joins one session in its life, and opens its seeds once.
///
/// A message that breaks a rule is refused, counted in refusals() and changes nothing.
class WorkerNode {
 public:
  WorkerNode(WorkerOptions options, std::vector<HostedMerchant> merchants, WorkerHooks hooks,
             SecureRandom& random);
  /// A worker whose own input is at fault: it joins only to say so, so that all ranks end with one sentence.
  WorkerNode(WorkerOptions options, Failure failure, SecureRandom& random);
  ~WorkerNode();
  WorkerNode(WorkerNode&&) noexcept;
  WorkerNode& operator=(WorkerNode&&) noexcept;

  /// The first message to the coordinator.
  Bytes hail();
  /// Handles a message of the coordinator. Answers go to `send` one by one, as they are made: the uploads of
  /// many merchants never stand in memory together.
  void handle(ByteView message, const std::function<void(Bytes)>& send);
  /// The same, with the answers gathered.
  std::vector<Bytes> handle(ByteView message);

  bool ready() const;
  struct End {
    ExitCode code = ExitCode::done;
    std::string sentence;
  };
  /// Set once the run is over for this worker.
  const std::optional<End>& ended() const;
  /// What was refused so far, one sentence each, for the log.
  const std::vector<std::string>& refusals() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hanse
