#include "privacy/accounting/grid_law.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace hanse {
namespace {

constexpr double kUlp = std::numeric_limits<double>::epsilon();
// Weights of Q below this have lost their digits.
constexpr double kFaintest = 1e-290;

// A cell's weight of P, divided between its ends.
struct Ends {
  double low = 0;
  double high = 0;
};

double loss_at(const LossCells& cells, std::size_t k) {
  return static_cast<double>(cells.first + static_cast<std::int64_t>(k)) * cells.step;
}

// A weight of Q, in a unit in which the law at the cell's lower end has equal P and Q.
double scaled(double weight, double loss) {
  return std::abs(loss) < 600 ? weight * std::exp(loss) : std::exp(std::log(weight) + loss);
}

std::vector<Ends> ends_of(const LossCells& cells) {
  std::vector<Ends> ends(cells.p.size());
  const double inverse = 1 / -std::expm1(-cells.step);
  for (std::size_t k = 0; k < ends.size(); ++k) {
    const double p = cells.p[k];
    const double high = cells.q[k] > kFaintest ? (p - scaled(cells.q[k], loss_at(cells, k))) * inverse : p;
    ends[k].high = std::clamp(high, 0.0, p);
    ends[k].low = p - ends[k].high;
  }
  return ends;
}

// Takes away weights below zero: each is spread to its neighbours such that P and Q are kept, the hull's next corner.
// False when the highest point itself is below zero.
bool make_convex(std::vector<double>& weight, double h) {
  const std::size_t count = weight.size();
  std::vector<std::size_t> before(count);
  std::vector<std::size_t> after(count);
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  for (std::size_t k = 0; k < count; ++k) {
    before[k] = k == 0 ? kNone : k - 1;
    after[k] = k + 1 == count ? kNone : k + 1;
  }
  for (std::size_t k = 0; k != kNone;) {
    if (weight[k] >= 0) {
      k = after[k];
      continue;
    }
    const std::size_t left = before[k];
    const std::size_t right = after[k];
    if (right == kNone) {
      return false;
    }
    const double up = h * static_cast<double>(right - k);
    if (left == kNone) {  // Below the lowest point the curve may fall by a constant: Q is kept, P shrinks.
      weight[right] += weight[k] * std::exp(up);
    } else {
      const double down = h * static_cast<double>(k - left);
      const double to_right = -std::expm1(-down) / -std::expm1(-down - up);  // Share of P.
      weight[right] += weight[k] * to_right;
      weight[left] += weight[k] * (1 - to_right);
      after[left] = right;
    }
    before[right] = left;
    weight[k] = 0;
    k = left != kNone && weight[left] < 0 ? left : right;
  }
  return true;
}

// The lower law when the cells from `top` on are rounded down to their lower ends.
std::vector<double> lower_law(const LossCells& cells, const std::vector<Ends>& ends, std::size_t top) {
  const double h = cells.step;
  const std::size_t count = ends.size();
  std::vector<double> weight(count + 1);
  std::vector<double> fall(count + 1);  // c.
  double gap_before = 0;
  for (std::size_t k = 0; k < top; ++k) {
    const double high = cells.q[k] > kFaintest ? ends[k].high : 0;
    const double low = cells.p[k] - high;
    weight[k] += low;
    weight[k + 1] += high;
    const double shrink = std::exp(-h);
    const double gap = low > 0 && high > 0 ? -std::expm1(-h) * low * high / (low + high * shrink) : 0;
    // Beside the cells that are rounded down nothing may fall, so the last chord starts lower.
    fall[k] = std::max(gap_before, k + 1 == top ? -std::expm1(-h) * high : gap);
    gap_before = gap;
  }
  for (std::size_t k = top; k < count; ++k) {
    weight[k] += cells.p[k];
  }
  const double up = 1 / std::expm1(h);
  const double down = 1 / -std::expm1(-h);
  for (std::size_t k = 0; k < count; ++k) {
    weight[k] -= (fall[k + 1] - fall[k]) * up - (k == 0 ? 0 : (fall[k] - fall[k - 1]) * down);
  }
  return weight;
}

std::vector<double> lower_law(const LossCells& cells, const std::vector<Ends>& ends) {
  const std::size_t count = ends.size();
  for (std::size_t top = count - 1; top > 2 && top + 20 > count; --top) {
    std::vector<double> weight = lower_law(cells, ends, top);
    if (make_convex(weight, cells.step)) {
      return weight;
    }
  }
  std::vector<double> weight(cells.p.begin(), cells.p.end());  // Every loss rounded down.
  weight.push_back(0);
  return weight;
}

}  // namespace

GridLaws connect_the_dots(const LossCells& cells) {
  const std::vector<Ends> ends = ends_of(cells);
  const std::size_t count = ends.size();
  GridLaws laws{.step = cells.step, .first = cells.first};
  laws.upper.resize(count + 1);
  laws.error.resize(count + 1);
  laws.upper[0] = cells.p_below;
  for (std::size_t k = 0; k < count; ++k) {
    laws.upper[k] += ends[k].low;
    laws.upper[k + 1] += ends[k].high;
    // The place of an end is off by some units in the last place too.
    const double q_error = cells.q[k] > kFaintest ? scaled(cells.q_error[k], loss_at(cells, k)) : 0;
    const double error = cells.p_error[k] + q_error + 64 * kUlp * cells.p[k];
    laws.error[k] += error;
    laws.error[k + 1] += error;
  }
  laws.infinite = cells.p_above;
  laws.lower = lower_law(cells, ends);
  return laws;
}

}  // namespace hanse
