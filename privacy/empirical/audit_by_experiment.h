#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/arguments.h"
#include "privacy/empirical/experiment.h"
#include "privacy/ledger/audit.h"

namespace hanse {

/// The experiment as `hanse audit --empirical` offers it: with the noise that a ledger tells, or with given
/// noise. What is tried is the mechanism in this program, not the processes of a run that is over.

/// Beyond this mu (epsilon 26 at delta 1e-6) twenty thousand canaries are told apart almost without an error,
/// whatever the noise: of a run that spent more, as many sums are tried as stay below.
inline constexpr double kMuMax = 4;

struct ExperimentOptions {
  std::uint32_t canaries = 20000;
  double significance = 1e-3;
  std::uint64_t rounds = 0;  ///< Most sums to try; 0: as many as stay below kMuMax, ten thousand at most.
  std::uint64_t seed = 1;
};

/// What is tried, and of what.
struct PlannedExperiment {
  CanaryPlan plan;
  double delta = 0;
  std::uint64_t sums_of_run = 0;         ///< With noise, of the population tried.
  std::optional<double> epsilon_ledger;  ///< Of all these sums, as the ledger accounts for them.
  std::vector<std::string> notes;        ///< Each a sentence.
};

/// The sums with noise that `lines` of a ledger announce, those of the population that spent most when the
/// unit is the record. With exactly as many shares of noise as the ledger counts on. Lines must hold
/// (LedgerState). Throws bad_input when there is no sum with noise.
PlannedExperiment plan_experiment(const LedgerState& state, const std::vector<Intent>& intents,
                                  const ExperimentOptions& options);

/// `rounds` equal sums of noise multiplier z among `merchants`, with units drawn at `sampling_rate`.
PlannedExperiment plan_experiment(double noise_multiplier, double sampling_rate, std::uint32_t merchants,
                                  double delta, const ExperimentOptions& options);

/// The verdict for people, and a JSON object `before` with one more member, "empirical".
std::string text_of(const PlannedExperiment& planned, const ExperimentReport& report);
std::string json_with(const std::string& before, const PlannedExperiment& planned,
                      const ExperimentReport& report);

/// Declares --empirical and the options that go with it.
void declare_experiment_options(Arguments& arguments);

/// What a program prints, and whether it holds.
struct Verdict {
  std::string text;
  bool holds = true;
};

/// Adds the experiment to the verdict on a ledger. Without --empirical nothing is added.
void add_experiment(const Arguments& arguments, const AuditReport& report, Verdict& verdict);

/// The experiment without a ledger: --noise-multiplier, --sampling-rate, --merchants, --delta, --rounds.
Verdict experiment_without_ledger(const Arguments& arguments);

}  // namespace hanse
