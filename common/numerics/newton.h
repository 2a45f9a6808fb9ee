#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "common/numerics/symmetric.h"

namespace hanse {

/// What is known of a smooth convex function f at one point.
struct SecondOrder {
  std::optional<double> value;  ///< f, where it is known.
  double weight = 1;            ///< How much data f is a mean of: values of other weights are not compared.
  std::span<const double> gradient;
  std::span<const double> lower;  ///< The Hessian, triangle_size(gradient.size()) long.
};

/// Newton's method with step halving, for  f(w) + l1 ||w without its last entry||_1. One call is one step:
///
///   d = argmin over d of  g.d + d.(H + ridge I).d / 2 + l1 ||w + d||_1,     w <- w + t d
///
/// with t = 1 first. At the next call f is known at the new point. Where it did not fall as Armijo asks,
///
///   F(w + t d) <= F(w) + 1e-4 t (g.d + l1 (||w + d||_1 - ||w||_1)) + rounding,
///
/// the step goes back and is halved. Without l1 the direction is a linear system, by Cholesky's factorisation; with it
/// it is found by coordinate descent: the proximal Newton method (Lee, Sun, Saunders 2014; Friedman, Hastie,
/// Tibshirani 2010). The ridge is the smallest that makes the matrix positive definite, from `ridge` on: where columns
/// depend on each other the Hessian is singular, and the way out of it has no end.
class DampedNewton {
 public:
  struct Options {
    double l1 = 0;
    double ridge = 0;  ///< In the units of the Hessian; the rounding of its diagonal is added.
    double step = 1;   ///< First t, at most 1.
  };
  explicit DampedNewton(Options options) : options_(options) {}

  /// Doubles of memory for `parameters` parameters, all zero before the first step.
  static std::size_t state_size(std::size_t parameters) { return 2 * parameters + 5; }

  /// Moves `weights`, at which f is `at`. Where the norm of the (smallest sub-)gradient is at most `tolerance` they stay. Gives
  /// that norm, or nothing when a step was taken back.
  std::optional<double> apply(const SecondOrder& at, double tolerance, std::span<double> weights,
                              std::span<double> state) const;

 private:
  std::vector<double> direction(const SecondOrder& at, std::span<const double> weights) const;

  Options options_;
};

/// The norm of the smallest subgradient of f + l1 ||w without its last entry||_1: 0 exactly at the minimum.
double optimality_gap(std::span<const double> gradient, std::span<const double> weights, double l1);

}  // namespace hanse
