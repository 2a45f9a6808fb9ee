#include "common/numerics/row_table.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/base/each_processor.h"

namespace hanse {
namespace {

HANSE_EACH_PROCESSOR
void multiply(const std::uint32_t* columns, const float* values, std::size_t entries, const double* table,
              std::size_t line, double* out) {
  for (std::size_t e = 0; e < entries; ++e) {
    const double x = static_cast<double>(values[e]);
    const double* const from = table + columns[e] * line;
    for (std::size_t i = 0; i < line; ++i) {
      out[i] += x * from[i];
    }
  }
}

HANSE_EACH_PROCESSOR
void outer(const std::uint32_t* columns, const float* values, std::size_t entries, double scale,
           const double* direction, std::size_t line, double* table) {
  for (std::size_t e = 0; e < entries; ++e) {
    const double x = scale * static_cast<double>(values[e]);
    double* const to = table + columns[e] * line;
    for (std::size_t i = 0; i < line; ++i) {
      to[i] += x * direction[i];
    }
  }
}

HANSE_EACH_PROCESSOR
void add(const double* x, double scale, std::size_t size, double* out) {
  for (std::size_t i = 0; i < size; ++i) {
    out[i] += scale * x[i];
  }
}

bool has_lines(const SparseRow& row, std::size_t line, std::size_t table) {
  return row.columns.empty() || (std::size_t{row.columns.back()} + 1) * line <= table;
}

}  // namespace

void multiply_row(const SparseRow& row, std::span<const double> table, std::span<double> out) {
  check(has_lines(row, out.size(), table.size()), "a table has a line for each column");
  std::fill(out.begin(), out.end(), 0.0);
  multiply(row.columns.data(), row.values.data(), row.columns.size(), table.data(), out.size(), out.data());
}

void add_outer(const SparseRow& row, double scale, std::span<const double> direction,
               std::span<double> table) {
  check(has_lines(row, direction.size(), table.size()), "a table has a line for each column");
  outer(row.columns.data(), row.values.data(), row.columns.size(), scale, direction.data(), direction.size(),
        table.data());
}

void add_scaled(std::span<const double> x, double scale, std::span<double> out) {
  check(x.size() == out.size(), "vectors that are added are of one length");
  add(x.data(), scale, x.size(), out.data());
}

}  // namespace hanse
