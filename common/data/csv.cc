#include "common/data/csv.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "common/base/failure.h"

namespace hanse {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

}  // namespace

CsvReader::CsvReader(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text_.starts_with(kByteOrderMark)) {
    text_.remove_prefix(kByteOrderMark.size());
  }
  if (only_blank_lines_remain()) {
    throw bad_input(file_ + ": the file is empty; expected a header line that names the columns");
  }
  read_row();
  header_.assign(cells_.begin(), cells_.end());
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : header_) {
    if (!seen.insert(name).second) {
      throw bad_input(place() + ": the header names the column '" + name + "' twice; names must be unique");
    }
  }
}

std::size_t CsvReader::column(std::string_view name, std::string_view key) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end()) {
    throw bad_input(file_ + ":1: there is no column '" + std::string(name) + "', which " + std::string(key) +
                    " asks for; the header has: " + joined(header_));
  }
  return static_cast<std::size_t>(found - header_.begin());
}

bool CsvReader::next() {
  if (!read_row()) {
    return false;
  }
  if (row_text_.empty() && only_blank_lines_remain()) {
    return false;
  }
  if (cells_.size() != header_.size()) {
    const bool short_row = cells_.size() < header_.size();
    throw bad_input(place() + ": the row has " + std::to_string(cells_.size()) + " cells; expected " +
                    std::to_string(header_.size()) + " as in the header" +
                    (short_row ? ", column '" + header_[cells_.size()] + "' is missing" : std::string()));
  }
  return true;
}

std::string CsvReader::place() const {
  return file_ + ":" + std::to_string(row_line_);
}

bool CsvReader::only_blank_lines_remain() const {
  return text_.find_first_not_of("\r\n", at_) == std::string_view::npos;
}

bool CsvReader::read_row() {
  cells_.clear();
  unescaped_used_ = 0;
  row_line_ = line_;
  if (at_ >= text_.size()) {
    return false;
  }
  const std::size_t row_begin = at_;
  const char* const data = text_.data();
  const std::size_t size = text_.size();
  for (;;) {
    if (at_ < size && data[at_] == '"') {
      cells_.push_back(read_quoted());
    } else {
      const std::size_t begin = at_;
      while (at_ < size && data[at_] != ',' && data[at_] != '\n') {
        ++at_;
      }
      // The carriage return before a line feed belongs to the line end.
      const bool carriage_return = at_ > begin && data[at_ - 1] == '\r' && (at_ == size || data[at_] == '\n');
      cells_.push_back(text_.substr(begin, at_ - begin - (carriage_return ? 1U : 0U)));
    }
    if (at_ < size && data[at_] == ',') {
      ++at_;
      continue;
    }
    break;
  }
  row_text_ = text_.substr(row_begin, at_ - row_begin);
  if (!row_text_.empty() && row_text_.back() == '\r') {
    row_text_.remove_suffix(1);
  }
  if (at_ < size) {  // The line feed.
    ++at_;
    ++line_;
  }
  return true;
}

// Leaves at_ at the comma, the line feed or the end after the cell.
std::string_view CsvReader::read_quoted() {
  const std::size_t begin = ++at_;
  bool doubled = false;
  for (;;) {
    while (at_ < text_.size() && text_[at_] != '"') {
      line_ += text_[at_] == '\n' ? 1U : 0U;
      ++at_;
    }
    if (at_ == text_.size()) {
      throw bad_input(place() + ": cell " + std::to_string(cells_.size() + 1) +
                      " begins with a quote that is never closed");
    }
    if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
      doubled = true;
      at_ += 2;
      continue;
    }
    break;
  }
  const std::string_view quoted = text_.substr(begin, at_ - begin);
  ++at_;  // The closing quote.
  if (text_.substr(at_).starts_with("\r\n") || (at_ + 1 == text_.size() && text_[at_] == '\r')) {
    ++at_;
  }
  if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n') {
    throw bad_input(place() + ": cell " + std::to_string(cells_.size() + 1) +
                    " has text after its closing quote; expected a comma or the end of the line");
  }
  if (!doubled) {
    return quoted;
  }
  if (unescaped_used_ == unescaped_.size()) {
    unescaped_.emplace_back();
  }
  std::string& cell = unescaped_[unescaped_used_++];
  cell.clear();
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    cell.push_back(quoted[i]);
    i += quoted[i] == '"' ? 1U : 0U;
  }
  return cell;
}

}  // namespace hanse
