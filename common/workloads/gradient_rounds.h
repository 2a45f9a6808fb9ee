#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "common/config/configuration.h"
#include "common/numerics/server_optimizer.h"
#include "common/workloads/facts.h"
#include "common/workloads/workload.h"

namespace hanse {

/// How many of a model's parameters a merchant moves in local epochs, and how.
struct LocalEpochs {
  std::uint32_t epochs = 1;
  std::uint32_t batch = 32;
  double learning_rate = 0.1;
  double proximal_mu = 0;  ///< FedProx (Li et al. 2020).
  bool shuffle = true;
  bool equal_weights = false;  ///< Merchants weigh the same, whatever their rows.
};

/// The rounds of a model that gradients fit, whatever its layout: parameters w, a loss f_i for each row, and
///
///   minimise  (1/n) sum of f_i(w)  +  l2 / 2 ||w_p||^2     with w_p the penalised entries
///
/// Solver `gradient`: a unit contributes the sum of its rows' gradients, and the server optimiser steps along
/// total / n + l2 w_p. Solver `local` (FedAvg, McMahan et al. 2017): a merchant contributes weight * (w_local - w), and the
/// server steps along minus the weighted mean of the differences.
///
///   layout of a contribution   [parameters][loss][weight], the last two without a unit of privacy only: they give train_loss and the
///                              exact divisor. With one, the divisor is what was released before training.
///   norm                       at most the clip norm C, to which a unit's vector is scaled down: the sensitivity
///
/// A model's server state is that of the optimiser.
class GradientRounds {
 public:
  struct Options {
    std::size_t parameters = 0;
    std::vector<std::pair<std::size_t, std::size_t>> penalised;  ///< Half-open ranges of entries.
    double train_rows = 0;                                       ///< As released.
    std::uint32_t merchants = 1;
    Unit unit = Unit::none;  ///< Of privacy.
    bool local = false;
    double clip = 0;  ///< C; 0: 1, and without a unit of privacy `unclipped`.
    double unclipped = 4096;
    double expected_share = 1;  ///< Of units or merchants that take part in a round.
    double l2 = 0;
    LocalEpochs epochs;
    std::uint64_t seed = 1;
    ServerOptimizer::Options server;
  };
  /// Throws bad_input for options that contradict each other.
  explicit GradientRounds(Options options);

  bool lanes() const { return options_.unit == Unit::none; }
  std::size_t state_size() const { return optimizer_.state_size(options_.parameters); }
  PrivateSum sum() const;
  /// Where its lanes are, writes the loss of so much weight; every contribution ends with this.
  void write_lanes(double loss, double weight, Contribution& out) const;
  /// The contribution of a merchant whose `rows` rows moved the parameters from `here` to `weights`, with the sum of their losses on the way.
  /// Overwrites `weights` by their weighted difference.
  void write_difference(std::span<double> weights, std::span<const double> here, double loss,
                        std::size_t rows, Contribution& out) const;
  /// Moves the model by an opened sum.
  Metrics apply(Model& model, std::span<const double> total) const;
  const Options& options() const { return options_; }

 private:
  /// The weight of a merchant with so many rows in an average of local steps.
  double weight_of(std::size_t rows) const;

  Options options_;
  ServerOptimizer optimizer_;
};

/// As [workload], [server] and [privacy] ask for them: all but parameters, penalised entries and `unclipped`.
GradientRounds::Options gradient_rounds_options(const Configuration& configuration,
                                                const WorkloadFacts& facts);

}  // namespace hanse
