#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace hanse {

/// A number for a sentence: `digits` significant ones, at most 17.
inline std::string figure(double value, int digits = 6) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

/// What was measured, and is not known to more digits.
inline std::string rough_figure(double value) {
  return figure(value, 4);
}

/// "1 line", "2 lines".
inline std::string count_of(std::uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace hanse
