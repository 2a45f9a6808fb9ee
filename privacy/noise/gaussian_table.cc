#include "privacy/noise/gaussian_table.h"

#include <algorithm>
#include <bit>

#include "common/base/check.h"
#include "privacy/noise/random_bits.h"

namespace hanse {
namespace {

// floor(sqrt(n)) for n <= 2^62, digit by digit.
std::uint64_t integer_sqrt(std::uint64_t n) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= n) {
      root += bit;
    }
  }
  return root;
}

/// A real number in (0, 1) between two multiples of 2^-128.
struct Bounds {
  Uint128 low;
  Uint128 high;
};

/// floor(x y / 2^128).
Uint128 high_product(Uint128 x, Uint128 y) {
  const std::uint64_t x0 = static_cast<std::uint64_t>(x);
  const std::uint64_t x1 = static_cast<std::uint64_t>(x >> 64);
  const std::uint64_t y0 = static_cast<std::uint64_t>(y);
  const std::uint64_t y1 = static_cast<std::uint64_t>(y >> 64);
  const Uint128 lowest = static_cast<Uint128>(x0) * y0 >> 64;
  const Uint128 a = static_cast<Uint128>(x1) * y0;
  const Uint128 b = static_cast<Uint128>(x0) * y1;
  const Uint128 middle = lowest + static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b);
  return static_cast<Uint128>(x1) * y1 + (a >> 64) + (b >> 64) + (middle >> 64);
}

/// Never wraps: numbers here stay below 1 - 2^-64.
Bounds product_of(const Bounds& x, const Bounds& y) {
  return {high_product(x.low, y.low), high_product(x.high, y.high) + 1};
}

/// exp(-n / d), 0 < n / d <= 1/2: 1 - (x - x^2 / 2! + x^3 / 3! ...). The terms fall, so the last one bounds the rest.
Bounds exp_of_fraction(std::uint64_t n, std::uint64_t d) {
  const Uint128 first = static_cast<Uint128>(n) << 64;
  const Uint128 second = first % d << 64;
  const Uint128 x = (first / d << 64) + second / d;
  const Bounds argument{x, x + 1};
  Bounds term = argument;
  Bounds added = argument;  // x + x^3 / 3! + ...
  Bounds taken{0, 0};       // x^2 / 2! + ...
  for (unsigned k = 2; k <= 40; ++k) {
    term = product_of(term, argument);
    term = {term.low / k, term.high / k + 1};
    Bounds& side = k % 2 == 0 ? taken : added;
    side = {side.low + term.low, side.high + term.high};
  }
  const Bounds complement{added.low - taken.high - term.high, added.high - taken.low + term.high};
  return {Uint128{0} - complement.high, Uint128{0} - complement.low};
}

/// w(L_s) for s = 1 ... strips, by w_{s+1} = w_s g^(2s+1) with g = w_1. An interval grows by a few 2^-128 a product: by
/// less than 2^-100 in the end.
std::vector<Bounds> weights_of(std::uint64_t variance, unsigned strip_bits, std::uint32_t strips) {
  const Bounds g = exp_of_fraction(std::uint64_t{1} << 2 * strip_bits, 2 * variance);
  const Bounds g_squared = product_of(g, g);
  Bounds ratio = product_of(g, g_squared);
  std::vector<Bounds> weights = {g};
  while (weights.size() < strips) {
    weights.push_back(product_of(weights.back(), ratio));
    ratio = product_of(ratio, g_squared);
  }
  return weights;
}

/// Largest scale for which the rounded weights of all cells stay below 2^64.
std::uint64_t scale_for(const std::vector<Bounds>& weights) {
  constexpr std::uint64_t slack =
      1u << 12;                     // One for each strip that is rounded up, 32 for the tail, and some.
  Uint128 sum = Uint128{1} << 112;  // In units of 2^-112, each term rounded up: w(0) = 1 first.
  for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
    sum += (weights[i].high >> 16) + 1;
  }
  sum += 32 * ((weights.back().high >> 16) + 1);
  const auto divisor = static_cast<std::uint64_t>(sum >> 56) + 1;
  return static_cast<std::uint64_t>((((Uint128{1} << 64) - slack) << 56) / divisor);
}

