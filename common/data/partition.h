#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hanse {

/// data.partition: how rows come to merchants.
///   column           by the merchant column
///   iid:N            dealt evenly to N merchants "m0001", ...: rows, or whole customers when they are known
///   dirichlet:N,A    rows of each label (0 or 1, or a class) are dealt by proportions ~ Dirichlet(A, ..., A) over N merchants
///                    (label skew: Hsu, Qi and Brown 2019); a known customer goes as a whole, by the label of its first row
/// The merchant of a row is a function of the seed and of the row's number or customer, and so the same
/// however many workers read the file. A merchant that no row falls to does not exist.
class Partition {
 public:
  enum class Kind { column, iid, dirichlet };

  /// Reads data.partition. Throws bad_input on anything else than the above.
  Partition(std::string_view text, std::uint64_t seed);

  Kind kind() const { return kind_; }
  /// Name of the merchant of a row. An empty `customer` means unknown. For dirichlet, rows must come in the
  /// order of the file; `label` is a whole number that is not negative.
  std::string_view merchant_of(std::uint64_t row, std::string_view customer, float label);

 private:
  const std::vector<double>& proportions_of(std::uint64_t label);

  Kind kind_ = Kind::column;
  std::uint64_t salt_ = 0;
  std::vector<std::string> names_;
  std::uint64_t seed_ = 0;
  double alpha_ = 0;
  std::map<std::uint64_t, std::vector<double>>
      cumulative_;  ///< Dirichlet proportions of each label, summed up.
  std::unordered_map<std::uint64_t, std::uint64_t> first_label_;  ///< By hash of the customer.
};

}  // namespace hanse
