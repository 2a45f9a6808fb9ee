#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>

namespace hanse {

/// Public, reproducible numbers: initial models, splits, synthetic markets, the order of local epochs. The same
/// everywhere for the same key. Deliberately no SecureRandom: a seed cannot reach noise, masks or keys.
/// xoshiro256** 1.0 (Blackman and Vigna 2018), seeded through SplitMix64.
class SeededGenerator {
 public:
  using result_type = std::uint64_t;

  /// A generator for one purpose, for instance {seed, round, merchant}.
  explicit SeededGenerator(std::initializer_list<std::uint64_t> key);

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()();

  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in {0, ..., bound - 1}; `bound` is positive. Lemire's method, unbiased.
  std::uint64_t below(std::uint64_t bound);
  /// Standard normal, Box-Muller. Not for privacy noise.
  double normal();
  /// Gamma(shape, 1), Marsaglia and Tsang 2000; `shape` is positive.
  double gamma(double shape);

 private:
  std::array<std::uint64_t, 4> state_;
};

/// Puts `values` into a random order, each with equal probability (Fisher and Yates).
template <class T>
void shuffle(std::span<T> values, SeededGenerator& generator) {
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[generator.below(i)]);
  }
}

/// Puts a random choice of `count` <= values.size() of them, in random order, to the front.
template <class T>
void draw_to_front(std::span<T> values, std::size_t count, SeededGenerator& generator) {
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(values[i], values[i + generator.below(values.size() - i)]);
  }
}

/// SplitMix64 finaliser of `value`: the fixed hash of row numbers and text in the file formats.
std::uint64_t split_mix(std::uint64_t value);

}  // namespace hanse
