#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hanse {

/// Text as HTML shows it, in element content and in attributes. Control characters, and bytes that are no
/// UTF-8, become U+FFFD: what a merchant calls itself cannot change the page.
std::string escaped(std::string_view text);

/// A number for people: `digits` significant ones, no exponent between 1e-4 and 1e7, "∞" when infinite, "–"
/// for NaN.
std::string number_text(double value, int digits = 4);
/// A bound for people: rounded up, so that the text never promises more than the value.
std::string bound_text(double value, int digits = 3);
/// 12 345 678, with thin spaces.
std::string count_text(std::uint64_t count);
/// 12.3 MB.
std::string bytes_text(std::uint64_t bytes);

}  // namespace hanse
