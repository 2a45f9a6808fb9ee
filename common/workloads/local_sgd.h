#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "common/base/seeded_generator.h"
#include "common/data/units.h"

namespace hanse {

/// One merchant's epochs of mini-batch SGD of logistic regression: the client's part of FedAvg (McMahan et al. 2017,
/// algorithm 1). With B a batch, c_i the weight of a row (`positive_weight` where y = 1, else 1) and w0 the global model
/// at which it starts, a step is
///
///   w <- w - rate ( 1/|B| sum over B of c_i (sigmoid(w.x_i) - y_i) x_i  +  l2 w  +  mu (w - w0)  +  correction )
///
/// where l2 leaves the last entry, the intercept, alone; mu > 0 is FedProx (Li et al. 2020), and `correction` (empty, or
/// one entry a weight) that of Scaffold (Karimireddy et al. 2020): what is known of the difference between the gradient
/// of all and this merchant's.
struct LocalSgd {
  std::uint32_t epochs = 1;
  std::uint32_t batch = 32;
  double learning_rate = 0.1;
  double l2 = 0;
  double proximal_mu = 0;
  double positive_weight = 1;
  bool shuffle = true;
  std::span<const double> correction = {};
};

/// Calls step(batch) for each mini-batch of indices below `rows`, `epochs` times over all of them; `generator` shuffles them before
/// each epoch where they are not taken as they come. `order` is scratch memory.
template <class Step>
void for_each_batch(std::size_t rows, std::uint32_t epochs, std::uint32_t batch, bool shuffled,
                    SeededGenerator generator, std::vector<std::uint32_t>& order, const Step& step) {
  order.resize(rows);
  std::iota(order.begin(), order.end(), 0u);
  for (std::uint32_t epoch = 0; epoch < epochs; ++epoch) {
    if (shuffled) {
      shuffle(std::span(order), generator);
    }
    for (std::size_t begin = 0; begin < rows; begin += batch) {
      step(std::span<const std::uint32_t>(order).subspan(begin, std::min<std::size_t>(batch, rows - begin)));
    }
  }
}

/// Runs it over `rows`, moving `weights` in place. `generator` shuffles the rows before each epoch, unless they are taken
/// as they come. `order` is scratch memory.
void run_local_sgd(const LocalSgd& options, const Rows& rows, SeededGenerator generator,
                   std::span<double> weights, std::vector<std::uint32_t>& order);

}  // namespace hanse
