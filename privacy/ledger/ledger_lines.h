#pragma once

#include <string_view>
#include <vector>

namespace hanse {

/// The content of a ledger file. Views into it.
struct LedgerLines {
  std::vector<std::string_view> lines;  ///< Complete ones, without their newlines.
  std::string_view torn;                ///< What follows the last newline: a line that a crash cut short.
};

inline LedgerLines split_lines(std::string_view content) {
  LedgerLines split;
  for (std::size_t end = content.find('\n'); end != std::string_view::npos; end = content.find('\n')) {
    split.lines.push_back(content.substr(0, end));
    content.remove_prefix(end + 1);
  }
  split.torn = content;
  return split;
}

}  // namespace hanse
