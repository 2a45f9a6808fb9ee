#pragma once

#include <cstdint>
#include <string_view>

namespace hanse {

/// The fixed 64-bit hash of text, the same on every machine: h = split_mix(length in bytes), then for each 8
/// bytes w of the text (little-endian, the last padded with zeros) h = split_mix(h ^ w). Part of the file
/// formats: bucket numbers of hashed words are this hash modulo the number of buckets. Not cryptographic.
std::uint64_t text_hash(std::string_view text);

}  // namespace hanse
