#pragma once

#include <cstddef>
#include <vector>

namespace hanse::reference {

using Matrix = std::vector<std::vector<double>>;

/// Transition probabilities of sequences of states 0..states-1, with `smoothing` added to every count. With `ends` the last
/// state is where sequences come from and go to, and it never follows itself.
inline Matrix markov_chain(const std::vector<std::vector<std::size_t>>& sequences, std::size_t states,
                           double smoothing, bool ends) {
  const std::size_t size = states + (ends ? 1 : 0);
  Matrix chain(size, std::vector<double>(size, 0));
  for (std::vector<std::size_t> sequence : sequences) {
    if (ends) {
      sequence.insert(sequence.begin(), states);
      sequence.push_back(states);
    }
    for (std::size_t i = 1; i < sequence.size(); ++i) {
      chain[sequence[i - 1]][sequence[i]] += 1;
    }
  }
  for (std::size_t i = 0; i < size; ++i) {
    double total = 0;
    for (std::size_t j = 0; j < size; ++j) {
      chain[i][j] += ends && i == states && j == states ? 0 : smoothing;
      total += chain[i][j];
    }
    for (double& entry : chain[i]) {
      entry /= total;
    }
  }
  return chain;
}

/// Where a traveller is after very many steps, of which each is taken or not by a coin.
inline std::vector<double> stationary(const Matrix& chain) {
  std::vector<double> at(chain.size(), 1.0 / static_cast<double>(chain.size()));
  for (int step = 0; step < 20000; ++step) {
    std::vector<double> next(at.size(), 0);
    for (std::size_t i = 0; i < at.size(); ++i) {
      next[i] += at[i] / 2;
      for (std::size_t j = 0; j < at.size(); ++j) {
        next[j] += at[i] * chain[i][j] / 2;
      }
    }
    at = next;
  }
  return at;
}

/// Expected steps to `target`: of those who have not arrived, one step more.
inline std::vector<double> steps_to(const Matrix& chain, std::size_t target) {
  std::vector<double> steps(chain.size(), 0);
  for (int round = 0; round < 20000; ++round) {
    for (std::size_t i = 0; i < chain.size(); ++i) {
      if (i == target) {
        continue;
      }
      double expected = 1;
      for (std::size_t j = 0; j < chain.size(); ++j) {
        expected += chain[i][j] * steps[j];
      }
      steps[i] = expected;
    }
  }
  return steps;
}

}  // namespace hanse::reference
