#pragma once

#include "common/numerics/server_optimizer.h"
#include "common/workloads/score_histogram.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Logistic regression: P(y = 1 | x) = sigmoid(w . x), with the intercept as the last column of x.
///
///   minimise  (1/n) sum of log-loss  +  l2 / 2 * ||w without intercept||^2
///
/// Solver `gradient`: a unit contributes the sum over its rows of (sigmoid(w.x) - y) x, and the server
/// optimiser steps along total / n + l2 w. With an exact sum this is gradient descent on the pooled data,
/// whatever the split.
///
/// Solver `local` is FedAvg (McMahan et al. 2017): a merchant runs epochs of mini-batch SGD on its own rows,
/// in an order given by (seed, round, merchant), and contributes weight * (w_local - w); the server steps
/// along minus the weighted mean of the differences. Weights are rows over the mean rows of a merchant, or
/// all 1.
///
/// Without a unit of privacy two more entries of an update carry loss and weight: they give train_loss and
/// the exact divisor, and the clip norm is 1024, beyond any gradient of rows with ||x|| < 1024 (standardised
/// and bounded columns); with one, n is the number released before training and no entry is spent on the
/// loss.
class LogisticRegression final : public Workload {
 public:
  enum class Solver { gradient, local };
  struct Options {
    std::uint32_t width = 0;
    double train_rows = 0;  ///< As released.
    std::uint32_t merchants = 1;
    Unit unit = Unit::none;  ///< Of privacy.
    Solver solver = Solver::gradient;
    double clip = 0;            ///< 0: 1024 without a unit of privacy, else 1.
    double expected_share = 1;  ///< Of units or merchants that take part in a round.
    double l2 = 0;
    std::uint32_t local_epochs = 1;
    std::uint32_t batch = 32;
    double learning_rate = 0.1;  ///< Of local epochs.
    bool equal_weights = false;  ///< Solver local.
    std::uint64_t seed = 1;
    double test_rows_per_unit = 0;  ///< Test rows of one unit that surely count in full; 0: 1, 8 or 256 for a
                                    ///< record, customer or merchant.
    std::uint64_t max_units = 1u << 20;
    ServerOptimizer::Options server;
  };
  explicit LogisticRegression(Options options);

  std::string_view name() const override { return "logistic"; }
  Unit natural_unit() const override;
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;

 private:
  bool lanes() const { return options_.unit == Unit::none; }
  Contributor gradient_contributor(const Model& model) const;
  Contributor local_contributor(const Model& model) const;
  Contributor score_contributor(const Model& model) const;

  Options options_;
  ServerOptimizer optimizer_;
  ScoreHistogram histogram_;
};

}  // namespace hanse
