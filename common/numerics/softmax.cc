#include "common/numerics/softmax.h"

#include <algorithm>
#include <cmath>

namespace hanse {

double softmax(std::span<double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double& entry : logits) {
    entry = std::exp(entry - largest);
    sum += entry;
  }
  for (double& entry : logits) {
    entry /= sum;
  }
  return largest + std::log(sum);
}

}  // namespace hanse
