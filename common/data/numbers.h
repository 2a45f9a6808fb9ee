#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hanse {

/// `text` without spaces and tabs around it.
std::string_view trimmed(std::string_view text);

/// True for an empty cell, "NA" and "null".
bool is_missing(std::string_view cell);

/// The finite number that is the whole of `text`, in any locale; none for other text, "nan" and "inf".
std::optional<double> read_number(std::string_view text);
std::optional<std::int64_t> read_integer(std::string_view text);

/// As read_number, and true and false (also True, TRUE, ...) are 1 and 0.
std::optional<double> read_number_or_flag(std::string_view text);

/// A number in the shortest form that reads back, for messages and names.
std::string short_number(double value);

}  // namespace hanse
