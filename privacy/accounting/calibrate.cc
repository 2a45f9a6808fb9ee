#include "privacy/accounting/calibrate.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/figure.h"
#include "privacy/accounting/pld.h"
#include "privacy/accounting/rdp.h"

namespace hanse {
namespace {

constexpr double kLargestMultiplier = 1e6;
constexpr double kSmallestMultiplier = 1e-3;
constexpr double kPrecision = 1e-9;
constexpr int kMostSteps = 100;

// A multiplier, by its logarithm, and how far (in log epsilon) it misses the target: > 0 is not private
// enough.
struct Probe {
  double log_z = 0;
  double excess = 0;
};

// Where the line through both probes crosses zero, kept off both ends; the middle when the line says nothing.
// Close to the root the guess is stepped towards the end that is still far, so that both ends close in.
double next_log_z(const Probe& low, const Probe& high, bool halve, double precision) {
  const double width = high.log_z - low.log_z;
  const double middle = low.log_z + width / 2;
  if (halve || !std::isfinite(low.excess) || !std::isfinite(high.excess) || low.excess <= high.excess) {
    return middle;
  }
  const double share = low.excess / (low.excess - high.excess);
  const double nudge = std::min(0.4 * precision, width / 4);
  const double guess = low.log_z + share * width;
  const double aimed = guess < middle ? guess + nudge : guess - nudge;
  return std::min(std::max(aimed, low.log_z + nudge), high.log_z - nudge);
}

// Looks for an interval with the target inside from `start` on, in strides of log z that grow up to log 2, then narrows it.
double calibrate(const std::function<double(double z)>& epsilon_of, double epsilon, double precision,
                 double start, double stride) {
  check(std::isfinite(epsilon) && epsilon > 0, "a target epsilon is positive and finite");
  const auto probe = [&](double log_z) {
    return Probe{log_z, std::log(epsilon_of(std::exp(log_z)) / epsilon)};
  };

  Probe high = probe(std::log(start));
  Probe low = high;
  while (high.excess > 0) {
    if (high.log_z >= std::log(kLargestMultiplier)) {
      throw bad_input("No noise multiplier up to 1e6 gives epsilon " + figure(epsilon) +
                      " for this plan; raise epsilon or delta, or release less.");
    }
    low = high;
    high = probe(std::min(high.log_z + stride, std::log(kLargestMultiplier)));
    stride = std::min(4 * stride, std::numbers::ln2);
  }
  while (low.excess <= 0) {
    if (low.log_z <= std::log(kSmallestMultiplier)) {
      return std::exp(low.log_z);
    }
    high = low;
    low = probe(low.log_z - stride);
    stride = std::min(4 * stride, std::numbers::ln2);
  }
  int steps_on_one_side = 0;
  for (int step = 0; step < kMostSteps && high.log_z - low.log_z > precision; ++step) {
    const Probe middle = probe(next_log_z(low, high, std::abs(steps_on_one_side) >= 2, precision));
    const bool private_enough = middle.excess <= 0;
    (private_enough ? high : low) = middle;
    const int side = private_enough ? 1 : -1;
    steps_on_one_side = steps_on_one_side * side > 0 ? steps_on_one_side + side : side;
  }
  return std::exp(high.log_z);
}

}  // namespace

double calibrate_noise_multiplier(const std::function<std::vector<DpEvent>(double z)>& plan, double epsilon,
                                  double delta) {
  return calibrate_noise_multiplier([&](double z) { return hanse::epsilon(plan(z), delta).epsilon; }, epsilon,
                                    kPrecision);
}

double calibrate_by_pld(const std::function<std::vector<DpEvent>(double z)>& plan, double epsilon,
                        double delta) {
  const auto epsilon_of = [&](double z, const PldPrecision& precision) {
    PldAccountant accountant(precision);
    for (const DpEvent& event : plan(z)) {
      accountant.compose(event);
    }
    return accountant.epsilon(delta).upper;
  };
  // Nearly there by wide brackets, which cost little.
  const double wide = 0.003 * epsilon;
  const auto nearly = [&](double z) { return epsilon_of(z, {.absolute = wide, .relative = 1e-3}); };
  const double near = calibrate_noise_multiplier(nearly, epsilon, 1e-3);
  return calibrate([&](double z) { return epsilon_of(z, {}); }, epsilon, 1e-6, near, 1e-3);
}

double calibrate_noise_multiplier(const std::function<double(double z)>& epsilon_of, double epsilon,
                                  double precision) {
  return calibrate(epsilon_of, epsilon, precision, 1, std::numbers::ln2);
}

}  // namespace hanse
