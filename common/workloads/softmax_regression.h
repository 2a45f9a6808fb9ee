#pragma once

#include <memory>

#include "common/config/configuration.h"
#include "common/workloads/confusion.h"
#include "common/workloads/facts.h"
#include "common/workloads/gradient_rounds.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Softmax (multinomial logistic) regression: which of K classes is a record of? With x a record's encoded row, the intercept
/// its last column,
///
///   P(y = k | x) = exp(w_k . x) / sum over l of exp(w_l . x)
///   minimise  (1/n) sum of -log P(y_i | x_i)  +  l2 / 2 sum of ||w_k without intercept||^2
///
/// The gradient of a record is the outer product x (p - e_y)^T, e_y the unit vector of its class, of norm
///
///   ||x|| ||p - e_y|| <= sqrt(2) ||x||
///
/// so that of rows with ||x|| <= sqrt(2), as L2-normalised text with its intercept is, a clip norm of 2 touches nothing; the default
/// with a unit of privacy is 1. Parameters and contributions are columns first, W[column][class]: a row touches one short block for each
/// of its columns, in increasing order.
///
/// Solvers `gradient` and `local` (FedAvg): see GradientRounds. The model starts at 0, where all classes are alike; steps are those
/// of mini-batch SGD,
///
///   W <- W - rate (1/|B| sum over B of x (p - e_y)^T  +  l2 W  +  mu (W - W_0))
///
/// l2 without the intercept's line. Natural unit: a record; of solver local a merchant. Without a unit of privacy the clip norm is
/// 4096 (gradient) or 16384 (local): beyond any row with ||x|| < 2048.
///
/// Quality on test rows: Confusion.
class SoftmaxRegression final : public Workload {
 public:
  struct Options {
    std::vector<std::string> classes;
    std::vector<std::string> columns;  ///< Names of the encoded columns, the intercept's last.
    GradientRounds::Options rounds;    ///< Parameters and penalised entries are set here.
    double test_rows_per_unit = 0;  ///< Test rows of one unit that surely count in full; 0: 1, 8 or 256 for a
                                    ///< record, customer or merchant.
    std::uint64_t max_units = 1u << 20;
  };
  /// Throws bad_input for options that contradict each other.
  explicit SoftmaxRegression(Options options);

  std::string_view name() const override { return "softmax"; }
  Unit natural_unit() const override { return rounds_.options().local ? Unit::merchant : Unit::record; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  /// "weights" (columns without the intercept x classes) and "intercepts" (classes).
  std::vector<NamedArray> arrays(const Model& model) const override;
  /// The columns that speak most for each class, where columns have names.
  Insights insights(const Model& model) const override;
  Insights evaluation_insights(const PrivateSum& sum, std::span<const double> total,
                               double noise) const override;
  ClassScorer class_scorer(const Model& model) const override;

 private:
  std::size_t classes() const { return options_.classes.size(); }
  Contributor gradient_contributor(const Model& model) const;
  Contributor local_contributor(const Model& model) const;

  Options options_;
  GradientRounds rounds_;
  Confusion confusion_;
};

/// As [workload], [server] and [privacy] ask for it: the catalogue's `softmax`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_softmax_regression(const Configuration& configuration,
                                                  const WorkloadFacts& facts);

}  // namespace hanse
