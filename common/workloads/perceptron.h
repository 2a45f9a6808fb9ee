#pragma once

#include <memory>

#include "common/config/configuration.h"
#include "common/numerics/perceptron_layers.h"
#include "common/workloads/confusion.h"
#include "common/workloads/facts.h"
#include "common/workloads/gradient_rounds.h"
#include "common/workloads/workload.h"

namespace hanse {

/// A multilayer perceptron: which of K classes is a record of, where classes are no straight cut through the columns? Layers of
/// rectified linear units and a softmax on top (common/numerics/perceptron_layers.h has equations and layout):
///
///   minimise  (1/n) sum of -log P(y_i | x_i)  +  l2 / 2 ||weights without biases||^2
///
/// Solver `gradient`: a unit contributes the sum of its rows' gradients, by backpropagation; adam is the server optimiser to take.
/// In the first layer a row touches the lines of its columns alone. Without a unit of privacy a merchant adds up its own rows, and
/// divides them by the n that was released. Solver `local` is FedAvg (McMahan et al. 2017): epochs of mini-batch SGD, with dropout where it
/// is asked for, both in an order given by (seed, round, merchant). See GradientRounds.
///
/// The norm of a unit's vector is at most C, to which it is scaled down (C = 1 unless privacy.clip says otherwise): no bound follows
/// from the rows, because the gradient grows with the weights. Natural unit: a record; of solver local a merchant. Without a unit of
/// privacy C = 2^14, which neither a mean gradient nor a difference of local models comes near.
///
/// The first model is drawn from the seed. Quality on test rows: Confusion.
class Perceptron final : public Workload {
 public:
  struct Options {
    std::vector<std::string> classes;
    std::uint32_t width = 0;  ///< Columns, the intercept's included.
    std::vector<std::size_t> hidden{128};
    double dropout = 0;              ///< Solver local.
    GradientRounds::Options rounds;  ///< Parameters and penalised entries are set here.
    double test_rows_per_unit = 0;  ///< Test rows of one unit that surely count in full; 0: 1, 8 or 256 for a
                                    ///< record, customer or merchant.
    std::uint64_t max_units = 1u << 20;
  };
  /// Throws bad_input for options that contradict each other.
  explicit Perceptron(Options options);

  std::string_view name() const override { return "perceptron"; }
  Unit natural_unit() const override { return rounds_.options().local ? Unit::merchant : Unit::record; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  /// "layer_1", "layer_2", ...: inputs x outputs, the biases the last line.
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights evaluation_insights(const PrivateSum& sum, std::span<const double> total,
                               double noise) const override;
  ClassScorer class_scorer(const Model& model) const override;

 private:
  Contributor gradient_contributor(const Model& model) const;
  Contributor local_contributor(const Model& model) const;

  Options options_;
  PerceptronLayers layers_;
  GradientRounds rounds_;
  Confusion confusion_;
};

/// As [workload], [server] and [privacy] ask for it: the catalogue's `perceptron`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_perceptron(const Configuration& configuration, const WorkloadFacts& facts);

}  // namespace hanse
