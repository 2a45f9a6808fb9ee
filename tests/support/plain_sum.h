#pragma once

#include <vector>

#include "common/data/units.h"
#include "common/workloads/workload.h"

namespace hanse::test {

/// Calls `use` with every index and value of a contribution.
template <class Use>
void for_each_entry(const Contribution& contribution, const Use& use) {
  const SparseRow& row = contribution.row();
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    use(std::size_t{row.columns[i]}, contribution.scale() * static_cast<double>(row.values[i]));
  }
  std::size_t at = 0;
  for (const Contribution::Block& block : contribution.blocks()) {
    for (std::size_t i = 0; i < block.count; ++i) {
      use(block.first + i, contribution.values()[at++]);
    }
  }
}

/// The sum of all units' contributions in plain doubles: not clipped, on no grid.
inline std::vector<double> plain_sum(const Workload& workload, const Model& model, const PrivateSum& sum,
                                     Unit unit, const Dataset& data) {
  std::vector<double> total(sum.length, 0.0);
  const Contributor contribute = workload.contributor(model, sum);
  for (const MerchantRows& merchant : data.merchants) {
    for_each_unit(data, merchant, unit, sum.population, [&](const UnitRows& rows) {
      Contribution contribution;
      contribute(rows, contribution);
      for_each_entry(contribution, [&](std::size_t index, double value) { total.at(index) += value; });
    });
  }
  return total;
}

}  // namespace hanse::test
