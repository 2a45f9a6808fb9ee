#pragma once

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "privacy/crypto/secret.h"

namespace hanse {

/// All points of order 1, 2, 4 and 8 of Curve25519 and its twist, with second spellings above p.
inline constexpr const char* kLowOrderPoints[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
};

/// The bytes that hexadecimal digits spell.
inline Bytes from_hex(std::string_view digits) {
  check(digits.size() % 2 == 0, "a byte has two digits");
  Bytes bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoul(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

template <std::size_t N>
std::array<std::byte, N> array_from_hex(std::string_view digits) {
  const Bytes bytes = from_hex(digits);
  check(bytes.size() == N, "a value in hexadecimal has its size");
  std::array<std::byte, N> value;
  std::copy(bytes.begin(), bytes.end(), value.begin());
  return value;
}

template <std::size_t N = 32>
Secret<N> secret_from(ByteView bytes) {
  check(bytes.size() == N, "a secret has its size");
  Secret<N> secret;
  std::copy(bytes.begin(), bytes.end(), secret.expose_for_writing().begin());
  return secret;
}

template <std::size_t N = 32>
Secret<N> secret_from_hex(std::string_view digits) {
  return secret_from<N>(from_hex(digits));
}

/// A file of known answers: "name = value" a line, bytes in hexadecimal, # before comments.
class KnownAnswers {
 public:
  explicit KnownAnswers(const std::string& file) {
    std::ifstream stream(file);
    check(stream.good(), "the file of known answers is there");
    for (std::string line; std::getline(stream, line);) {
      const std::size_t equals = line.find(" = ");
      if (equals != std::string::npos && line[0] != '#') {
        values_[line.substr(0, equals)] = line.substr(equals + 3);
      }
    }
  }

  const std::string& text(const std::string& name) const { return values_.at(name); }
  std::uint32_t number(const std::string& name) const {
    return static_cast<std::uint32_t>(std::stoul(text(name)));
  }
  template <std::size_t N>
  std::array<std::byte, N> bytes(const std::string& name) const {
    return array_from_hex<N>(text(name));
  }
  Secret<32> secret(const std::string& name) const { return secret_from_hex(text(name)); }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace hanse
