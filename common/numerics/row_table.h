#pragma once

#include <cstddef>
#include <span>

#include "common/data/csr_matrix.h"

namespace hanse {

// A sparse row times a table that has a line of `line` numbers for each column, one behind the other: what models with several
// outputs a row do. Lines are added in the order of the row's columns and entry by entry, the same on every processor.

/// out = sum over the row's entries of x_j * table[j], `line` = out.size().
void multiply_row(const SparseRow& row, std::span<const double> table, std::span<double> out);

/// table[j] += scale * x_j * direction for each entry of the row, `line` = direction.size().
void add_outer(const SparseRow& row, double scale, std::span<const double> direction,
               std::span<double> table);

/// out += scale * x, of one length.
void add_scaled(std::span<const double> x, double scale, std::span<double> out);

}  // namespace hanse
