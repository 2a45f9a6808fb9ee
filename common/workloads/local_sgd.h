#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/seeded_generator.h"
#include "common/data/units.h"

namespace hanse {

struct LocalSgd {
  std::uint32_t epochs = 1;
  std::uint32_t batch = 32;
  double learning_rate = 0.1;
  double l2 = 0;
};

/// Runs epochs of mini-batch SGD of logistic regression (log-loss, mean over a batch, plus l2 on all weights
/// but the last) over `rows`, moving `weights` in place: the client's part of FedAvg (McMahan et al. 2017,
/// algorithm 1). `generator` shuffles the rows before each epoch. `order` is scratch memory.
void run_local_sgd(const LocalSgd& options, const Rows& rows, SeededGenerator generator,
                   std::span<double> weights, std::vector<std::uint32_t>& order);

}  // namespace hanse
