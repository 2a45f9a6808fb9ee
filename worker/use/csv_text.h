#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace hanse {

/// A cell of CSV (RFC 4180): in quotes where it has to be.
std::string csv_cell(std::string_view text);

/// Writes the text to `file`, or to standard output. Throws Failure(could_not_finish) where not all of it is taken.
void put_out(const std::string& text, const std::optional<std::filesystem::path>& file);

}  // namespace hanse
