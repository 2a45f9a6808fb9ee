#include "privacy/grid.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"

namespace hanse {
namespace {

__extension__ using Wide = unsigned __int128;

/// Adds entries on the grid one by one, and their squares. On grids of up to 2^29 steps squares are added in 64 bits while they
/// surely fit, and in 128 after so many entries; on finer ones each in 128.
class GridAdder {
 public:
  explicit GridAdder(std::uint32_t grid_bits)
      : limit_(static_cast<double>(std::uint64_t{2} << grid_bits)),
        together_(grid_bits <= 29 ? std::size_t{1} << (62 - 2 * (grid_bits + 1)) : 0) {}

  /// Adds trunc(scale * value(i)) to entry(i) for i in [0, count).
  template <class Value, class Entry>
  void add(double scale, std::size_t count, const Value& value, const Entry& entry) {
    std::size_t i = 0;
    while (together_ > 0 && i < count) {
      const std::size_t end = std::min(count, i + together_);
      std::uint64_t squares = 0;
      for (; i < end; ++i) {
        const std::int64_t steps = on_grid(scale * value(i));
        entry(i) += steps;
        squares += static_cast<std::uint64_t>(steps * steps);
      }
      square_ += squares;
    }
    for (; i < count; ++i) {
      const std::int64_t steps = on_grid(scale * value(i));
      entry(i) += steps;
      const auto magnitude = static_cast<std::uint64_t>(steps < 0 ? -steps : steps);
      square_ += Wide{magnitude} * magnitude;
    }
  }

  Wide square() const { return square_; }

 private:
  std::int64_t on_grid(double scaled) const {
    check(std::abs(scaled) <= limit_, "a clipped entry is within the sensitivity");
    return static_cast<std::int64_t>(scaled);
  }

  double limit_;
  std::size_t together_;
  Wide square_ = 0;
};

}  // namespace

void add_on_grid(const Contribution& contribution, double factor, const SumParameters& parameters,
                 std::span<std::int64_t> entries) {
  check(contribution.extent() <= entries.size(), "a contribution fits into its sum");
  const double per_step = factor * static_cast<double>(parameters.sensitivity()) / parameters.clip_norm;
  GridAdder adder(parameters.grid_bits);
  std::int64_t* const all = entries.data();

  const std::uint32_t* const columns = contribution.row().columns.data();
  const float* const row = contribution.row().values.data();
  adder.add(
      contribution.scale() * per_step, contribution.row().columns.size(),
      [row](std::size_t i) { return static_cast<double>(row[i]); },
      [all, columns](std::size_t i) -> std::int64_t& { return all[columns[i]]; });

  const double* values = contribution.values().data();
  for (const Contribution::Block& block : contribution.blocks()) {
    adder.add(
        per_step, block.count, [values](std::size_t i) { return values[i]; },
        [first = all + block.first](std::size_t i) -> std::int64_t& { return first[i]; });
    values += block.count;
  }

  // ||v|| <= D2 / K, squared: K^2 ||v||^2 <= D2^2.
  const Wide bound = Wide{parameters.sensitivity()} * parameters.sensitivity();
  const std::uint32_t merchants = parameters.merchants_per_unit;
  const Wide allowed = merchants == 1 ? bound : bound / (Wide{merchants} * merchants);
  check(adder.square() <= allowed, "a unit's integer norm is within the sensitivity");
}

}  // namespace hanse
