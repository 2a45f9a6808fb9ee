#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "privacy/accounting/fourier.h"
#include "privacy/accounting/grid_law.h"

namespace hanse {

/// Where to look: theta, the window of N steps, and a second tilt for the bound on what lies outside the window.
struct Tilt {
  double theta = 1;
  double lambda = 1;  ///< Chernoff's bound above the window is at theta + lambda.
};

/// Bounds on delta's errors at some epsilon, and the epsilon they belong to.
struct EpsilonOfSum {
  double lower = 0;
  double upper = 0;
  double aliasing = 0;    ///< In epsilon.
  double round_off = 0;   ///< In epsilon.
  double truncation = 0;  ///< In epsilon.
};

/// The law of a sum of independent losses on the grid h Z, as two spectra (upper and lower), each tilted:
///   Phi_k = product over the addends of sum over x of law(x) exp(theta x - K) exp(-2 pi i k x / (N h)),
/// K(theta) being the log of the upper law's exponential moment. With w = 2 pi k / N and epsilon in ((a - 1) h, a h]
///   delta(epsilon) = A1 - exp(epsilon - a h) A2,
///   Aj = exp(K - theta a h) / N * sum over k of Phi_k exp(i w a) (1 - exp(-t N h)) / (1 - exp(-t h + i w)),
/// t = theta for j = 1 and theta + 1 for j = 2: the geometric sums over the N steps from a h up. Everything outside
/// these steps is folded into them, which can only add: the upper end needs no correction, and the lower one takes
/// away exp(-theta N h) for what lies below and Chernoff's bound for what lies above.
class TiltedSum {
 public:
  TiltedSum(const Fourier& fourier, double step, Tilt tilt);

  /// Adds `count` independent losses. `log_moment` and `log_moment_beyond` are about K at theta and at theta + lambda:
  /// scales, whose values do not matter.
  void add(const GridLaws& laws, std::uint64_t count, double log_moment, double log_moment_beyond,
           Fourier& fourier);
  EpsilonOfSum epsilon(double delta) const;

 private:
  using Complex = std::complex<double>;
  struct Payoff;

  double theta() const { return tilt_.theta; }

  const Fourier* fourier_;
  double step_;
  Tilt tilt_;
  std::vector<Complex> upper_;
  std::vector<Complex> lower_;
  std::vector<double> bound_;     // At least |Phi_k| of either, and of the exact spectra.
  std::vector<double> relative_;  // |error| / bound_, unless above 1.
  std::vector<Complex> work_;
  double log_moment_ = 0;         // K.
  double log_moment_beyond_ = 0;  // K(theta + lambda).
  double log_moment_error_ = 0;
  double infinite_ = 0;
  double misplaced_ = 0;  // Tilted weights of round-off, times how far it may displace a loss.
};

}  // namespace hanse
