#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hanse {

/// Whether bytes begin as those of a gzip file (RFC 1952).
bool is_gzip(std::string_view bytes);

/// What was compressed, at most `most` bytes of it, however much there is; memory grows with what comes out. Nothing where the
/// bytes are damaged, end too early or have others behind them.
std::optional<std::string> inflated(std::string_view gzip, std::size_t most);

}  // namespace hanse
