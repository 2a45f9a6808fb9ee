#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hanse {

/// Reads LIBSVM text: "LABEL INDEX:VALUE ..." with indices from 1, strictly increasing and at most
/// `features`, and labels +1, 1, -1 or 0 (1 means 1, the others 0), or with `numeric_label` any finite
/// numbers. "#" begins a comment. A fault is a Failure naming file and line.
class LibsvmReader {
 public:
  LibsvmReader(std::string_view text, std::string file, std::uint32_t features, bool numeric_label = false);

  /// Goes to the next row; false at the end.
  bool next();
  float label() const { return label_; }
  const std::vector<std::uint32_t>& columns() const { return columns_; }  ///< From 0: INDEX - 1.
  const std::vector<float>& values() const { return values_; }
  std::string_view text() const { return row_text_; }
  std::uint64_t line() const { return line_; }
  std::string place() const;

 private:
  void read_row();

  std::string_view text_;
  std::string file_;
  std::uint32_t features_;
  bool numeric_label_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 0;
  std::string_view row_text_;
  float label_ = 0;
  std::vector<std::uint32_t> columns_;
  std::vector<float> values_;
};

}  // namespace hanse
