#include "common/workloads/local_sgd.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/numerics/linear.h"

namespace hanse {

void run_local_sgd(const LocalSgd& options, const Rows& rows, SeededGenerator generator,
                   std::span<double> weights, std::vector<std::uint32_t>& order) {
  order.resize(rows.size());
  std::iota(order.begin(), order.end(), 0u);
  std::vector<double> residuals(options.batch);
  const double decay = 1 - options.learning_rate * options.l2;
  for (std::uint32_t epoch = 0; epoch < options.epochs; ++epoch) {
    for (std::size_t i = order.size(); i > 1; --i) {  // Fisher-Yates.
      std::swap(order[i - 1], order[generator.below(i)]);
    }
    for (std::size_t begin = 0; begin < order.size(); begin += options.batch) {
      const std::size_t count = std::min<std::size_t>(options.batch, order.size() - begin);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t row = order[begin + i];
        residuals[i] = sigmoid(dot(rows.row(row), weights)) - static_cast<double>(rows.label(row));
      }
      if (options.l2 > 0) {
        for (double& weight : weights.first(weights.size() - 1)) {
          weight *= decay;
        }
      }
      const double rate = options.learning_rate / static_cast<double>(count);
      for (std::size_t i = 0; i < count; ++i) {
        const SparseRow row = rows.row(order[begin + i]);
        for (std::size_t entry = 0; entry < row.columns.size(); ++entry) {
          weights[row.columns[entry]] -= rate * residuals[i] * static_cast<double>(row.values[entry]);
        }
      }
    }
  }
}

}  // namespace hanse
