#include "privacy/crypto/keystream.h"

#include "privacy/crypto/digest.h"
#include "tests/support/known_answers.h"

namespace hanse {
namespace {

const char* const kKeyAndCounter = "2b7e151628aed2a6abf7158809cf4f3cf0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

Bytes stream_of(std::size_t count, const std::vector<std::size_t>& pieces = {}) {
  Keystream stream(secret_from_hex(kKeyAndCounter));
  Bytes out(count);
  std::span<std::byte> rest(out);
  for (const std::size_t piece : pieces) {
    stream.next(rest.first(piece));
    rest = rest.subspan(piece);
  }
  stream.next(rest);
  return out;
}

// NIST SP 800-38A, F.5.1: the four output blocks of AES-128 in counter mode.
TEST(Keystream, GivesTheOutputBlocksOfTheStandard) {
  EXPECT_EQ(hex(stream_of(64)),
            "ec8cdf7398607cb0f2d21675ea9ea1e4"
            "362b7c3c6773516318a077d7fc5073ae"
            "6a2cc3787889374fbeb4c81b17ba6c44"
            "e89c399ff0f198c6d40a31db156cabfe");
}

TEST(Keystream, DoesNotDependOnTheSizeOfThePieces) {
  const Bytes whole = stream_of(20'000);

  EXPECT_EQ(stream_of(20'000, {1, 15, 16, 17, 0, 8191, 8192, 3}), whole);
}

TEST(Keystream, OverwritesWhatWasInTheMemory) {
  Keystream stream(secret_from_hex(kKeyAndCounter));
  Bytes out(16, std::byte{0xff});

  stream.next(out);

  EXPECT_EQ(hex(out), "ec8cdf7398607cb0f2d21675ea9ea1e4");
}

TEST(Keystream, GoesOnWhereItWasWhenMoved) {
  Keystream first(secret_from_hex(kKeyAndCounter));
  Bytes out(32);

  first.next(std::span(out).first(16));
  Keystream second = std::move(first);
  second.next(std::span(out).last(16));

  EXPECT_EQ(out, stream_of(32));
}

}  // namespace
}  // namespace hanse
