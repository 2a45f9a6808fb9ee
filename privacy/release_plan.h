#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/config/configuration.h"
#include "common/workloads/task.h"
#include "privacy/accounting/noise_schedule.h"
#include "privacy/ledger/record.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// How the sums of a run are released: with how much noise, on which grid, for how many merchants at least. It follows
/// from the configuration and the number of merchants alone. The coordinator uses it to announce sums; every worker
/// derives it from its own file and refuses a plan or a sum that says otherwise, so that nobody is talked into less noise.
class ReleasePlan {
 public:
  ReleasePlan(const Configuration& configuration, const FeatureSpace& space, RowKind kind,
              std::uint32_t merchants);

  /// federation.min_merchants, or its default: max(3, two thirds of those invited), and no more than are invited. With
  /// privacy.remove_surplus_noise at least as many as open a secret, because nothing opens with fewer.
  std::uint32_t shares_min() const { return shares_min_; }
  /// privacy.collusion: merchants whose noise is not counted; 0 without a unit of privacy.
  std::uint32_t collusion() const;
  double noise_multiplier(Purpose purpose) const { return noise_.of(purpose); }
  /// privacy.sampling_rate for updates; every unit is in all other sums.
  double sampling_rate(Purpose purpose) const;
  /// Of training sums where units take turns; empty where every unit is in every sum (privacy/accounting/turns.h).
  std::span<const std::uint32_t> coefficients() const { return coefficients_; }
  /// The row of `sum` when `rows` training sums came before it; nothing where no turns are taken.
  std::optional<std::uint64_t> row(Purpose purpose, std::uint64_t rows) const;
  /// The parameters of one sum of `workload`.
  SumParameters parameters(const Workload& workload, const PrivateSum& sum) const;

  /// Fills in everything in a ledger's plan that follows from the configuration.
  void describe(Plan& plan) const;
  /// Why `plan` is not what the configuration says, or nothing.
  std::optional<Error> differs(const Plan& plan) const;
  /// Why `claimed` is not parameters(workload, sum), or nothing. Real numbers may differ by the rounding of another
  /// machine's logarithms, one part in 10^9.
  std::optional<Error> differs(const SumParameters& claimed, const Workload& workload,
                               const PrivateSum& sum) const;

 private:
  Configuration configuration_;
  PlannedSums planned_;
  NoiseSchedule noise_;
  std::vector<std::uint32_t> coefficients_;
  std::uint32_t merchants_;
  std::uint32_t shares_min_;
};

}  // namespace hanse
