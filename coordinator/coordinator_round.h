#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "coordinator/coordinator_session.h"
#include "privacy/pipeline.h"
#include "privacy/protocol/messages.h"
#include "privacy/protocol/refusal.h"

namespace hanse {

/// What a round is asked to do.
struct RoundRequest {
  std::uint64_t round = 1;  ///< Increasing over the session; a number is never used twice.
  SumParameters parameters;
  Bytes payload;                         ///< For accept_round() at the workers: intent and model.
  std::vector<std::uint32_t> merchants;  ///< Invited ids, increasing.
  /// Invited when the round before ran, and not waited for any more: it was found that nothing comes of them.
  std::vector<std::uint32_t> absent = {};
  /// The round after this one, if it is known who will be invited to it: AGREED asks for its shares. When this
  /// round fails, that number is not used.
  std::optional<Invitation> next = {};
  std::uint32_t collusion = 0;  ///< Merchants whose noise is not counted: what of it is surplus follows.
};

/// A merchant that is not in the sum, and why.
struct DroppedMerchant {
  std::uint32_t merchant = 0;
  Refusal reason = Refusal::deadline;
  std::string sentence;
};

/// A merchant that broke the rules, beyond doubt, and how.
struct Culprit {
  std::uint32_t merchant = 0;
  std::string sentence;
};

/// What a round says about those who were invited to it. `missed` holds a merchant once for being dropped, or
/// in doubt (coordinator/attribution.h), and once more when the round failed for it; culprits and those who
/// left because of them are not in it.
struct Verdict {
  std::vector<Culprit> culprits;  ///< By increasing id.
  std::vector<std::uint32_t> missed;
};

/// The end of a round without a sum. Nothing was released.
struct RoundFailure {
  Refusal reason = Refusal::deadline;
  std::vector<std::uint32_t> merchants;  ///< Those it is attributed to.
  std::string sentence;
};

/// One private sum at the coordinator, as a function of the messages that reach it.
///
///   CollectShares --> CollectInputs --> Agree --> Unmask --> Summed
///        \                \               \         \--> Failed{reason, merchants, sentence}
///
/// Shares that rode on the round before are handed over to this one. Who sent none is asked by OPEN; when
/// none is missing, CollectShares is over at once and the round is three exchanges: START, SET, AGREED.
///
/// With a tree (SessionOptions::tree) uploads come without residues, and between CollectInputs and Agree the workers
/// add up what they hold.
///
/// Each arrow is taken when all merchants that are still expected have answered, or when the deadline of the
/// phase passes with enough of them. Without masks nobody agrees or unmasks: CollectInputs leads to Summed directly,
/// or, with an arbiter, to Decrypting, in which it opens the sum.
/// Uploads are added on arrival into one total and dropped: memory is that of one vector, whatever the number
/// of merchants. A message that breaks a rule is refused, counted in refusals(), and changes nothing.
class CoordinatorRound {
 public:
  /// `session` must be ready and outlive the round. `early`: messages that came before the round began, among
  /// them those that the round before gives by take_early().
  CoordinatorRound(const CoordinatorSession& session, RoundRequest request,
                   std::vector<FromWorker> early = {});
  ~CoordinatorRound();
  CoordinatorRound(CoordinatorRound&&) noexcept;
  CoordinatorRound& operator=(CoordinatorRound&&) noexcept;

  /// The messages that open the round.
  std::vector<ToWorker> begin();
  /// Handles one message of a worker. Messages of other rounds are refused as late.
  std::vector<ToWorker> step(const FromWorker& message);
  /// The deadline of the phase passed. A phase is numbered by phase(); the caller sets the next deadline when
  /// it grows.
  std::vector<ToWorker> deadline_passed();

  /// With a tree, once all workers were told to REDUCE: the zeros with which rank 0 joins their sum. What comes of
  /// it goes to reduced().
  std::optional<SealedSum::Residues> joins_sum();
  std::vector<ToWorker> reduced(SealedSum::Residues sum);

  /// Grows with each phase, so that the caller knows when to set a new deadline.
  int phase() const;
  bool ended() const;
  const OpenedSum* summed() const;     ///< The sum, once ended well.
  const RoundFailure* failed() const;  ///< The reason, once ended badly.
  /// The noise that was taken out of the sum, once ended well; null when none was too much.
  const SurplusRemoval* surplus() const;
  /// Workers that found a fault that their users must mend: nothing comes of their merchants any more.
  const std::map<Peer, Failure>& worker_failures() const;
  /// Merchants that were invited and are not in the sum.
  const std::vector<DroppedMerchant>& dropped() const;
  /// Who is to blame for what went wrong, once ended.
  Verdict verdict() const;
  /// The shares that came for the next round, once ended. Empty when this round failed.
  std::vector<FromWorker> take_early();

  /// Tells all workers how the round ended: `payload` is the layer above's release for a sum, else unused.
  /// The reason of a failed round goes instead.
  std::vector<ToWorker> announce(ByteView payload) const;

  /// What was refused so far, one sentence each, for the log.
  const std::vector<std::string>& refusals() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hanse
