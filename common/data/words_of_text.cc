#include "common/data/words_of_text.h"

#include <cstdint>

namespace hanse {
namespace {

constexpr char32_t kNone = 0;

/// The character at the front of `text`, of `size` bytes; kNone and one byte where it is no UTF-8.
char32_t character_of(std::string_view text, std::size_t& size) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  size = 1;
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return first;
  }
  const std::size_t length = first >= 0xF0 && first < 0xF8 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first >= 0xF8 || text.size() < length) {
    return kNone;
  }
  char32_t character = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return kNone;
    }
    character = (character << 6) | (byte(i) & 0x3Fu);
  }
  size = length;
  return character;
}

bool in(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

bool is_letter(char32_t c) {
  if (c < 0x80) {
    return in(c, 'a', 'z') || in(c, 'A', 'Z') || in(c, '0', '9');
  }
  return !in(c, 0x80, 0xBF) && c != 0xD7 && c != 0xF7 && !in(c, 0x2000, 0x206F) && !in(c, 0x3000, 0x303F) &&
         !in(c, 0xFF00, 0xFF0F);
}

char32_t small(char32_t c) {
  const bool by_32 = in(c, 'A', 'Z') || in(c, 0xC0, 0xDE) || in(c, 0x391, 0x3A9) || in(c, 0x410, 0x42F);
  return by_32 ? c + 0x20 : in(c, 0x400, 0x40F) ? c + 0x50 : c;
}

void append(std::string& text, char32_t c) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

}  // namespace

void WordsOfText::read(std::string_view text) {
  joined_.clear();
  ends_.clear();
  bool in_word = false;
  while (!text.empty()) {
    std::size_t size = 0;
    const char32_t c = character_of(text, size);
    text.remove_prefix(size);
    if (c == kNone || !is_letter(c)) {
      in_word = false;
      continue;
    }
    if (!in_word) {
      if (!ends_.empty()) {
        joined_.push_back(' ');
      }
      ends_.push_back(0);
      in_word = true;
    }
    append(joined_, small(c));
    ends_.back() = joined_.size();
  }
}

}  // namespace hanse
