#pragma once

#include <memory>
#include <optional>

#include "common/config/configuration.h"
#include "common/numerics/server_optimizer.h"
#include "common/workloads/factor_table.h"
#include "common/workloads/facts.h"
#include "common/workloads/regression_errors.h"
#include "common/workloads/score_histogram.h"
#include "common/workloads/workload.h"

namespace hanse {

/// A factorization machine of second order (Rendle 2010): linear terms, and for every pair of columns an interaction whose
/// weight is the inner product of two short vectors, so that it is learnt even of pairs that never met.
///
///   score(x) = w0 + w . x + sum over pairs j < l of (v_j . v_l) x_j x_l
///   minimise  (1/n) sum of losses  +  l2 / 2 ||w||^2  +  l2_factors / 2 ||V||^2
///
/// For labels 0 and 1 the loss is the log-loss of P(y = 1 | x) = sigmoid(score(x)). For numeric labels it is half the square of
/// score(x) - (y - m) / h, with m and h the middle and half-width of the labels' range, and y is predicted as
/// m + h score(x); the published arrays are in units of the label.
///
/// The intercept's 1 is the last column of x and meets no other column. See FactorTable for score and gradient in O(rank) for
/// each nonzero. A contribution has entries for those columns alone that the unit's rows have.
///
/// Solver `gradient`: a unit contributes the sum over its rows of the gradient of the loss, and the server optimiser (adam or
/// adagrad, since columns differ much in how often they occur) steps along total / n plus the penalties' gradient.
///
/// Solver `local` is FedAvg (McMahan et al. 2017) with Adagrad at the merchants: a merchant passes over its own rows
/// `local_epochs` times, in an order given by (seed, round, merchant), one step a row, and contributes
/// weight * (local - global); the server steps along minus the weighted mean. Penalties are those of the columns a row has, at
/// each row that has them. Weights are rows over the mean rows of a merchant, or all 1.
///
/// Without a unit of privacy two more entries of an update carry loss and weight, as in LogisticRegression.
///
/// Layout of the parameters: w0, then for each column but the intercept w_j and the k entries of v_j.
class FactorizationMachine final : public Workload {
 public:
  enum class Solver { gradient, local };
  struct Options {
    std::uint32_t width = 0;  ///< Columns, the intercept's included.
    std::uint32_t rank = 8;
    double train_rows = 0;  ///< As released.
    std::uint32_t merchants = 1;
    Unit unit = Unit::none;  ///< Of privacy.
    Solver solver = Solver::gradient;
    double clip = 0;             ///< 0: 4096 without a unit of privacy, else 1.
    double expected_share = 1;   ///< Of units or merchants that take part in a round.
    double init = 0.3;           ///< Standard deviation of the first factors, times sqrt(rank).
    LocalAdagrad penalties;      ///< l2 and l2_factors; rate and epochs matter to solver local.
    bool equal_weights = false;  ///< Solver local.
    std::uint64_t seed = 1;
    bool regression = false;  ///< Labels are numbers in this range.
    double label_low = -1;
    double label_high = 1;
    bool label_declared = false;
    double test_rows_per_unit = 0;  ///< Test rows of one unit that surely count in full; 0: 1, 8 or 256 for a
                                    ///< record, customer or merchant.
    std::uint64_t max_units = 1u << 20;
    ServerOptimizer::Options server;
    FeatureSpace space =
        {};  ///< Encoded, with `mean` and `deviation` of its numbers: names and units of columns.
    std::vector<double> mean = {};
    std::vector<double> deviation = {};
  };
  explicit FactorizationMachine(Options options);

  std::string_view name() const override { return "factorization-machine"; }
  Unit natural_unit() const override;
  Model initial_model(std::uint64_t seed) const override;
  void start_from(const SavedModel& saved, Model& model) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;
  RowScorer scorer(const Model& model) const override;

 private:
  bool lanes() const { return options_.unit == Unit::none; }
  std::size_t columns() const { return options_.width - 1u; }
  std::size_t block() const { return std::size_t{options_.rank} + 1; }
  std::size_t parameters() const { return 1 + columns() * block(); }
  std::span<const double> column(const Model& model, std::size_t j) const;
  FactorTable table_of(const Model& model) const;
  Contributor gradient_contributor(const Model& model) const;
  Contributor local_contributor(const Model& model) const;

  Options options_;
  ServerOptimizer optimizer_;
  ScoreHistogram histogram_;
  std::optional<RegressionErrors> errors_;  ///< Of regression.
  ScoreTarget target_;
};

/// As [workload], [server] and [privacy] ask for it: the catalogue's `factorization-machine`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_factorization_machine(const Configuration& configuration,
                                                     const WorkloadFacts& facts);

}  // namespace hanse
