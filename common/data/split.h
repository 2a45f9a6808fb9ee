#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hanse {

/// What becomes of a row.
enum class Side { train, test, drop };

/// Fold `number` of `folds`, from 1.
struct Fold {
  int number = 1;
  int folds = 2;
};
/// "I/K"; none where it is no fold of 2 to 100.
std::optional<Fold> read_fold(std::string_view text);

/// data.test and data.validation: which rows are for testing.
///   none             no row
///   column:NAME      a column with the words train, valid, test
///   file:PATH        a file with the header "split" and one of these words for each row, in order
///   path:FILE        all rows of a second file of the same format
///   leave-one-out    format ratings with data.time: of each customer at a merchant the item that is last in time (of
///                    equal times, last in the file); the one before it is marked valid
///   hash:FRACTION    the rows for which split_mix(row number ^ split_mix(seed)) is below FRACTION * 2^64
///   customers:FRACTION  the same with a hash of the customer's name: all rows of a customer are on one side
///   fold:I/K         fold I of K (cross-validation): every row, by the hash of its number, is in one fold
///   customers-fold:I/K  the same with whole customers
/// With validation = test (to choose parameters) rows marked test are left out.
class SplitRule {
 public:
  enum class Kind {
    none,
    column,
    file,
    path,
    hash,
    customers,
    leave_one_out
  };  ///< A fold is of hash or customers.

  /// Throws bad_input when it cannot read either.
  SplitRule(std::string_view test, std::string_view validation, std::uint64_t seed);

  Kind kind() const { return kind_; }
  /// NAME, PATH or FILE.
  const std::string& argument() const { return argument_; }
  /// Side of a row marked with `word`; none for other words than train, valid and test.
  std::optional<Side> side_of_word(std::string_view word) const;
  /// Sides of a customer's last item and of the one before it, for Kind::leave_one_out.
  Side side_of_last() const { return valid_ == Side::test ? Side::drop : Side::test; }
  Side side_of_last_but_one() const { return valid_; }
  /// Side of a row for Kind::hash.
  Side side_of_row(std::uint64_t row) const;
  /// Side of all rows of a customer, for Kind::customers.
  Side side_of_customer(std::string_view customer) const;

 private:
  Kind kind_ = Kind::none;
  std::string argument_;
  double first_ = 0, last_ = 0;  ///< Hashes in [first, last) of 1 are for testing.
  std::uint64_t salt_ = 0;
  Side valid_ = Side::train;
};

}  // namespace hanse
