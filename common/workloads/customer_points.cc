#include "common/workloads/customer_points.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

enum Feature : std::size_t { kRecency, kFrequency, kMonetary };

/// The numeric column that workload.KEY names, which has a public range.
std::uint32_t named_column(const Configuration& configuration, const FeatureSpace& space,
                           const std::string& key) {
  const OtherOptions& other = configuration.workload.other;
  const auto chosen = other.find(key);
  if (chosen == other.end()) {
    throw bad_input("workload." + key +
                    " is missing: workload.features=rfm needs the name of a column of "
                    "data.numeric");
  }
  const auto numbers = space.names.begin() + space.numeric;
  const auto found = std::find(space.names.begin(), numbers, chosen->second);
  if (found == numbers) {
    throw bad_input("workload." + key + " = '" + chosen->second +
                    "' is not a column of data.numeric: name one of them, without a transform");
  }
  const auto column = static_cast<std::uint32_t>(found - space.names.begin());
  if (!(space.range_low[column] < space.range_high[column])) {
    throw bad_input("data.numeric: " + chosen->second +
                    " needs a public range for workload.features=rfm: write " + chosen->second +
                    "[LOW..HIGH]");
  }
  return column;
}

}  // namespace

CustomerPoints::CustomerPoints(Options options) : options_(std::move(options)) {
  check(options_.space.width > 1, "points have a column at least");
  if (!options_.rfm) {
    return;
  }
  const FeatureSpace& space = options_.space;
  const double longest = space.range_high[options_.time] - space.range_low[options_.time];
  const double most = options_.most_rows * std::max(space.range_high[options_.amount], 0.0);
  const double high[] = {longest, std::log1p(options_.most_rows), std::log1p(most)};
  for (std::size_t i = 0; i < 3; ++i) {
    ranges_[i] = {.middle = high[i] / 2, .half_width = high[i] > 0 ? high[i] / 2 : 1};
  }
}

double CustomerPoints::expected_square() const {
  if (options_.rfm) {
    return 3;
  }
  const auto words = std::ranges::count_if(options_.space.sparse_ranges,
                                           [](const ColumnRange& range) { return range.begin < range.end; });
  return static_cast<double>(options_.space.numeric) + static_cast<double>(words);
}

std::vector<double> CustomerPoints::rfm_of(const Rows& rows, std::size_t begin, std::size_t end) const {
  double last = options_.space.range_low[options_.time];
  double amount = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const SparseRow row = rows.row(i);
    last = std::max(last, static_cast<double>(row.values[options_.time]));
    amount += std::max(static_cast<double>(row.values[options_.amount]), 0.0);
  }
  std::vector<double> point = {options_.space.range_high[options_.time] - last,
                               std::log1p(static_cast<double>(end - begin)), std::log1p(amount)};
  for (std::size_t i = 0; i < 3; ++i) {
    point[i] = std::clamp((point[i] - ranges_[i].middle) / ranges_[i].half_width, -1.0, 1.0);
  }
  return point;
}

void CustomerPoints::for_each(const Rows& rows, const TakePoint& take) const {
  if (options_.rfm) {
    for (std::size_t begin = 0; begin < rows.size();) {
      std::size_t end = begin + 1;
      while (end < rows.size() && rows.customer(end) == rows.customer(begin)) {
        ++end;
      }
      take(rfm_of(rows, begin, end));
      begin = end;
    }
    return;
  }
  std::vector<double> point(columns());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SparseRow row = rows.row(i);
    std::ranges::fill(point, 0.0);
    for (std::size_t e = 0; e < row.columns.size(); ++e) {
      if (row.columns[e] < point.size()) {
        point[row.columns[e]] = static_cast<double>(row.values[e]);
      }
    }
    take(point);
  }
}

ProductSum::RowsOf CustomerPoints::rows_of() const {
  if (!options_.rfm) {
    return {};  // Rows as they are: the 1 is their intercept.
  }
  return [points = *this](const UnitRows& unit, const ProductSum::TakeRow& take) {
    const std::uint32_t columns[] = {0, 1, 2, 3};
    points.for_each(unit.train, [&](std::span<const double> point) {
      const float values[] = {static_cast<float>(point[0]), static_cast<float>(point[1]),
                              static_cast<float>(point[2]), 1.0F};
      take({.columns = columns, .values = values}, 0);
    });
  };
}

std::string CustomerPoints::name(std::size_t column) const {
  if (!options_.rfm) {
    return options_.space.names[column];
  }
  const std::string& time = options_.space.names[options_.time];
  const std::string& amount = options_.space.names[options_.amount];
  return column == kRecency ? time + " since last" : column == kFrequency ? "purchases" : amount + " in all";
}

double CustomerPoints::in_file_units(std::size_t column, double value) const {
  if (options_.rfm) {
    const double number = ranges_[column].middle + ranges_[column].half_width * value;
    return column == kRecency ? number : std::expm1(number);
  }
  return column < options_.deviation.size() ? options_.mean[column] + options_.deviation[column] * value
                                            : value;
}

CustomerPoints customer_points(const Configuration& configuration, const WorkloadFacts& facts) {
  const OtherOptions& other = configuration.workload.other;
  CustomerPoints::Options options;
  options.space = facts.space;
  options.mean = facts.mean;
  options.deviation = facts.deviation;
  const auto features = other.find("features");
  options.rfm = features != other.end() && features->second == "rfm";
  if (facts.space.width < 2) {
    throw bad_input("data.numeric: workload.name=" + configuration.workload.name +
                    " needs a column at least");
  }
  if (!options.rfm) {
    return CustomerPoints(std::move(options));
  }
  if (configuration.data.customer.empty()) {
    throw bad_input("workload.features=rfm needs data.customer, the column that names the customer of a row");
  }
  if (configuration.data.standardise) {
    throw bad_input(
        "workload.features=rfm takes times and amounts as they are in the file: set data.standardise=false");
  }
  if (configuration.privacy.unit == Unit::record) {
    throw bad_input(
        "privacy.unit=record is not possible with workload.features=rfm, which are of whole customers: take "
        "customer, customer_at_merchant or merchant");
  }
  if (configuration.data.test.starts_with("hash:")) {
    throw bad_input("data.test=" + configuration.data.test +
                    " tears customers apart, whose features are of all their rows: take customers:FRACTION");
  }
  options.time = named_column(configuration, facts.space, "recency");
  options.amount = named_column(configuration, facts.space, "monetary");
  options.most_rows = number_option(other, "rows_per_customer", options.most_rows);
  if (!(options.most_rows >= 1)) {
    throw bad_input("workload.rows_per_customer: expected a number from 1");
  }
  return CustomerPoints(std::move(options));
}

}  // namespace hanse
