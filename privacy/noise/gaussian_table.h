#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/secure_random.h"

namespace hanse {

/// What a variance alone decides of sampling a discrete Gaussian: public, so it may be kept.
///
/// The half line y >= 0 is cut into `strips` strips of 2^strip_bits integers; strip s begins at L = s 2^strip_bits. In
/// units of 1 / scale, with w(y) = exp(-y^2 / (2 V)):
///
///   inner[s] <= scale w(y) for all y of the strip       accepted without looking
///   upper[s] >= scale w(L)                              nothing of the strip is above
///   tail     >= 2^5 scale w(T), T = the first y behind the last strip (nine deviations)
///
/// All bounds are integers, proved by integer arithmetic that rounds outward. A cell is a weight: 2 s the inner part of a
/// strip, 2 s + 1 the rest up to upper[s], then the tail, then a rest that is drawn again, so that all weigh 2^64. Cells
/// are drawn by Walker's alias method: 2^11 columns of weight 2^53, each shared by at most two cells.
struct GaussianTable {
  static constexpr unsigned kColumnBits = 11;
  static constexpr unsigned kThresholdBits = 64 - kColumnBits;
  static constexpr unsigned kTailBlockBits = 4;  ///< The tail comes in blocks of 2^(strip_bits + 4) integers.

  std::uint64_t variance = 0;
  unsigned strip_bits = 0;
  std::uint32_t strips = 0;
  std::uint64_t scale = 0;
  std::uint64_t tail = 0;
  std::vector<std::uint64_t> inner;
  std::vector<std::uint64_t> lower;  ///< At most scale w(L), and
  std::vector<std::uint64_t> upper;  ///< at least that.
  std::array<std::uint64_t, 1u << kColumnBits>
      columns{};  ///< Threshold of the column's own cell, then its other cell.

  std::uint32_t tail_cell() const { return 2 * strips; }
};

/// `variance` from 1 to 2^62; strips up to `deviations` standard deviations (fewer than nine make the tail likely enough
/// to be tested). Takes some ten microseconds.
GaussianTable make_gaussian_table(std::uint64_t variance, std::uint64_t deviations = 9);

/// Fills `out` from the table: what sample_discrete_gaussian() does.
void sample_discrete_gaussian(const GaussianTable& table, SecureRandom& random, std::span<std::int64_t> out);

}  // namespace hanse
