#include "privacy/noise/discrete_gaussian.h"

#include <optional>

#include "common/base/check.h"
#include "privacy/noise/exact_exp.h"
#include "privacy/noise/gaussian_table.h"
#include "privacy/noise/random_bits.h"

// A point is drawn uniformly under a staircase above w(y) = exp(-y^2 / (2 V)), y >= 0, and taken when it is below w(y):
// then y has the law, and a fair sign does the rest. Strip and height come from one 64-bit word through the table. Nearly
// all points fall where the whole strip is below w (the inner part): accepted with no more ado. The others are compared
// with bounds of w(y) of 64 bits; the 2^-50 of those that they do not decide, and the tail, with w(y) itself, to as many
// bits as it takes (exact_exp.h). So the law is the exact one, whatever the bounds are.

namespace hanse {
namespace {

constexpr unsigned kSignBit = 31;

/// exp(-x) = 1 - x (1 - x/2 (1 - x/3 (...))) for x = fraction / 2^64 < 0.4, in units of 2^-64. The steps round by less
/// than 3 units each, and every error shrinks by x in the next; what follows the 15th term is below one unit: the result is
/// less than kExpError from the true value for every real x in [fraction, fraction + 1] / 2^64.
constexpr std::uint64_t kExpError = 16;
std::uint64_t exp_of_negative(std::uint64_t fraction) {
  std::uint64_t value = ~std::uint64_t{0};
  for (unsigned n = 15; n > 0; --n) {
    value = ~std::uint64_t{0} - static_cast<std::uint64_t>(static_cast<Uint128>(fraction) * value >> 64) / n;
  }
  return value;
}

std::uint64_t high_product(std::uint64_t x, std::uint64_t y) {
  return static_cast<std::uint64_t>(static_cast<Uint128>(x) * y >> 64);
}

/// Whether a point of strip `s` above its inner part, at y = L + offset, is below w(y).
bool accepts_above_inner(const GaussianTable& table, std::uint32_t s, std::uint64_t offset,
                         RandomBits& bits) {
  const std::uint64_t t = table.inner[s] + bits.below(table.upper[s] - table.inner[s]);
  const std::uint64_t begin = std::uint64_t{s} << table.strip_bits;
  // w(y) = w(L) exp(-d / (2 V)); d < (sigma / 32) * 20 sigma < 0.8 V, so the quotient fits 64 bits.
  const std::uint64_t d = offset * (2 * begin + offset);
  const std::uint64_t factor =
      exp_of_negative(static_cast<std::uint64_t>((static_cast<Uint128>(d) << 64) / (2 * table.variance)));
  if (t < high_product(table.lower[s], factor - kExpError)) {
    return true;
  }
  if (factor < ~std::uint64_t{0} - kExpError && t > high_product(table.upper[s], factor + kExpError)) {
    return false;
  }
  const Uint128 y = begin + offset;
  return is_below_exp(t, table.scale, 0, y * y, 2 * table.variance, bits);
}

/// A point of the tail: block i = 0, 1, 2 ... with probability 2^-(i+1), an integer of the block, and a height below the
/// tail's weight. Each integer of block i then has a staircase of height tail / (2^(i+1) 2^kTailBlockBits) in strip units.
std::optional<std::uint64_t> sample_tail(const GaussianTable& table, RandomBits& bits) {
  const unsigned block_bits = table.strip_bits + GaussianTable::kTailBlockBits;
  unsigned block = 0;
  while ((bits.next<std::uint8_t>() & 1) != 0) {
    ++block;
    check(block < (1u << 12), "a uniform source does not succeed 4096 times in a row");
  }
  const std::uint64_t offset = bits.next<std::uint64_t>() & ((std::uint64_t{1} << block_bits) - 1);
  const std::uint64_t y =
      (std::uint64_t{table.strips} << table.strip_bits) + (std::uint64_t{block} << block_bits) + offset;
  const std::uint64_t t = bits.below(table.tail);
  const bool below = is_below_exp(t, table.scale, block + 1 + GaussianTable::kTailBlockBits,
                                  static_cast<Uint128>(y) * y, 2 * table.variance, bits);
  return below ? std::optional(y) : std::nullopt;
}

/// A point of cell `cell` that is not all below w: y when it is accepted.
[[gnu::noinline]] std::optional<std::uint64_t> sample_edge(const GaussianTable& table, std::uint32_t cell,
                                                           std::uint64_t offset, RandomBits& bits) {
  if (cell == table.tail_cell()) {
    return sample_tail(table, bits);
  }
  const std::uint32_t s = cell >> 1;
  if (s >= table.strips || !accepts_above_inner(table, s, offset, bits)) {
    return std::nullopt;
  }
  return (std::uint64_t{s} << table.strip_bits) + offset;
}

std::int64_t sample(const GaussianTable& table, RandomBits& bits) {
  constexpr std::uint64_t below_threshold = (std::uint64_t{1} << GaussianTable::kThresholdBits) - 1;
  constexpr std::uint32_t column_mask = (1u << GaussianTable::kColumnBits) - 1;
  const std::uint32_t offset_mask = (1u << table.strip_bits) - 1;
  const std::uint32_t edges_from = table.tail_cell();
  for (;;) {
    const auto word = bits.next<std::uint64_t>();
    const auto extra = bits.next<std::uint32_t>();
    const auto own = static_cast<std::uint32_t>(word >> GaussianTable::kThresholdBits);
    const std::uint64_t column = table.columns[own];
    const bool is_own = (word & below_threshold) < column >> GaussianTable::kColumnBits;
    const std::uint32_t cell = is_own ? own : static_cast<std::uint32_t>(column) & column_mask;
    std::uint64_t y = (std::uint64_t{cell >> 1} << table.strip_bits) + (extra & offset_mask);
    if ((cell & 1) != 0 || cell >= edges_from) [[unlikely]] {
      const std::optional<std::uint64_t> accepted = sample_edge(table, cell, extra & offset_mask, bits);
      if (!accepted) {
        continue;
      }
      y = *accepted;
    }
    const std::int64_t negative = static_cast<std::int64_t>(extra >> kSignBit);
    if (y == 0 && negative != 0) [[unlikely]] {  // Zero has one sign.
      continue;
    }
    return (static_cast<std::int64_t>(y) ^ -negative) + negative;
  }
}

/// The table of the last variance that this thread asked for: a worker draws for many merchants and rounds in a row.
const GaussianTable& table_of(std::uint64_t variance) {
  thread_local GaussianTable table;                   // No secret: it follows from the public variance.
  if (table.variance != variance || variance == 0) {  // Which is refused.
    table = make_gaussian_table(variance);
  }
  return table;
}

}  // namespace

void sample_discrete_gaussian(std::uint64_t variance, SecureRandom& random, std::span<std::int64_t> out) {
  sample_discrete_gaussian(table_of(variance), random, out);
}

void sample_discrete_gaussian(const GaussianTable& table, SecureRandom& random, std::span<std::int64_t> out) {
  RandomBits bits(random, out.size() * 12);
  for (std::int64_t& value : out) {
    value = sample(table, bits);
  }
}

}  // namespace hanse
