#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "coordinator/coordinator_round.h"
#include "coordinator/coordinator_session.h"
#include "privacy/ledger/ledger_writer.h"

namespace hanse {

/// What merchants are asked to sign, and what each of their workers has to hear first.
struct PermissionRequest {
  std::uint64_t round = 0;  ///< Of the intent; 0 for plan and claim.
  std::vector<std::uint32_t> merchants;
  std::uint64_t size = 0;  ///< Of the ledger.
  Digest root{};
  std::function<std::vector<std::string>(Peer worker)> lines;
};

/// One exchange: PERMIT to the workers of some merchants, COSIGN or ABORT from them. A function of the messages that reach
/// it, like CoordinatorRound. One message of a few hundred bytes a worker, whatever the model's size.
class PermissionRound {
 public:
  /// `session` must outlive it.
  PermissionRound(const CoordinatorSession& session, PermissionRequest request);

  std::vector<ToWorker> begin() const;
  /// False when the message is not about this exchange: it is then of another phase.
  bool step(const FromWorker& message);
  /// Whoever has not answered is taken as unwilling.
  void deadline_passed();

  bool ended() const { return awaited_.empty(); }
  /// Signatures as they came, not verified.
  const std::vector<Cosignature>& cosignatures() const { return cosignatures_; }
  /// Workers that answered: they have all lines on their own disk.
  const std::vector<Peer>& signers() const { return signers_; }
  /// Who did not sign, and why.
  const std::vector<DroppedMerchant>& refused() const { return refused_; }
  const std::map<Peer, Failure>& worker_failures() const { return worker_failures_; }

 private:
  void leave(Peer worker, Refusal reason, const std::string& why);

  const CoordinatorSession* session_;
  PermissionRequest request_;
  std::map<Peer, std::vector<std::uint32_t>>
      awaited_;  ///< Workers that have not answered, with their merchants.
  std::vector<Cosignature> cosignatures_;
  std::vector<Peer> signers_;
  std::vector<DroppedMerchant> refused_;
  std::map<Peer, Failure> worker_failures_;
};

class Federation;

/// A ledger whose plan, intents and claim are signed by merchants before anything follows from them: what they permit is on
/// this disk before they are asked for anything.
class SignedLedger {
 public:
  using Note = std::function<void(std::string_view)>;

  /// `federation` and `ledger` must outlive it.
  SignedLedger(Federation& federation, LedgerWriter& ledger, Note note);

  /// The plan's head, which all merchants must sign. Throws Failure(refused) naming those that do not, and why.
  void sign_plan();
  /// The head behind the open intent: the merchants that permit it, increasing, once their signatures are on disk. An
  /// Error names who refused when they are too few for the sum; no head is written then.
  Result<std::vector<std::uint32_t>> sign_intent(const std::vector<std::uint32_t>& invited);
  /// The claim's head, by as many of `merchants` as answer, and all lines to all workers. A note when they are too few.
  void sign_claim(const std::vector<std::uint32_t>& merchants);
  /// The worker has all lines so far.
  void knows_all(Peer worker) { known_[worker] = ledger_.state().next_seq(); }
  /// Merchants that did not sign last time, and why.
  const std::vector<DroppedMerchant>& refused() const { return refused_; }

 private:
  std::vector<Cosignature> ask(std::uint64_t round, const std::vector<std::uint32_t>& merchants);
  std::vector<std::string> lines_for(Peer worker) const;
  std::string reasons() const;

  Federation& federation_;
  LedgerWriter& ledger_;
  Note note_;
  std::map<Peer, std::uint64_t> known_;  ///< Ledger lines that each worker surely has.
  std::vector<DroppedMerchant> refused_;
};

}  // namespace hanse
