#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "common/base/bytes.h"

namespace hanse {

/// A SHA-256 value.
using Digest = std::array<std::byte, 32>;

Digest sha256(ByteView bytes);
std::string hex(ByteView bytes);

}  // namespace hanse
