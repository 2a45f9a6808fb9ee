#include "common/data/numbers.h"

#include <array>
#include <charconv>
#include <cmath>

namespace hanse {
namespace {

template <class T>
std::optional<T> read_whole(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') {
    text.remove_prefix(1);  // std::from_chars knows no plus sign.
  }
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

bool is_missing(std::string_view cell) {
  const std::string_view text = trimmed(cell);
  return text.empty() || text == "NA" || text == "null";
}

std::optional<double> read_number(std::string_view text) {
  const std::optional<double> value = read_whole<double>(trimmed(text));
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::int64_t> read_integer(std::string_view text) {
  return read_whole<std::int64_t>(trimmed(text));
}

std::optional<double> read_number_or_flag(std::string_view text) {
  if (const auto value = read_number(text)) {
    return value;
  }
  const std::string_view word = trimmed(text);
  if (word == "true" || word == "True" || word == "TRUE") {
    return 1.0;
  }
  if (word == "false" || word == "False" || word == "FALSE") {
    return 0.0;
  }
  return std::nullopt;
}

std::string short_number(double value) {
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), result.ptr};
}

}  // namespace hanse
