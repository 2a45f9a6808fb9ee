#pragma once

#include <cstdint>
#include <vector>

#include "privacy/accounting/dp_event.h"
#include "privacy/accounting/gaussian_pair.h"

namespace hanse {

/// What a pair (P, Q) weighs by privacy loss log dP/dQ: cell k holds the losses from (first + k) step to (first +
/// k + 1) step.
struct LossCells {
  double step = 0;
  std::int64_t first = 0;
  std::vector<double> p = {};
  std::vector<double> q = {};
  std::vector<double> odds = {};  ///< exp of the loss at the cell's lower end.
  /// Bounds on round-off, as P weight times how far in loss it may be displaced.
  std::vector<double> error = {};
  double p_below = 0;  ///< P and Q of the losses below all cells.
  double q_below = 0;
  double p_above = 0;  ///< P and Q of the losses above all cells.
  double q_above = 0;
};

/// Some losses and their weights: enough of a mechanism to choose a tilt and a step for it.
struct LossSketch {
  std::vector<double> p;
  std::vector<double> q;
  std::vector<double> loss;
};

/// The privacy loss of one release of an event, by the unit removed: P with it, Q without. The event has noise and a
/// rate above 0. For the unit added, `mirrored`.
class PrivacyLoss {
 public:
  /// `tail`: the P and Q weights of what may be left out of the cells at either end.
  PrivacyLoss(const DpEvent& event, double tail);

  LossSketch sketch() const;
  LossCells cells(double step) const;
  /// From the smallest loss in the cells to the largest.
  double range() const;
  /// delta(epsilon) of this one release, by the unit removed or added, and a bound on what it is off by.
  struct Delta {
    double value = 0;
    double error = 0;
  };
  Delta delta(double epsilon, bool added) const;
  /// How much work a cell is, next to one of a sampled Gaussian.
  double work() const {
    return static_cast<double>(pair_.parts.size()) < 4 ? 1 : static_cast<double>(pair_.parts.size());
  }
  /// Both directions are alike.
  bool is_symmetric() const { return symmetric_; }

 private:
  LossCells cells_of_pair(double step) const;
  LossCells cells_of_integers(double step) const;

  GaussianPair pair_;  // Of continuous noise.
  double from_ = 0;    // The places that matter.
  double to_ = 0;
  LossSketch integers_;  // Of noise on a line of integers: every one of them.
  double left_out_ = 0;  // Weight of all other integers.
  bool symmetric_ = false;
};

/// The same seen from Q: P and Q change their places, losses their signs.
LossCells mirrored(LossCells cells);
LossSketch mirrored(LossSketch sketch);

}  // namespace hanse
