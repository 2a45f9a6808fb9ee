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
      for_each_entry(contribution, [&](std::size_t index, double value) { total.at(index) += value; });
    });
  }
  return total;
}

}  // namespace hanse::test
