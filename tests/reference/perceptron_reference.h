#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

/// A perceptron in the plainest centralised code: dense rows, and the gradient by differences of the loss, which knows nothing of
/// backpropagation. What the federation must equal without noise.
namespace hanse::reference {

struct PerceptronReference {
  std::vector<std::size_t> sizes;  ///< Columns (the intercept among them), hidden units, classes.

  /// Probabilities of the classes. Weights are layer by layer, a line of outputs for each input, biases last.
  std::vector<double> probabilities(const std::vector<double>& weights, std::vector<double> x) const {
    std::size_t at = 0;
    for (std::size_t layer = 0; layer + 1 < sizes.size(); ++layer) {
      if (layer > 0) {
        x.push_back(1);
      }
      std::vector<double> out(sizes[layer + 1], 0.0);
      for (const double input : x) {
        for (double& sum : out) {
          sum += input * weights[at++];
        }
      }
      const bool last = layer + 2 == sizes.size();
      double total = 0;
      for (double& one : out) {
        one = last ? std::exp(one) : std::max(one, 0.0);
        total += one;
      }
      for (double& one : out) {
        one = last ? one / total : one;
      }
      x = out;
    }
    return x;
  }

  template <class Rows>
  double mean_loss(const Rows& rows, const std::vector<double>& weights) const {
    double sum = 0;
    for (const auto& row : rows) {
      sum -= std::log(probabilities(weights, row.x)[row.y]);
    }
    return sum / static_cast<double>(rows.size());
  }

  template <class Rows>
  std::vector<double> mean_gradient(const Rows& rows, std::vector<double> weights) const {
    constexpr double kStep = 1e-6;
    std::vector<double> gradient;
    for (double& weight : weights) {
      const double here = weight;
      weight = here + kStep;
      const double above = mean_loss(rows, weights);
      weight = here - kStep;
      gradient.push_back((above - mean_loss(rows, weights)) / (2 * kStep));
      weight = here;
    }
    return gradient;
  }
};

}  // namespace hanse::reference
