#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/data/column_spec.h"
#include "common/data/string_table.h"

namespace hanse {

/// The columns of one word column: which word sets which.
class Vocabulary {
 public:
  static constexpr std::uint32_t kRefused = StringTable::kNone;

  /// `folder` is where the file of NAME@FILE is looked up; `key` the configuration key, for messages.
  Vocabulary(WordSpec spec, const std::filesystem::path& folder, std::string_view key);

  const std::string& name() const { return spec_.name; }
  std::uint32_t width() const { return width_; }
  bool counted() const { return spec_.kind == WordSpec::Kind::counted; }
  /// Column of `cell` in 0..width-1; kRefused when an integer is expected and it is none, or out of range.
  std::uint32_t column_of(std::string_view cell) const;
  /// Whether its words are listed, with one more column for all others.
  bool has_other() const { return has_other_; }
  /// True when `column` is the one of words that are not in the vocabulary.
  bool is_other(std::uint32_t column) const { return has_other_ && column + 1 == width_; }
  /// "month=May", "item#17", "month=other".
  std::string column_name(std::uint32_t column) const;
  /// Its words, without the one for all others: of Kind::integers the integers.
  std::vector<std::string> words() const;
  /// What a cell must be, for messages.
  std::string expected() const;

 private:
  void read_words(const std::filesystem::path& file, std::string_view key);

  WordSpec spec_;
  StringTable words_;
  bool has_other_ = false;
  std::uint32_t width_ = 0;
};

}  // namespace hanse
