#include "common/numerics/perceptron_layers.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"
#include "common/numerics/row_table.h"
#include "common/numerics/softmax.h"

namespace hanse {
namespace {

constexpr std::size_t kLanes = 8;

/// In eight partial sums, the same on every processor.
double inner_product(std::span<const double> a, std::span<const double> b) {
  double lanes[kLanes] = {};
  for (std::size_t i = 0; i < a.size(); ++i) {
    lanes[i % kLanes] += a[i] * b[i];
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

}  // namespace

PerceptronLayers::PerceptronLayers(std::size_t columns, std::vector<std::size_t> hidden, std::size_t classes)
    : inputs_{columns}, outputs_(std::move(hidden)), begins_{0} {
  for (const std::size_t units : outputs_) {
    inputs_.push_back(units + 1);
  }
  outputs_.push_back(classes);
  for (std::size_t layer = 0; layer < outputs_.size(); ++layer) {
    check(inputs_[layer] > 0 && outputs_[layer] > 0, "every layer has inputs and outputs");
    begins_.push_back(begins_.back() + inputs_[layer] * outputs_[layer]);
  }
}

std::vector<double> PerceptronLayers::initial(SeededGenerator generator) const {
  std::vector<double> weights(parameters(), 0.0);
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    const double gain = layer + 1 < layers() ? 2 : 1;
    const double deviation = std::sqrt(gain / static_cast<double>(inputs_[layer]));
    const std::size_t biases = begins_[layer + 1] - outputs_[layer];
    for (std::size_t i = begins_[layer]; i < biases; ++i) {
      weights[i] = deviation * generator.normal();
    }
  }
  return weights;
}

PerceptronLayers::Pass PerceptronLayers::pass() const {
  Pass pass;
  for (const std::size_t outputs : outputs_) {
    pass.outputs.emplace_back(outputs);
    pass.deltas.emplace_back(outputs);
  }
  return pass;
}

void PerceptronLayers::forward(const SparseRow& row, std::span<const double> weights, Pass& pass,
                               double dropout, SeededGenerator* generator) const {
  pass.scale = dropout > 0 ? 1 / (1 - dropout) : 1;
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    std::vector<double>& out = pass.outputs[layer];
    const std::span<const double> table =
        weights.subspan(begins_[layer], begins_[layer + 1] - begins_[layer]);
    if (layer == 0) {
      multiply_row(row, table, out);
    } else {
      const std::vector<double>& in = pass.outputs[layer - 1];
      const std::span<const double> biases = table.last(out.size());
      std::copy(biases.begin(), biases.end(), out.begin());
      for (std::size_t j = 0; j < in.size(); ++j) {
        if (in[j] != 0) {
          add_scaled(table.subspan(j * out.size(), out.size()), in[j], out);
        }
      }
    }
    if (layer + 1 == layers()) {
      break;
    }
    for (double& unit : out) {
      const bool left_out = dropout > 0 && generator->uniform() < dropout;
      unit = left_out ? 0 : std::max(unit, 0.0) * pass.scale;
    }
  }
  softmax(pass.outputs.back());
}

double PerceptronLayers::backward(std::size_t label, std::span<const double> weights, Pass& pass) const {
  const std::vector<double>& probabilities = pass.outputs.back();
  check(label < probabilities.size(), "a label is one of the classes");
  pass.deltas.back() = probabilities;
  pass.deltas.back()[label] -= 1;
  for (std::size_t layer = layers() - 1; layer > 0; --layer) {
    const std::vector<double>& out = pass.outputs[layer - 1];
    const std::span<const double> table = weights.subspan(begins_[layer]);
    const std::vector<double>& above = pass.deltas[layer];
    for (std::size_t j = 0; j < out.size(); ++j) {
      pass.deltas[layer - 1][j] =
          out[j] > 0 ? pass.scale * inner_product(table.subspan(j * above.size(), above.size()), above) : 0.0;
    }
  }
  return -std::log(std::max(probabilities[label], 1e-300));
}

void PerceptronLayers::add_gradient(const SparseRow& row, const Pass& pass, double scale,
                                    std::span<double> out) const {
  add_outer(row, scale, pass.deltas[0], out.first(first_layer()));
  add_upper_gradient(pass, scale, out.subspan(first_layer()));
}

void PerceptronLayers::add_upper_gradient(const Pass& pass, double scale, std::span<double> out) const {
  for (std::size_t layer = 1; layer < layers(); ++layer) {
    const std::vector<double>& in = pass.outputs[layer - 1];
    const std::vector<double>& delta = pass.deltas[layer];
    const std::span<double> table =
        out.subspan(begins_[layer] - first_layer(), begins_[layer + 1] - begins_[layer]);
    for (std::size_t j = 0; j < in.size(); ++j) {
      if (in[j] != 0) {
        add_scaled(delta, scale * in[j], table.subspan(j * delta.size(), delta.size()));
      }
    }
    add_scaled(delta, scale, table.last(delta.size()));
  }
}

}  // namespace hanse
