#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/secure_random.h"
#include "common/config/configuration.h"
#include "common/data/dataset.h"
#include "common/workloads/task.h"
#include "privacy/ledger/ledger_copy.h"
#include "privacy/release_plan.h"
#include "privacy/rows.h"
#include "worker/worker_node.h"

namespace hanse {

/// The worker's own side of a round: its merchants' data, its copies of the ledger and its policy. It
/// computes nothing that its own configuration does not ask for, and nothing before the intent is on its own
/// disk.
class LocalWork {
 public:
  /// `coordinator` is its pinned identity, when known.
  LocalWork(Configuration configuration, Dataset data, std::vector<LedgerMerchant> hosted,
            std::optional<PublicKey> coordinator, SecureRandom& random);

  /// What WorkerNode calls. The hooks refer to this object, which must stay where it is.
  WorkerHooks hooks();

  /// With workload.own, after the run: fits the own part of each merchant here to its training rows, on top of the final
  /// model, and keeps it with its figures in the merchant's folder, merchants/NAME/own.json. Nothing is sent. Gives why
  /// there is nothing to write, where it is wished for and cannot be: the final model was not seen here.
  std::optional<std::string> keep_own_parts();

 private:
  void session_ready(const SessionView& session);
  Result<HeadToSign> permit(std::span<const std::string> lines, std::span<const std::uint32_t> merchants);
  Result<std::vector<std::string>> recall(std::uint64_t size, const Digest& tip);
  Result<SumParameters> accept_round(const StartView& start);
  SealedSum prepare(std::uint32_t merchant, const Seal& seal);
  void round_ended(ByteView payload, bool released);

  Result<SumParameters> check_round(const StartView& start);
  LedgerCopy& ledger();
  std::optional<Error> take_lines(std::span<const std::string> lines);
  Error forget_ledger(const Failure& failure);
  Result<Intent> permitted_intent(const StartView& start) const;
  std::optional<Error> check_statistics(const Model& preparation) const;
  std::optional<Error> choose_sum(const Intent& intent, const Model& preparation);
  std::optional<Error> compare(const Intent& intent, const SumParameters& claimed) const;
  void keep_record_keys();
  UnitSource units_of(const MerchantRows& merchant);
  bool has_turn(const MerchantRows& merchant, Unit unit, const UnitRows& rows) const;

  Configuration configuration_;
  Dataset data_;
  FeatureSpace space_;  ///< Before encoding: what the task is built from.
  std::vector<LedgerMerchant> hosted_;
  std::optional<PublicKey> coordinator_;
  std::optional<LedgerCopy>
      ledger_;  ///< Opened with the first round, once the coordinator made the run directory.
  SecureRandom& random_;

  std::uint32_t merchants_ = 0;      ///< Of the federation.
  std::optional<ReleasePlan> plan_;  ///< What this worker's own configuration promises about every sum.
  std::unique_ptr<Task> task_;
  std::unique_ptr<Workload> training_;
  Digest encoded_as_{};                     ///< Of the preparation that the data was encoded by.
  std::map<std::uint32_t, PastSums> past_;  ///< By merchant, where units take turns.
  std::vector<std::uint64_t>
      record_keys_;  ///< unit_key() of each training row as it was read, where they do.

  // The round in hand.
  Model model_;
  Digest seen_{};  ///< Of the models that the last round began with.
  const Workload* workload_ = nullptr;
  PrivateSum sum_;
  SumParameters parameters_;
  double sampling_rate_ = 1;
  std::optional<std::uint64_t> row_;
  Contributor contributor_;
};

}  // namespace hanse
