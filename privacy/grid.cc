#include "privacy/grid.h"

#include "common/base/check.h"

namespace hanse {
namespace {

__extension__ using Wide = unsigned __int128;

/// Adds one entry and gives its square. |entry| <= D2 <= 2^40, so the product needs 128 bits.
Wide add_entry(double scaled, std::int64_t& entry) {
  check(scaled >= -0x1p41 && scaled <= 0x1p41, "a clipped entry is within the sensitivity");
  const auto steps = static_cast<std::int64_t>(scaled);
  entry += steps;
  const auto magnitude = static_cast<std::uint64_t>(steps < 0 ? -steps : steps);
  return Wide{magnitude} * magnitude;
}

}  // namespace

void add_on_grid(const Contribution& contribution, double factor, const SumParameters& parameters,
                 std::span<std::int64_t> entries) {
  check(contribution.extent() <= entries.size(), "a contribution fits into its sum");
  const double per_step = factor / parameters.step();
  Wide square = 0;

  const SparseRow& row = contribution.row();
  const double row_scale = contribution.scale() * per_step;
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    square += add_entry(row_scale * static_cast<double>(row.values[i]), entries[row.columns[i]]);
  }

  const double* value = contribution.values().data();
  for (const Contribution::Block& block : contribution.blocks()) {
    for (std::size_t i = 0; i < block.count; ++i) {
      square += add_entry(per_step * *value++, entries[block.first + i]);
    }
  }

  // ||v|| <= D2 / K, squared and free of division: K^2 ||v||^2 <= D2^2.
  const Wide bound = Wide{parameters.sensitivity()} * parameters.sensitivity();
  const Wide share = Wide{parameters.merchants_per_unit} * parameters.merchants_per_unit;
  check(square <= bound / share, "a unit's integer norm is within the sensitivity");
}

}  // namespace hanse
