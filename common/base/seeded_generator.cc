#include "common/base/seeded_generator.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "common/base/check.h"

namespace hanse {

std::uint64_t split_mix(std::uint64_t value) {
  std::uint64_t z = value + 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

SeededGenerator::SeededGenerator(std::initializer_list<std::uint64_t> key) : state_{} {
  std::uint64_t mixed = key.size();
  for (const std::uint64_t part : key) {
    mixed = split_mix(mixed ^ split_mix(part));
  }
  for (std::uint64_t& word : state_) {
    mixed = split_mix(mixed);
    word = mixed;
  }
}

SeededGenerator::result_type SeededGenerator::operator()() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double SeededGenerator::uniform() {
  return static_cast<double>((*this)() >> 11) * 0x1p-53;
}

std::uint64_t SeededGenerator::below(std::uint64_t bound) {
  check(bound > 0, "a number below zero was asked for");
  __extension__ using Wide = unsigned __int128;
  Wide product = Wide{(*this)()} * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < threshold) {
      product = Wide{(*this)()} * bound;
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double SeededGenerator::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double SeededGenerator::gamma(double shape) {
  check(shape > 0, "a gamma variate needs a positive shape");
  if (shape < 1) {
    return gamma(shape + 1) * std::pow(1.0 - uniform(), 1.0 / shape);
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double v = std::pow(1.0 + c * x, 3);
    if (v > 0 && std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return d * v;
    }
  }
}

}  // namespace hanse
