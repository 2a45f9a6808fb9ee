#pragma once

#include <memory>

#include "common/config/configuration.h"
#include "common/numerics/newton.h"
#include "common/numerics/server_optimizer.h"
#include "common/workloads/facts.h"
#include "common/workloads/score_histogram.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Logistic regression: P(y = 1 | x) = sigmoid(w . x), with the intercept as the last column of x.
///
///   minimise  (1/n) sum of c_i log-loss_i  +  l2 / 2 ||w'||^2  +  l1 ||w'||_1
///
/// with w' the weights without the intercept, and c_i = positive_weight where y_i = 1, else 1.
///
/// Solver `gradient`: a unit contributes the sum over its rows of c (sigmoid(w.x) - y) x, and the server
/// optimiser steps along total / n + l2 w, followed by the proximal step of l1 (optimisers sgd and momentum). With an
/// exact sum this is gradient descent on the pooled data, whatever the split.
///
/// Solver `newton` (`kNewtonWidthMax` columns at most): a contribution is gradient and Hessian, sum of c p (1 - p) x x^T,
/// whose lower triangle makes the sum long: width^2 / 2.
///  - Without a unit of privacy a merchant adds up its rows by itself and divides them by the n that was released; loss
///    and rows are with them. Gradient, loss and rows take two entries each (common/workloads/two_parts.h), with the digits that a norm
///    of 1e-8 needs. The server makes damped steps (common/numerics/newton.h) and is finished, next_sum() gives nothing,
///    when the norm of the gradient is at most `tolerance`: about ten sums. The clip norm 2^16 is beyond any mean
///    Hessian of rows whose mean ||x||^2 is below 2^18; after the sum at w = 0 the largest Hessian there is is known, and
///    with it a smaller clip norm, so a finer grid: it is a parameter of the model, public as the others. A cell of the Hessian that the rows of one merchant alone fill
///    is released as it is.
///  - With one, a unit's vector is (gradient, Hessian / clip norm), bounded together, and the noisy Hessian gets a ridge
///    of the spectral norm that its noise is likely to have, 2 sigma sqrt(width), more where that does not make it
///    positive definite. Noise in width^2 / 2 entries drowns small curvature: unless rows are many and columns a few
///    dozen, `gradient` with momentum is better at the same epsilon.
///
/// Once Newton's method has converged without noise, the Hessian H of the log-likelihood is known exactly at w, and with it
/// standard errors: the roots of the diagonal of (H + n l2 I')^-1 H (H + n l2 I')^-1 (Wald; of l2 = 0 the inverse of the observed
/// information). They are told where rows have equal weights and l1 = 0.
///
/// Solver `local` is FedAvg (McMahan et al. 2017): a merchant runs epochs of mini-batch SGD on its own rows,
/// in an order given by (seed, round, merchant), and contributes weight * (w_local - w); the server steps
/// along minus the weighted mean of the differences. Weights are rows over the mean rows of a merchant, or
/// all 1. `proximal_mu` makes it FedProx (Li et al. 2020). `scaffold` makes it Scaffold (Karimireddy et al. 2020,
/// option I): a second block of the contribution is learning_rate * weight * c_i, c_i the merchant's mean gradient at the
/// global model w. The model keeps the w before this one and the mean c of what was said of it; a merchant computes its
/// own c_i at that w again, and its steps are corrected by c - c_i. So nobody remembers anything, and where all take
/// part it is the published algorithm.
///
/// Without a unit of privacy two more entries of an update of `gradient` and `local` carry loss and weight: they give
/// train_loss and the exact divisor, and the clip norm is 1024, beyond any gradient of rows with ||x|| < 1024
/// (standardised and bounded columns); with one, n is the number released before training and no entry is spent on the
/// loss.
class LogisticRegression final : public Workload {
 public:
  enum class Solver { gradient, local, newton };
  static constexpr std::uint32_t kNewtonWidthMax = 4096;
  struct Options {
    std::uint32_t width = 0;
    double train_rows = 0;  ///< As released.
    std::uint32_t merchants = 1;
    Unit unit = Unit::none;  ///< Of privacy.
    Solver solver = Solver::gradient;
    double clip = 0;            ///< 0: 1024, 4096 or 65536 without a unit of privacy, else 1.
    double expected_share = 1;  ///< Of units or merchants that take part in a round.
    double l1 = 0;              ///< Solvers gradient and newton.
    double l2 = 0;
    double positive_weight = 1;
    double tolerance = 1e-8;      ///< Solver newton.
    double noise_multiplier = 0;  ///< Of an update; solver newton.
    std::uint32_t local_epochs = 1;
    std::uint32_t batch = 32;
    double learning_rate = 0.1;  ///< Of local epochs.
    double proximal_mu = 0;      ///< Solver local.
    bool scaffold = false;       ///< Solver local.
    bool shuffle = true;         ///< Solver local.
    bool equal_weights = false;  ///< Solver local.
    std::uint64_t seed = 1;
    double test_rows_per_unit = 0;  ///< Test rows of one unit that surely count in full; 0: 1, 8 or 256 for a
                                    ///< record, customer or merchant.
    std::uint64_t max_units = 1u << 20;
    ServerOptimizer::Options server;
    FeatureSpace space =
        {};  ///< Encoded, with `mean` and `deviation` of its numbers: names and units of columns.
    std::vector<double> mean = {};
    std::vector<double> deviation = {};
  };
  /// Throws bad_input for options that contradict each other.
  explicit LogisticRegression(Options options);

  std::string_view name() const override { return "logistic"; }
  Unit natural_unit() const override;
  Model initial_model(std::uint64_t seed) const override;
  void start_from(const SavedModel& saved, Model& model) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights insights(const Model& model) const override;
  RowScorer scorer(const Model& model) const override;

 private:
  bool lanes() const { return options_.unit == Unit::none; }
  /// Standard errors are kept, behind the state of Newton's method; zero until they are known.
  bool tells_errors() const {
    return newton() && lanes() && options_.positive_weight == 1 && options_.l1 == 0;
  }
  std::span<const double> standard_errors(const Model& model) const;
  void find_errors(Model& model, std::span<const double> hessian, double rows) const;
  bool newton() const { return options_.solver == Solver::newton; }
  bool local() const { return options_.solver == Solver::local; }
  std::size_t parameter_count() const;
  std::size_t update_length() const;
  Contributor gradient_contributor(const Model& model) const;
  Contributor local_contributor(const Model& model) const;
  Contributor newton_contributor(const Model& model, double clip_norm) const;
  Metrics apply_gradient(Model& model, std::span<const double> total) const;
  Metrics apply_local(Model& model, std::span<const double> total) const;
  Metrics apply_newton(Model& model, std::span<const double> total, double clip_norm) const;

  Options options_;
  ServerOptimizer optimizer_;
  ScoreHistogram histogram_;
};

/// As [workload], [server] and [privacy] ask for it: the catalogue's `logistic`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_logistic_regression(const Configuration& configuration,
                                                   const WorkloadFacts& facts);

}  // namespace hanse
