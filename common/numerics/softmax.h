#pragma once

#include <span>

namespace hanse {

/// Replaces logits z by probabilities p_k = exp(z_k) / sum of exp(z_l), without overflow, and returns log of that sum, so that
/// the log-loss of class y is the returned value minus z_y.
double softmax(std::span<double> logits);

}  // namespace hanse
