#include "common/numerics/markov.h"

#include <Eigen/LU>
#include <numeric>

#include "common/base/check.h"

namespace hanse {
namespace {

/// Solves x_i = right_i + sum_j P_ij x_j for all states i that are not fixed; x is given for those that are.
std::vector<double> solved(std::span<const double> transitions, const std::vector<bool>& fixed,
                           std::vector<double> x, double right) {
  const std::size_t states = x.size();
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < states; ++i) {
    if (!fixed[i]) {
      free.push_back(i);
    }
  }
  const auto size = static_cast<Eigen::Index>(free.size());
  if (size == 0) {
    return x;
  }
  Eigen::MatrixXd a = Eigen::MatrixXd::Identity(size, size);
  Eigen::VectorXd b = Eigen::VectorXd::Constant(size, right);
  for (std::size_t i = 0; i < free.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    for (std::size_t j = 0; j < states; ++j) {
      b[row] += fixed[j] ? transitions[free[i] * states + j] * x[j] : 0.0;
    }
    for (std::size_t j = 0; j < free.size(); ++j) {
      a(row, static_cast<Eigen::Index>(j)) -= transitions[free[i] * states + free[j]];
    }
  }
  const Eigen::VectorXd solution = a.partialPivLu().solve(b);
  for (std::size_t i = 0; i < free.size(); ++i) {
    x[free[i]] = solution[static_cast<Eigen::Index>(i)];
  }
  return x;
}

}  // namespace

std::vector<double> stationary_distribution(std::span<const double> transitions, std::size_t states) {
  check(states > 0 && transitions.size() == states * states, "a chain has a row for each state");
  std::vector<double> p(transitions.begin(), transitions.end());
  std::vector<double> left(states, 0.0);
  // Takes out the last state: who went there goes where it leads.
  for (std::size_t last = states - 1; last > 0; --last) {
    left[last] = std::accumulate(p.begin() + static_cast<std::ptrdiff_t>(last * states),
                                 p.begin() + static_cast<std::ptrdiff_t>(last * states + last), 0.0);
    check(left[last] > 0, "every state of a chain is left");
    for (std::size_t i = 0; i < last; ++i) {
      const double share = p[i * states + last] / left[last];
      for (std::size_t j = 0; j < last; ++j) {
        p[i * states + j] += share * p[last * states + j];
      }
    }
  }
  std::vector<double> pi(states, 0.0);
  pi[0] = 1;
  double total = 1;
  for (std::size_t last = 1; last < states; ++last) {
    for (std::size_t i = 0; i < last; ++i) {
      pi[last] += pi[i] * p[i * states + last] / left[last];
    }
    total += pi[last];
  }
  for (double& share : pi) {
    share /= total;
  }
  return pi;
}

std::vector<double> expected_steps(std::span<const double> transitions, std::size_t states,
                                   std::size_t target) {
  check(target < states, "the target is a state");
  std::vector<bool> fixed(states, false);
  fixed[target] = true;
  return solved(transitions, fixed, std::vector<double>(states, 0.0), 1);
}

std::vector<double> reached_before(std::span<const double> transitions, std::size_t states,
                                   std::size_t target, std::size_t other) {
  check(target < states && other < states && target != other, "target and other are two states");
  std::vector<bool> fixed(states, false);
  fixed[target] = fixed[other] = true;
  std::vector<double> x(states, 0.0);
  x[target] = 1;
  return solved(transitions, fixed, std::move(x), 0);
}

}  // namespace hanse
