#include "common/data/split.h"

#include <algorithm>

#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/data/numbers.h"
#include "common/data/text_hash.h"

namespace hanse {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw bad_input("data.test: cannot read '" + std::string(text) +
                  "'; expected none, column:NAME, file:PATH, path:FILE, leave-one-out, hash:FRACTION or "
                  "customers:FRACTION with 0 < FRACTION < 1, fold:I/K or customers-fold:I/K with I from 1 to "
                  "K, K from 2 to 100");
}

}  // namespace

std::optional<Fold> read_fold(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto number = read_integer(text.substr(0, slash)), folds = read_integer(text.substr(slash + 1));
  const bool fits = number && folds && *number >= 1 && *number <= *folds && *folds >= 2 && *folds <= 100;
  return fits ? std::optional(Fold{static_cast<int>(*number), static_cast<int>(*folds)}) : std::nullopt;
}

SplitRule::SplitRule(std::string_view test, std::string_view validation, std::uint64_t seed)
    : salt_(split_mix(seed)) {
  if (validation == "train") {
    valid_ = Side::train;
  } else if (validation == "test") {
    valid_ = Side::test;
  } else if (validation == "drop") {
    valid_ = Side::drop;
  } else {
    throw bad_input("data.validation: expected train, test or drop, got '" + std::string(validation) + "'");
  }
  if (test == "none") {
    return;
  }
  if (test == "leave-one-out") {
    kind_ = Kind::leave_one_out;
    return;
  }
  const std::size_t colon = test.find(':');
  const std::string_view kind = test.substr(0, colon);
  if (colon == std::string_view::npos || colon + 1 == test.size()) {
    refuse(test);
  }
  argument_ = test.substr(colon + 1);
  if (kind == "column") {
    kind_ = Kind::column;
  } else if (kind == "file") {
    kind_ = Kind::file;
  } else if (kind == "path") {
    kind_ = Kind::path;
  } else if (kind == "hash" || kind == "customers") {
    kind_ = kind == "hash" ? Kind::hash : Kind::customers;
    const auto fraction = read_number(argument_);
    if (!fraction || !(*fraction > 0 && *fraction < 1)) {
      refuse(test);
    }
    last_ = *fraction;
  } else if (kind == "fold" || kind == "customers-fold") {
    kind_ = kind == "fold" ? Kind::hash : Kind::customers;
    const auto fold = read_fold(argument_);
    if (!fold) {
      refuse(test);
    }
    first_ = (fold->number - 1.0) / fold->folds;
    last_ = fold->number == fold->folds ? 1 : fold->number / static_cast<double>(fold->folds);
  } else {
    refuse(test);
  }
}

std::optional<Side> SplitRule::side_of_word(std::string_view word) const {
  if (word == "train") {
    return Side::train;
  }
  if (word == "valid") {
    return valid_;
  }
  if (word == "test") {
    return side_of_last();
  }
  return std::nullopt;
}

Side SplitRule::side_of_row(std::uint64_t row) const {
  const double point = static_cast<double>(split_mix(row ^ salt_) >> 11) * 0x1p-53;
  return point >= first_ && point < last_ ? Side::test : Side::train;
}

Side SplitRule::side_of_customer(std::string_view customer) const {
  return side_of_row(text_hash(customer));
}

}  // namespace hanse
