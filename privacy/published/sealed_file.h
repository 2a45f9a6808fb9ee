#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hanse {

/// A kind of file of our own, and what to do with one that cannot be read.
struct SealedFileKind {
  std::string_view magic;  ///< 8 bytes.
  std::uint32_t version;   ///< The one that this program writes; others are refused.
  std::string_view name;   ///< For sentences: "is no NAME of Hanse".
  std::string_view when_of_another_version;
  std::string_view when_damaged;  ///< Or empty.
};

/// The payload behind the header of its kind:
///   magic | version u32 | payload length u64 | SHA-256 of the payload | payload
inline constexpr std::size_t kSealedHeader = 8 + 4 + 8 + 32;  ///< Bytes before the payload.
std::string seal_file(const SealedFileKind& kind, std::string_view payload);

/// The payload in `bytes`, whose digest holds. Throws bad_input naming `origin` when they are torn, altered, of another
/// version or of another kind.
std::string_view payload_of(const SealedFileKind& kind, std::string_view bytes, const std::string& origin);

}  // namespace hanse
