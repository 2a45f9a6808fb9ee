#include "privacy/accounting/grid_law.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace hanse {
namespace {

// Weights of Q below this have lost their digits.
constexpr double kFaintest = 1e-290;

// Where the cells lie on the grid of twice their step.
struct Places {
  std::int64_t first = 0;  // Of the grid.
  bool odd = false;        // Whether the first cell is the upper half of a step.

  explicit Places(const LossCells& cells) : first(cells.first >> 1), odd((cells.first & 1) != 0) {}
  // Grid point at or below the cell.
  std::size_t below(std::size_t cell) const { return (cell + (odd ? 1 : 0)) / 2; }
};

std::vector<double> upper_law(const LossCells& cells, const std::vector<double>& scaled_q,
                              std::size_t points) {
  const Places places(cells);
  const double inverse = 1 / -std::expm1(-2 * cells.step);
  const double half = std::exp(-cells.step);
  std::vector<double> weight(points);
  weight[0] = cells.p_below;
  for (std::size_t cell = 0; cell < cells.p.size(); ++cell) {
    const double p = cells.p[cell];
    const std::size_t low = places.below(cell);
    const bool upper_half = ((cell + (places.odd ? 1 : 0)) & 1) != 0;
    const double q = upper_half ? scaled_q[cell] * half : scaled_q[cell];  // In the unit of the lower point.
    const double high = cells.q[cell] > kFaintest ? std::clamp((p - q) * inverse, 0.0, p) : p;
    weight[low] += p - high;
    weight[low + 1] += high;
  }
  return weight;
}

// Groups of cells, on their way to a point of the grid.
class Lower {
 public:
  Lower(const LossCells& cells, const std::vector<double>& scaled_q, std::size_t points)
      : cells_(&cells), scaled_q_(&scaled_q), places_(cells), weight_(points) {
    for (std::int64_t steps = -6; steps < 3; ++steps) {
      odds_[static_cast<std::size_t>(steps + 6)] = std::exp(static_cast<double>(steps) * cells.step);
    }
    while (at_ < cells.p.size()) {
      if (cells.p[at_] <= 0 || cells.q[at_] <= kFaintest) {
        weight_[places_.below(at_)] += left_ * cells.p[at_];
        next();
      } else {
        group();
      }
    }
  }
  std::vector<double> result() && { return std::move(weight_); }

 private:
  // exp(steps of cells), of which few are ever asked.
  double odds_of(std::int64_t steps) const {
    const std::int64_t index = steps + 6;
    return index >= 0 && index < 9 ? odds_[static_cast<std::size_t>(index)]
                                   : std::exp(static_cast<double>(steps) * cells_->step);
  }
  void next() {
    ++at_;
    left_ = 1;
  }

  // Collects cells from the current one up for the first point of the grid above it.
  void group() {
    const std::size_t from = at_;
    const double share_of_first = left_;
    const std::size_t target = places_.below(at_) + 1;
    double weight = 0;
    double excess = 0;  // P minus odds of the target times Q: below zero until the group is complete.
    for (; at_ < cells_->p.size(); next()) {
      // The target in steps of cells above the cell's lower end.
      const auto up =
          2 * static_cast<std::int64_t>(target) - static_cast<std::int64_t>(at_) - (places_.odd ? 1 : 0);
      const double p = cells_->p[at_];
      const double gain = p - (*scaled_q_)[at_] * odds_of(up);
      if (excess + left_ * gain > 0) {
        const double share = std::clamp(-excess / gain, 0.0, left_);
        weight_[target] += weight + share * p;
        left_ -= share;
        if (at_ == from) {  // By rounding alone: such a cell is rounded down.
          weight_[places_.below(at_)] += left_ * p;
          next();
        }
        return;
      }
      excess += left_ * gain;
      weight += left_ * p;
    }
    for (std::size_t cell = from; cell < cells_->p.size(); ++cell) {
      weight_[places_.below(cell)] += (cell == from ? share_of_first : 1) * cells_->p[cell];
    }
  }

  const LossCells* cells_;
  const std::vector<double>* scaled_q_;
  Places places_;
  std::vector<double> weight_;
  std::array<double, 9> odds_ = {};
  std::size_t at_ = 0;
  double left_ = 1;  // Share of the current cell that is not yet in a group.
};

}  // namespace

GridLaws connect_the_dots(const LossCells& cells) {
  const Places places(cells);
  const std::size_t points = places.below(cells.p.size() - 1) + 2;
  std::vector<double> scaled_q(cells.q.size());
  for (std::size_t cell = 0; cell < scaled_q.size(); ++cell) {
    const double odds = cells.odds[cell];
    const double loss = static_cast<double>(cells.first + static_cast<std::int64_t>(cell)) * cells.step;
    scaled_q[cell] =
        odds > 1e-290 && odds < 1e290 ? cells.q[cell] * odds : std::exp(std::log(cells.q[cell]) + loss);
  }
  GridLaws laws{.step = 2 * cells.step, .first = places.first, .infinite = cells.p_above};
  laws.upper = upper_law(cells, scaled_q, points);
  laws.lower = Lower(cells, scaled_q, points).result();
  laws.error.resize(points);
  for (std::size_t cell = 0; cell < cells.p.size(); ++cell) {
    laws.error[places.below(cell)] += cells.error[cell];
  }
  return laws;
}

}  // namespace hanse
