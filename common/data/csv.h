#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hanse {

/// Reads CSV (RFC 4180) row by row: quotes, doubled quotes and line ends within quotes, CRLF or LF, a
/// byte-order mark, an optional last line end and blank lines at the end. The first row is the header; names
/// are unique. Nothing is copied but cells with doubled quotes. Every fault is a Failure that names file,
/// line and column.
class CsvReader {
 public:
  /// `text` is the whole file and must outlive the reader; `file` names it in messages.
  CsvReader(std::string_view text, std::string file);

  const std::vector<std::string>& header() const { return header_; }
  /// Index of the column called `name`; a Failure that lists the header when there is none. `key` is the
  /// configuration key that asks for it.
  std::size_t column(std::string_view name, std::string_view key) const;

  /// Goes to the next row; false at the end.
  bool next();
  /// Cells of the row, as many as the header has; valid until next().
  std::span<const std::string_view> cells() const { return cells_; }
  std::string_view cell(std::size_t column) const { return cells_[column]; }
  /// The text of the row without its line end.
  std::string_view text() const { return row_text_; }
  /// Line at which the row begins, from 1.
  std::uint64_t line() const { return row_line_; }
  const std::string& file() const { return file_; }
  /// "sales.csv:17", for messages about the row.
  std::string place() const;

 private:
  bool read_row();
  std::string_view read_quoted();
  bool only_blank_lines_remain() const;

  std::string_view text_;
  std::string file_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 1;
  std::uint64_t row_line_ = 1;
  std::string_view row_text_;
  std::vector<std::string> header_;
  std::vector<std::string_view> cells_;
  std::deque<std::string> unescaped_;  ///< One slot a cell with doubled quotes, reused row by row.
  std::size_t unescaped_used_ = 0;
};

}  // namespace hanse
