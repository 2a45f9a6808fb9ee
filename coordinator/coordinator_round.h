#pragma once

#include <cstdint>
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
};

/// A merchant that is not in the sum, and why.
struct DroppedMerchant {
  std::uint32_t merchant = 0;
  Refusal reason = Refusal::deadline;
  std::string sentence;
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
/// Each arrow is taken when all merchants that are still expected have answered, or when the deadline of the
/// phase passes with enough of them. Without masks CollectInputs is the first and leads to Summed directly.
/// Uploads are added on arrival into one total and dropped: memory is that of one vector, whatever the number
/// of merchants. A message that breaks a rule is refused, counted in refusals(), and changes nothing.
class CoordinatorRound {
 public:
  /// `session` must be ready and outlive the round.
  CoordinatorRound(const CoordinatorSession& session, RoundRequest request);
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

  /// Grows with each phase, so that the caller knows when to set a new deadline.
  int phase() const;
  bool ended() const;
  const OpenedSum* summed() const;     ///< The sum, once ended well.
  const RoundFailure* failed() const;  ///< The reason, once ended badly.
  /// A worker found a fault that its user must mend: the run should stop with this failure.
  const std::optional<Failure>& worker_failure() const;
  /// Merchants that were invited and are not in the sum.
  const std::vector<DroppedMerchant>& dropped() const;

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
