#pragma once

#include <functional>
#include <span>

#include "common/workloads/customer_points.h"
#include "common/workloads/test_rows.h"
#include "common/workloads/workload.h"

namespace hanse {

/// How much centres explain of test points, as a private sum. A test point s (with mean 0) whose nearest centre is c adds
///
///   ||s - c||^2,  ||s||^2,  1
///
/// With privacy both squares are capped at four times the expected one and divided by it, so the norm of one point is at most
/// sqrt 3. Of features=rfm only customers without training rows are test points.
///
/// Figures: test_loss, the mean of the first; test_explained, one minus the first over the second.
class SegmentErrors {
 public:
  /// Sets `standardised` to a point's standardised columns.
  using Standardise = std::function<void(std::span<const double> point, std::span<double> standardised)>;

  SegmentErrors(const CustomerPoints& points, TestRows rows) : points_(&points), rows_(rows) {}

  PrivateSum sum() const;
  /// `centres` (standardised) must outlive it.
  Contributor contributor(Standardise standardise, std::span<const double> centres) const;
  Metrics metrics(std::span<const double> total) const;

 private:
  bool exact() const { return rows_.privacy == Unit::none; }
  double cap() const;

  const CustomerPoints* points_;
  TestRows rows_;
};

/// Without noise: refuses a unit's sum of squares that a sum does not hold. Throws bad_input.
void refuse_beyond(double square, double most);

/// Without noise: squares of distances may be so much in the mean of all points.
inline constexpr double kUnclippedSquare = 0x1p14;

}  // namespace hanse
