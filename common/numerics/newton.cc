#include "common/numerics/newton.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"
#include "common/numerics/linear.h"
#include "common/numerics/normal_equations.h"

namespace hanse {
namespace {

constexpr double kArmijo = 1e-4;
constexpr double kRounding = 1e-12;  // Of a mean loss, relative.
constexpr double kShortest = 0x1p-20;
constexpr double kRidge = 1e-10;  // Of the largest diagonal entry.

double l1_norm(std::span<const double> weights) {
  double norm = 0;
  for (const double weight : weights.first(weights.size() - 1)) {
    norm += std::abs(weight);
  }
  return norm;
}

double largest_diagonal(std::span<const double> lower, std::size_t order) {
  double largest = 0;
  for (std::size_t i = 0; i < order; ++i) {
    largest = std::max(largest, lower[triangle_size(i) + i]);
  }
  return largest;
}

/// -g divided by the matrix, with the first ridge of a growing sequence with which that can be done.
std::vector<double> solve(const SecondOrder& at, double& ridge) {
  const std::size_t n = at.gradient.size();
  NormalEquations<double> equations(n);
  for (;; ridge *= 4) {
    equations.clear();
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        equations.at(j, i) = at.lower[triangle_size(i) + j];
      }
      equations.at(i, i) += ridge;
      equations.right(i) = -at.gradient[i];
    }
    if (equations.solve()) {
      return {equations.solution().begin(), equations.solution().end()};
    }
    check(std::isfinite(ridge), "some ridge makes every finite matrix positive definite");
  }
}

/// Coordinate descent on the quadratic model. `slope` is g + H d throughout.
std::vector<double> descend(const SecondOrder& at, double ridge, std::span<const double> weights, double l1) {
  constexpr int most_sweeps = 1000;
  const std::size_t n = at.gradient.size();
  std::vector<double> d(n, 0.0);
  std::vector<double> slope(at.gradient.begin(), at.gradient.end());
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    double moved = 0;
    double length = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double curvature = std::max(at.lower[triangle_size(i) + i], 0.0) + ridge;
      const double here = weights[i] + d[i];
      const double target = here - (slope[i] + ridge * d[i]) / curvature;
      const double next = i + 1 < n ? soft_threshold(target, l1 / curvature) : target;
      const double change = next - here;
      length = std::max(length, std::abs(d[i]));
      if (change == 0) {
        continue;
      }
      d[i] += change;
      moved = std::max(moved, std::abs(change));
      const double* const row = at.lower.data() + triangle_size(i);
      for (std::size_t j = 0; j <= i; ++j) {
        slope[j] += row[j] * change;
      }
      for (std::size_t j = i + 1; j < n; ++j) {
        slope[j] += at.lower[triangle_size(j) + i] * change;
      }
    }
    if (moved <= 1e-13 * length) {
      break;
    }
  }
  return d;
}

}  // namespace

double optimality_gap(std::span<const double> gradient, std::span<const double> weights, double l1) {
  double square = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double penalty = i + 1 < gradient.size() ? l1 : 0;
    const double entry = weights[i] > 0   ? gradient[i] + penalty
                         : weights[i] < 0 ? gradient[i] - penalty
                                          : soft_threshold(gradient[i], penalty);
    square += entry * entry;
  }
  return std::sqrt(square);
}

std::vector<double> DampedNewton::direction(const SecondOrder& at, std::span<const double> weights) const {
  const double largest = largest_diagonal(at.lower, at.gradient.size());
  double ridge = options_.ridge + std::max(kRidge * largest, 1e-300);
  std::vector<double> unpenalised = solve(at, ridge);
  return options_.l1 > 0 ? descend(at, ridge, weights, options_.l1) : unpenalised;
}

std::optional<double> DampedNewton::apply(const SecondOrder& at, double tolerance, std::span<double> weights,
                                          std::span<double> state) const {
  const std::size_t n = weights.size();
  check(n > 0 && at.gradient.size() == n && at.lower.size() >= triangle_size(n) &&
            state.size() >= state_size(n),
        "gradient, Hessian, parameters and memory of Newton's method belong together");
  const std::span<double> from = state.first(n);
  const std::span<double> along = state.subspan(n, n);
  double& fallen_from = state[2 * n];
  double& slope = state[2 * n + 1];
  double& step = state[2 * n + 2];  // 0: no step yet.
  double& weight = state[2 * n + 3];
  double& gap = state[2 * n + 4];

  const auto walk = [&] {
    for (std::size_t i = 0; i < n; ++i) {
      weights[i] = from[i] + step * along[i];
    }
  };
  const double value = at.value ? *at.value + options_.l1 * l1_norm(weights) : 0;
  const double here = optimality_gap(at.gradient, weights, options_.l1);
  const bool comparable = at.value && step > kShortest && std::abs(at.weight - weight) <= 1e-9 * weight;
  const double allowed = fallen_from + kArmijo * step * slope + kRounding * (1 + std::abs(fallen_from));
  // Next to the minimum the fall drowns in rounding, but the gradient still says that it is nearer.
  if (comparable && !(value <= allowed) && !(here < 0.5 * gap && value <= fallen_from + 1e-9)) {
    step /= 2;
    walk();
    return std::nullopt;
  }
  if (here <= tolerance) {
    return here;
  }
  const std::vector<double> d = direction(at, weights);
  std::copy(weights.begin(), weights.end(), from.begin());
  std::copy(d.begin(), d.end(), along.begin());
  slope = 0;
  for (std::size_t i = 0; i < n; ++i) {
    slope += at.gradient[i] * d[i];
  }
  if (options_.l1 > 0) {
    std::vector<double> whole(n);
    for (std::size_t i = 0; i < n; ++i) {
      whole[i] = from[i] + d[i];
    }
    slope += options_.l1 * (l1_norm(whole) - l1_norm(from));
  }
  fallen_from = value;
  step = options_.step;
  weight = at.weight;
  gap = here;
  walk();
  return here;
}

}  // namespace hanse
