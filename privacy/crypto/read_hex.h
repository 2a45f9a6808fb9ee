#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace hanse {

/// Reads exactly 2 * out.size() hexadecimal digits; false, with `out` undefined, when `digits` is anything
/// else.
bool read_hex(std::string_view digits, std::span<std::byte> out);

}  // namespace hanse
