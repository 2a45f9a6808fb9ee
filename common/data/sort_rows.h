#pragma once

#include <cstdint>
#include <vector>

#include "common/data/csr_matrix.h"
#include "common/data/dataset.h"
#include "common/data/string_table.h"

namespace hanse {

/// Whose a row is: numbers of the merchant and of the customer at this merchant, in the order they were met.
struct RowKey {
  std::uint32_t merchant = 0;
  std::uint32_t customer = 0;
  auto operator<=>(const RowKey&) const = default;
};

/// Rows as they come from the file, before they are sorted.
struct StagedRows {
  CsrMatrix features;
  std::vector<float> labels;  ///< Empty without labels.
  std::vector<RowKey> keys;
  std::vector<double> times;  ///< Empty where rows have no time.
};

/// Names by number: what RowKey's numbers mean.
struct RowNames {
  const StringTable& merchants;
  std::vector<std::uint64_t>
      customer_keys;  ///< MerchantRows::customer_keys by RowKey::customer; empty without names.
};

/// Sorts both blocks by (name of merchant, customer, time), stably, numbers each merchant's customers densely over
/// both, and fills data.train, data.test and data.merchants. Blocks that are in order already are moved, not
/// copied; otherwise columns and values are rearranged one after the other, so that the peak is below twice
/// the data.
void sort_rows(StagedRows train, StagedRows test, const RowNames& names, Dataset& data);

}  // namespace hanse
