#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hanse {

/// A grid over some directions of space: `each` equal cells along each of them, from -3 to 3 deviations of the points along it; the outer
/// cells take all beyond.
class CellGrid {
 public:
  /// `axes` are orthonormal, one a row; `deviations` one for each of them, positive.
  CellGrid(std::span<const double> axes, std::span<const double> deviations, std::size_t each);

  static std::size_t cells(std::size_t axes, std::size_t each);

  /// The cell of a point.
  std::size_t cell_of(std::span<const double> point) const;
  /// The middle of a cell, by its coordinates along the axes.
  std::vector<double> middle(std::size_t cell) const;
  /// The point in space that has these coordinates.
  std::vector<double> point_at(std::span<const double> coordinates) const;

 private:
  std::size_t columns() const { return axes_.size() / deviations_.size(); }

  std::span<const double> axes_;
  std::span<const double> deviations_;
  std::size_t each_;
};

}  // namespace hanse
