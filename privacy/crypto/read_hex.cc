#include "privacy/crypto/read_hex.h"

#include <algorithm>

namespace hanse {
namespace {

/// The value of a hexadecimal digit, or 16.
unsigned digit_value(char digit) {
  if (digit >= '0' && digit <= '9') {
    return static_cast<unsigned>(digit - '0');
  }
  if (digit >= 'a' && digit <= 'f') {
    return static_cast<unsigned>(digit - 'a') + 10;
  }
  return digit >= 'A' && digit <= 'F' ? static_cast<unsigned>(digit - 'A') + 10 : 16;
}

}  // namespace

bool read_hex(std::string_view digits, std::span<std::byte> out) {
  if (digits.size() != 2 * out.size()) {
    return false;
  }
  unsigned worst = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned high = digit_value(digits[2 * i]);
    const unsigned low = digit_value(digits[2 * i + 1]);
    worst = std::max({worst, high, low});
    out[i] = static_cast<std::byte>((high << 4 | low) & 0xFF);
  }
  return worst < 16;
}

}  // namespace hanse
