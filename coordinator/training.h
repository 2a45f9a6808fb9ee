#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/config/configuration.h"
#include "common/workloads/task.h"
#include "coordinator/attendance.h"
#include "coordinator/checkpoint.h"
#include "coordinator/federation.h"
#include "coordinator/output/metrics_log.h"
#include "coordinator/output/progress.h"
#include "coordinator/permissions.h"
#include "privacy/ledger/ledger_writer.h"
#include "privacy/release_plan.h"
#include "privacy/rows.h"

namespace hanse {

/// Where a training run tells what happens.
struct TrainingView {
  std::function<void(const RoundMetrics&)> round_done = [](const RoundMetrics&) {};
  std::function<void(const ProgressState&)> progress = [](const ProgressState&) {};
  /// For screen and log: something is not as it should be.
  std::function<void(std::string_view)> note = [](std::string_view) {};
  /// For the screen alone.
  std::function<void(std::string_view)> tell = [](std::string_view) {};
  /// After a sum: what a continuation begins with. On disk when it returns.
  std::function<void(const Checkpoint&)> checkpoint = [](const Checkpoint&) {};
};

/// How a training run ended.
struct TrainingResult {
  Model preparation;
  Model model;
  Encoding encoding;
  std::vector<NamedArray> arrays;  ///< Workload::arrays of the model.
  Insights insights;               ///< Of the model and its last evaluation.
  Metrics figures;                 ///< The last of each.
  std::uint64_t rounds = 0;        ///< Training rounds done.
  std::string stopped;             ///< Why before the planned rounds, or empty.
};

/// The outer loop: a training run is a sequence of private sums.
///
///   for each sum that the workload asks for:
///     1. choose its parameters and ask the ledger whether the budget allows it
///     2. write the intent to disk
///     3. have the merchants sign it, and their signatures on disk
///     4. let the federation add it up
///     5. apply it to the model
///     6. write the release to disk and tell the merchants
///     7. write a checkpoint: after each statistic, and after every federation.checkpoint_every-th training round
class Training {
 public:
  /// `space` and `kind` describe the data as the configuration does. The federation is assembled; `ledger`
  /// holds the plan. What `ledger` announced and did not answer must be answered (LedgerWriter::abort_open).
  Training(const Configuration& configuration, FeatureSpace space, RowKind kind, Federation& federation,
           LedgerWriter& ledger, SignedLedger& signed_ledger, const Clock& clock, TrainingView view);

  /// Goes on behind a checkpoint of this run, before run(). Rounds of the session follow those of the ledger. Throws
  /// Failure(could_not_finish) when it has not the shape of this run's models.
  void go_on(const Checkpoint& checkpoint);

  /// Merchants to be asked for their signature of the claim: those that did not keep missing rounds.
  std::vector<std::uint32_t> present() const;

  /// Runs to the end, the plan's signatures first; the claim is the caller's, who publishes the model. Throws Failure(could_not_finish)
  /// when the quorum is lost, or the budget before the first round.
  TrainingResult run();

 private:
  void prepare_data();
  enum class Start { fresh, from_checkpoint };
  void begin_training_when_prepared(Start start);
  void train();
  /// Runs one sum and applies it; false when the budget does not allow it.
  bool run_sum(const Workload& workload, Model& model, const PrivateSum& sum);
  Invitation invite(std::uint64_t round, std::uint64_t sum, std::uint64_t attempt) const;
  std::set<Peer> lost_workers() const;
  std::vector<std::uint32_t> absent(const Invitation& invitation,
                                    const std::vector<std::uint32_t>& permitted) const;
  void record_refusals();
  void note_silence(const std::vector<DroppedMerchant>& dropped);
  void check_quorum() const;
  [[noreturn]] void end_without_quorum(const std::string& why) const;
  void end_round();
  void tell_expected_cost();
  void save() const;
  void save_when_due() const;
  double seconds() const;
  bool record_attendance(const CoordinatorRound& round);
  Bytes payload() const;
  Digest model_digest() const;
  std::vector<double> decoded(const Intent& intent, const OpenedSum& opened);
  Metrics published_figures() const;
  Insights all_insights() const;
  void tell_of_round();

  const Configuration& configuration_;
  FeatureSpace space_;
  RowKind kind_;
  Federation& federation_;
  LedgerWriter& ledger_;
  SignedLedger& signed_ledger_;
  const Clock& clock_;
  TrainingView view_;

  std::uint32_t merchants_;
  ReleasePlan plan_;
  Task task_;
  std::unique_ptr<Workload> workload_;
  std::optional<RowDecoder> decoder_;  ///< Where units take turns.
  Model preparation_;
  Model model_;
  Metrics figures_;
  std::vector<double> evaluation_;  ///< The last total of an evaluation; empty before.
  std::string stopped_;
  std::uint64_t round_;     ///< Of the ledger: one a sum tried.
  std::uint64_t sums_ = 0;  ///< Released.
  std::uint64_t training_round_ = 0;
  std::uint64_t rounds_ = 0;  ///< Of training, at most: known once the workload is.
  bool round_open_ = false;   ///< The last training round lacks its evaluation and its metrics.
  std::uint32_t last_included_ = 0;
  std::optional<Invitation> next_;  ///< To the round that comes, when the one before told of it.
  Attendance attendance_;
  std::set<Peer> silent_;  ///< Workers of which nothing was heard, and it was said.
  Instant began_;
  double seconds_before_ = 0;  ///< Until the checkpoint that the run went on from.
  std::uint64_t bytes_before_ = 0;
};

}  // namespace hanse
