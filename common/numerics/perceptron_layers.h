#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/seeded_generator.h"
#include "common/data/csr_matrix.h"

namespace hanse {

/// A multilayer perceptron: layers of rectified linear units a_l = max(0, W_l^T (a_{l-1}, 1)), and K logits on top of the last,
/// z = W_L^T (a_{L-1}, 1); below the first is a sparse row whose intercept is a column.
///
/// All weights are one vector, layer by layer, each a table with a line of outputs for every input, the biases' line last: the
/// gradient of a row touches in the first layer the lines of its columns alone.
class PerceptronLayers {
 public:
  /// `columns` of a row, the intercept among them.
  PerceptronLayers(std::size_t columns, std::vector<std::size_t> hidden, std::size_t classes);

  std::size_t parameters() const { return begins_.back(); }
  std::size_t first_layer() const { return begins_[1]; }  ///< Its parameters.
  std::size_t layers() const { return outputs_.size(); }
  std::size_t inputs(std::size_t layer) const {
    return inputs_[layer];
  }  ///< The one of the biases among them.
  std::size_t outputs(std::size_t layer) const { return outputs_[layer]; }
  std::size_t begin(std::size_t layer) const { return begins_[layer]; }

  /// He et al. 2015: normal weights of variance 2 / inputs, of the logits 1 / inputs; biases 0.
  std::vector<double> initial(SeededGenerator generator) const;

  /// What one row leaves behind: of each layer its outputs (the last: p), and the derivatives of the row's loss by what goes into
  /// them (the last: p - e_y).
  struct Pass {
    std::vector<std::vector<double>> outputs;
    std::vector<std::vector<double>> deltas;
    double scale = 1;  ///< Of hidden units that dropout left in.
  };
  Pass pass() const;

  /// Probabilities of the classes, in pass.outputs.back(). With `dropout` in (0, 1), hidden units are left out with that probability,
  /// drawn from `generator`, and the others scaled up (Srivastava et al. 2014).
  void forward(const SparseRow& row, std::span<const double> weights, Pass& pass, double dropout = 0,
               SeededGenerator* generator = nullptr) const;
  /// After forward(): the deltas for class `label`. Returns the log-loss.
  double backward(std::size_t label, std::span<const double> weights, Pass& pass) const;
  /// out += scale * gradient of the row of a pass.
  void add_gradient(const SparseRow& row, const Pass& pass, double scale, std::span<double> out) const;
  /// The same of the layers above the first, `out` of their parameters alone.
  void add_upper_gradient(const Pass& pass, double scale, std::span<double> out) const;

 private:
  std::vector<std::size_t> inputs_;
  std::vector<std::size_t> outputs_;
  std::vector<std::size_t> begins_;  ///< Of each layer, and the end.
};

}  // namespace hanse
