#include "common/numerics/distributions.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace hanse {

void project_to_simplex(std::span<double> values, double total) {
  if (!(total > 0)) {
    std::ranges::fill(values, 0.0);
    return;
  }
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted, std::greater<>());
  double above = 0;  // Sum of the largest so far.
  double taken = 0;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    above += sorted[k];
    const double each = (above - total) / static_cast<double>(k + 1);
    if (sorted[k] <= each) {
      break;
    }
    taken = each;
  }
  for (double& value : values) {
    value = std::max(value - taken, 0.0);
  }
}

void counts_to_distribution(std::span<double> counts, double smoothing) {
  if (std::ranges::any_of(counts, [](double count) { return count < 0; })) {
    project_to_simplex(counts, std::accumulate(counts.begin(), counts.end(), 0.0));
  }
  double total = 0;
  for (double& count : counts) {
    count += smoothing;
    total += count;
  }
  for (double& count : counts) {
    count = total > 0 ? count / total : 1 / static_cast<double>(counts.size());
  }
}

}  // namespace hanse
