#include "common/workloads/segment_errors.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/numerics/kmeans.h"
#include "common/numerics/linear.h"
#include "common/workloads/two_parts.h"

namespace hanse {
namespace {

constexpr double kCap = 4;  // With privacy: ||s||^2 of a point that counts in full, over the expected.

/// Which points of test rows, in their order, are of customers without training rows.
std::vector<bool> unknown_customers(const UnitRows& unit) {
  std::vector<bool> trained;  // By the dense index of the customer.
  for (std::size_t i = 0; i < unit.train.size(); ++i) {
    trained.resize(std::max<std::size_t>(trained.size(), unit.train.customer(i) + 1u), false);
    trained[unit.train.customer(i)] = true;
  }
  std::vector<bool> unknown;
  for (std::size_t i = 0; i < unit.test.size(); ++i) {
    const std::uint32_t customer = unit.test.customer(i);
    if (i == 0 || customer != unit.test.customer(i - 1)) {
      unknown.push_back(customer >= trained.size() || !trained[customer]);
    }
  }
  return unknown;
}

}  // namespace

double SegmentErrors::cap() const {
  return exact() ? 1 : kCap * points_->expected_square();
}

PrivateSum SegmentErrors::sum() const {
  const bool one = points_->rfm() && is_customer(rows_.privacy);
  PrivateSum sum;
  sum.name = "test distances";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = exact() ? 6 : 3;
  sum.clip_norm = exact() ? 4 * kUnclippedSquare * power_of_two_above(rows_.most(Unit::merchant))
                          : std::sqrt(3.0) * (one ? 1 : rows_.most(Unit::record));
  sum.without_privacy = Unit::merchant;
  return sum;
}

Contributor SegmentErrors::contributor(Standardise standardise, std::span<const double> centres) const {
  return [this, standardise = std::move(standardise), centres](const UnitRows& unit, Contribution& out) {
    const std::vector<bool> unknown = points_->rfm() ? unknown_customers(unit) : std::vector<bool>();
    std::vector<double> sums(3, 0.0);
    std::vector<double> s(points_->columns());
    std::size_t at = 0;
    points_->for_each(unit.test, [&](std::span<const double> point) {
      if (points_->rfm() && !unknown[at++]) {
        return;
      }
      standardise(point, s);
      double square = 0;
      for (const double entry : s) {
        square += entry * entry;
      }
      const double within = nearest_centre(s, centres).square;
      sums[0] += exact() ? within : std::min(within / cap(), 1.0);
      sums[1] += exact() ? square : std::min(square / cap(), 1.0);
      sums[2] += 1;
    });
    if (sums[2] == 0) {
      return;
    }
    if (exact()) {
      refuse_beyond(sums[0] + sums[1] + sums[2], sum().clip_norm / 4);
      split_in_two(sums, sum().clip_norm);
    }
    out.add_block(0, sums);
  };
}

Metrics SegmentErrors::metrics(std::span<const double> total) const {
  const std::vector<double> sums = joined(total, exact());
  if (!(sums[2] >= 0.5) || !(sums[1] > 0)) {
    return {};
  }
  return {{"test_loss", cap() * std::max(sums[0], 0.0) / sums[2]}, {"test_explained", 1 - sums[0] / sums[1]}};
}

void refuse_beyond(double square, double most) {
  if (!(square <= most)) {
    throw bad_input(
        "data.numeric: some values are so large that their squares do not fit into a sum; set "
        "data.standardise=true, or declare ranges as COLUMN[LOW..HIGH]");
  }
}

}  // namespace hanse
