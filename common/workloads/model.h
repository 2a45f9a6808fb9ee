#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hanse {

/// What the merchants train: flat vectors whose layout only the workload knows.
struct Model {
  std::uint64_t step = 0;            ///< Private sums applied so far.
  std::vector<double> parameters;    ///< Sent to every merchant, published.
  std::vector<double> server_state;  ///< The server optimiser's memory; stays with the coordinator.
};

/// A named, shaped view of part of a model's parameters, for model.json and the .npy files. Row-major.
struct NamedArray {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<double> values;
};

/// Figures a sum tells about a model, by their names in metrics.jsonl (test_auc, train_loss, ...).
using Metrics = std::map<std::string, double>;

}  // namespace hanse
