#pragma once

#include <algorithm>
#include <string>
#include <utility>

namespace hanse {

/// '?' for what could move a cursor or hide what stands beside it: control characters, line ends among them, and those
/// of Latin-1 in UTF-8.
inline std::string without_controls(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto before = i == 0 ? 0u : static_cast<unsigned char>(text[i - 1]);
    if (byte < 0x20 || byte == 0x7F || (before == 0xC2 && byte >= 0x80 && byte < 0xA0)) {
      text[i] = '?';
    }
  }
  return text;
}

/// Somebody else's text for one line of a log or terminal: at most 255 bytes of it, without controls.
inline std::string printable(std::string text) {
  constexpr std::size_t kSizeMax = 255;
  text.resize(std::min(text.size(), kSizeMax));
  return without_controls(std::move(text));
}

/// The same as a name in a sentence.
inline std::string quoted(std::string name) {
  return "\"" + printable(std::move(name)) + "\"";
}

}  // namespace hanse
