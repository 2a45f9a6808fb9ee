#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/workloads/facts.h"
#include "common/workloads/product_sum.h"

namespace hanse {

/// What is put into segments, as a point of `columns()` numbers:
///
///   rows   each row, by its encoded columns without the intercept
///   rfm    each customer of a merchant, computed there from its rows: recency, how long before the end of the time column's
///          range the customer bought last; frequency, the number of its rows; and monetary value, the sum of its amounts
///
/// Frequency and monetary value are skewed, so log(1 + x) of them is taken. Each of the three is brought to [-1, 1] by a
/// public range: of times and amounts as declared, of rows up to `most_rows`. A customer of several merchants is a point at
/// each of them.
class CustomerPoints {
 public:
  struct Options {
    bool rfm = false;
    FeatureSpace space;             ///< Encoded; numbers as in the file for rfm.
    std::vector<double> mean;       ///< Of each number, and ...
    std::vector<double> deviation;  ///< ... what one of its encoded units is in the file's.
    std::uint32_t time = 0;         ///< Numeric columns of rfm.
    std::uint32_t amount = 0;
    double most_rows = 1024;
  };
  explicit CustomerPoints(Options options);

  bool rfm() const { return options_.rfm; }
  std::size_t columns() const { return options_.rfm ? 3 : options_.space.width - 1u; }
  const FeatureSpace& space() const { return options_.space; }
  /// What about one squared length of a point's deviation from the mean is, in standardised columns.
  double expected_square() const;

  using TakePoint = std::function<void(std::span<const double>)>;
  /// Calls it with each point of these rows, of which a customer's are consecutive.
  void for_each(const Rows& rows, const TakePoint& take) const;
  /// The same of training rows, with a 1 behind each.
  ProductSum::RowsOf rows_of() const;

  std::string name(std::size_t column) const;
  /// A column's value in units of the file.
  double in_file_units(std::size_t column, double value) const;

 private:
  std::vector<double> rfm_of(const Rows& rows, std::size_t begin, std::size_t end) const;

  struct Range {
    double middle = 0;
    double half_width = 1;
  };
  Options options_;
  Range ranges_[3];
};

/// As [workload] asks for it, by features, recency, monetary and rows_per_customer. Throws bad_input naming the key.
CustomerPoints customer_points(const Configuration& configuration, const WorkloadFacts& facts);

}  // namespace hanse
