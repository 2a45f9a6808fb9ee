#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"

namespace hanse {

/// A SHA-256 value.
using Digest = std::array<std::byte, 32>;

Digest sha256(ByteView bytes);
/// Lower-case hexadecimal digits, two a byte.
std::string hex(ByteView bytes);
/// The digest that 64 digits of hex() spell, or nothing.
std::optional<Digest> digest_from_hex(std::string_view text);

}  // namespace hanse
