#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hanse {

/// One row of a CsrMatrix: columns strictly increasing, and their values.
struct SparseRow {
  std::span<const std::uint32_t> columns;
  std::span<const float> values;
};

/// Compressed sparse rows (CSR). Rows are appended; columns of a row are strictly increasing.
struct CsrMatrix {
  std::vector<std::uint64_t> row_begin{0};  ///< rows + 1 offsets into `columns` and `values`.
  std::vector<std::uint32_t> columns;
  std::vector<float> values;

  std::size_t rows() const { return row_begin.size() - 1; }
  std::size_t nonzeros() const { return columns.size(); }
  SparseRow row(std::size_t i) const {
    const std::size_t begin = row_begin[i];
    const std::size_t count = row_begin[i + 1] - begin;
    return {std::span(columns).subspan(begin, count), std::span(values).subspan(begin, count)};
  }
};

}  // namespace hanse
