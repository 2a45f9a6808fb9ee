#include "common/numerics/cell_grid.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"

namespace hanse {
namespace {

constexpr double kWidest = 3;  // The grid's half-width in deviations.

}  // namespace

CellGrid::CellGrid(std::span<const double> axes, std::span<const double> deviations, std::size_t each)
    : axes_(axes), deviations_(deviations), each_(each) {
  check(!deviations.empty() && each > 0 && axes.size() % deviations.size() == 0, "a grid has its axes");
}

std::size_t CellGrid::cells(std::size_t axes, std::size_t each) {
  std::size_t cells = 1;
  for (std::size_t a = 0; a < axes; ++a) {
    cells *= each;
  }
  return cells;
}

std::size_t CellGrid::cell_of(std::span<const double> point) const {
  const double count = static_cast<double>(each_);
  std::size_t cell = 0;
  for (std::size_t a = 0; a < deviations_.size(); ++a) {
    double along = 0;
    for (std::size_t c = 0; c < point.size(); ++c) {
      along += axes_[a * point.size() + c] * point[c];
    }
    const double place = (along / deviations_[a] + kWidest) / (2 * kWidest) * count;
    cell = cell * each_ + static_cast<std::size_t>(std::clamp(std::floor(place), 0.0, count - 1));
  }
  return cell;
}

std::vector<double> CellGrid::middle(std::size_t cell) const {
  std::vector<double> middle(deviations_.size());
  for (std::size_t a = middle.size(); a-- > 0; cell /= each_) {
    const double place = (static_cast<double>(cell % each_) + 0.5) / static_cast<double>(each_);
    middle[a] = (2 * place - 1) * kWidest * deviations_[a];
  }
  return middle;
}

std::vector<double> CellGrid::point_at(std::span<const double> coordinates) const {
  std::vector<double> point(columns(), 0.0);
  for (std::size_t a = 0; a < coordinates.size(); ++a) {
    for (std::size_t c = 0; c < point.size(); ++c) {
      point[c] += coordinates[a] * axes_[a * point.size() + c];
    }
  }
  return point;
}

}  // namespace hanse