std::uint64_t scaled(std::uint64_t scale, Uint128 weight) {
  return static_cast<std::uint64_t>(high_product(static_cast<Uint128>(scale) << 64, weight) >> 64);
}

/// Walker's columns: a cell that weighs less than a column leaves its rest to one that weighs more.
void fill_columns(std::vector<std::uint64_t> weights, GaussianTable& table) {
  constexpr std::uint64_t column = std::uint64_t{1} << GaussianTable::kThresholdBits;
  weights.resize(table.columns.size());
  std::vector<std::uint32_t> light;
  std::vector<std::uint32_t> heavy;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    table.columns[i] = i;  // Alone in its column, until it is found to be light.
    (weights[i] < column ? light : heavy).push_back(i);
  }
  while (!light.empty()) {
    check(!heavy.empty(), "cells that are lighter than a column leave one that is heavier");
    const std::uint32_t giver = heavy.back();
    const std::uint32_t taker = light.back();
    light.pop_back();
    table.columns[taker] = weights[taker] << GaussianTable::kColumnBits | giver;
    weights[giver] -= column - weights[taker];
    if (weights[giver] < column) {
      heavy.pop_back();
      light.push_back(giver);
    }
  }
}

}  // namespace

GaussianTable make_gaussian_table(std::uint64_t variance, std::uint64_t deviations) {
  check(variance >= 1 && variance <= std::uint64_t{1} << 62, "the variance of noise is between 1 and 2^62");
  const std::uint64_t m = integer_sqrt(variance);
  const auto digits = static_cast<unsigned>(std::bit_width(m));
  GaussianTable table;
  table.variance = variance;
  table.strip_bits = digits > 6 ? digits - 6 : 0;  // 32 to 64 strips a deviation, or all integers one by one
  table.strips = static_cast<std::uint32_t>((deviations * (m + 1) >> table.strip_bits) + 1);
  check(2 * table.strips + 2 <= table.columns.size(), "all cells have a column");
  // What the tail's bound rests on: from block to block w falls at least by half, as T B >= V > V ln 2.
  const std::uint64_t tail_from = std::uint64_t{table.strips} << table.strip_bits;
  check(static_cast<Uint128>(tail_from) << (table.strip_bits + GaussianTable::kTailBlockBits) >= variance,
        "the tail falls by half from block to block");

  const std::vector<Bounds> weights = weights_of(variance, table.strip_bits, table.strips);
  table.scale = scale_for(weights);
  table.lower.push_back(table.scale);
  table.upper.push_back(table.scale);
  for (const Bounds& weight : weights) {
    table.lower.push_back(scaled(table.scale, weight.low));
    table.upper.push_back(scaled(table.scale, weight.high) + 1);
  }
  table.tail = table.upper.back() << (1 + GaussianTable::kTailBlockBits);

  std::vector<std::uint64_t> cells;
  Uint128 total = table.tail;
  for (std::uint32_t s = 0; s < table.strips; ++s) {
    // A strip's last integer is below the next strip's first; where a strip is one integer it is its own last.
    table.inner.push_back(table.strip_bits == 0 ? table.lower[s] : table.lower[s + 1]);
    cells.push_back(table.inner[s]);
    cells.push_back(table.upper[s] - table.inner[s]);
    total += table.upper[s];
  }
  cells.push_back(table.tail);
  check(total <= Uint128{1} << 64, "the weights of all cells are below 2^64");
  cells.push_back(static_cast<std::uint64_t>((Uint128{1} << 64) - total));
  fill_columns(std::move(cells), table);
  return table;
}

}  // namespace hanse
