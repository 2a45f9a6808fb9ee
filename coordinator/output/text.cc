#include "coordinator/output/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace hanse {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Bytes of the UTF-8 character that `text` begins with, or 0 when it begins with none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : (first & 0xF0) == 0xE0         ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  // Over-long forms, surrogates and what lies beyond Unicode.
  const bool wrong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
                     (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
  return wrong ? 0 : length;
}

std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

std::string format(const char* pattern, int digits, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), pattern, digits, value);
  return text.data();
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const char c = text.front();
    const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
    if (length == 0 || control) {
      result += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    const std::string_view special = entity(c);
    result += special.empty() ? text.substr(0, length) : special;
    text.remove_prefix(length);
  }
  return result;
}

std::string number_text(double value, int digits) {
  if (std::isnan(value)) {
    return "–";
  }
  if (std::isinf(value)) {
    return value > 0 ? "∞" : "−∞";
  }
  const double size = std::fabs(value);
  if (size >= 1e4 && size < 1e7 && std::round(value) == value) {
    return format("%.*f", 0, value);
  }
  std::string text = format("%.*g", digits, value);
  // "1e-05" is "1e-5" to people.
  const std::size_t exponent = text.find('e');
  if (exponent != text.npos && text[exponent + 2] == '0') {
    text.erase(exponent + 2, 1);
  }
  return text;
}

std::string bound_text(double value, int digits) {
  if (!std::isfinite(value) || value <= 0) {
    return number_text(value, digits);
  }
  const double unit = std::pow(10.0, std::floor(std::log10(value)) - digits + 1);
  const double nearest = std::round(value / unit);
  // A value that is such a number already, but for its last bits, is not moved a whole unit up.
  const bool already = std::fabs(nearest * unit - value) <= 1e-12 * value;
  return number_text((already ? nearest : std::ceil(value / unit)) * unit, digits);
}

std::string count_text(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && digits.size() > 4 && (digits.size() - i) % 3 == 0) {
      text += "\u202F";
    }
    text.push_back(digits[i]);
  }
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return number_text(value, 3) + " " + kUnits[unit];
}

}  // namespace hanse
