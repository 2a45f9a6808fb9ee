#pragma once

#include <vector>

#include "common/data/units.h"
#include "common/workloads/workload.h"

namespace hanse::test {

/// The sum of all units' contributions in plain doubles: not clipped, on no grid.
inline std::vector<double> plain_sum(const Workload& workload, const Model& model, const PrivateSum& sum,
                                     Unit unit, const Dataset& data) {
  std::vector<double> total(sum.length, 0.0);
  const Contributor contribute = workload.contributor(model, sum);
  for (const MerchantRows& merchant : data.merchants) {
    for_each_unit(data, merchant, unit, sum.population, [&](const UnitRows& rows) {
      Contribution contribution;
      contribute(rows, contribution);
      const SparseRow& row = contribution.row();
      for (std::size_t i = 0; i < row.columns.size(); ++i) {
        total[row.columns[i]] += contribution.scale() * static_cast<double>(row.values[i]);
      }
      std::size_t at = 0;
      for (const Contribution::Block& block : contribution.blocks()) {
        for (std::size_t i = 0; i < block.count; ++i) {
          total[block.first + i] += contribution.values()[at++];
        }
      }
    });
  }
  return total;
}

}  // namespace hanse::test
