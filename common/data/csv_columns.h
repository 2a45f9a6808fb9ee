#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/config/configuration.h"
#include "common/data/column_spec.h"
#include "common/data/vocabulary.h"

namespace hanse {

/// The columns of format csv, in the order in which a row has them: numbers, then words one-hot, then words of texts, then crosses,
/// then the intercept. Everybody derives them from the configuration alone.
struct CsvColumns {
  /// A number times the one-hot columns of a word: brand*log:price gives every brand a slope of its own.
  struct Cross {
    std::size_t words;   ///< Index in `words`.
    std::size_t number;  ///< Index in `numbers`.
    std::uint32_t begin;
  };
  std::vector<NumericSpec> numbers;
  std::vector<Vocabulary> words;
  std::vector<std::uint32_t> begins;  ///< First column of each of `words`.
  std::vector<Vocabulary> texts;
  std::vector<std::uint32_t> text_begins;
  std::vector<Cross> crosses;
  std::uint32_t intercept = 0;  ///< The last column.
};

/// Of data.numeric, data.categorical and data.text; `folder` is where NAME@FILE is looked up. Throws bad_input naming the key: a
/// spec that cannot be read, a cross of columns that are not there by themselves.
CsvColumns csv_columns(const Configuration::Data& data, const std::filesystem::path& folder);

}  // namespace hanse
