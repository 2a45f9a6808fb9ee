#include "privacy/crypto/aead.h"

#include "privacy/crypto/digest.h"
#include "tests/support/known_answers.h"

namespace hanse {
namespace {

/// A box as one merchant sends it to another.
struct Sealed {
  Secret<32> key = secret_from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  std::uint64_t counter = 0x0102030405060708;
  ByteView associated = bytes_of("session, round, sender, receiver");
  ByteView plain = bytes_of("two shares of forty bytes");
  Bytes box = aead_seal(key, counter, associated, plain);
};

// Test cases 13 and 14 of McGrew and Viega's GCM submission to NIST: key and nonce of zeros.
TEST(Aead, GivesTheAnswersOfTheGcmSubmission) {
  EXPECT_EQ(hex(aead_seal(Secret<32>(), 0, {}, {})), "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(hex(aead_seal(Secret<32>(), 0, {}, Bytes(16))),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

// Computed with the Python package cryptography: nonce 00000000 0807060504030201.
TEST(Aead, BindsCounterAndAssociatedBytesLikeAnotherImplementation) {
  EXPECT_EQ(hex(Sealed().box),
            "688f90651147a93cf000de5cf80e5cc5cf814ee83acd5d2dda2afdc9bbb0f2160caf9e2daa1a861bb8");
}

TEST(Aead, OpensWhatWasSealed) {
  const Sealed sealed;

  const auto opened = aead_open(sealed.key, sealed.counter, sealed.associated, sealed.box);

  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(text_of(*opened), "two shares of forty bytes");
}

TEST(Aead, SealsNothingAndMuch) {
  const Sealed sealed;

  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16}, std::size_t{100'003}}) {
    const Bytes plain(size, std::byte{7});
    const Bytes box = aead_seal(sealed.key, size, {}, plain);
    const auto opened = aead_open(sealed.key, size, {}, box);

    EXPECT_EQ(box.size(), size + kAeadTagSize);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(*opened, plain);
  }
}

TEST(Aead, RefusesABoxWithAnyBitFlipped) {
  const Sealed sealed;

  for (std::size_t bit = 0; bit < 8 * sealed.box.size(); ++bit) {
    Bytes altered = sealed.box;
    altered[bit / 8] ^= std::byte{1} << (bit % 8);

    EXPECT_FALSE(aead_open(sealed.key, sealed.counter, sealed.associated, altered).ok()) << bit;
  }
}

TEST(Aead, RefusesAnotherKeyCounterOrAddress) {
  Sealed sealed;
  Secret<32> other_key = sealed.key.duplicate();
  other_key.expose_for_writing()[31] ^= std::byte{1};

  EXPECT_FALSE(aead_open(other_key, sealed.counter, sealed.associated, sealed.box).ok());
  EXPECT_FALSE(aead_open(sealed.key, sealed.counter + 1, sealed.associated, sealed.box).ok());
  EXPECT_FALSE(
      aead_open(sealed.key, sealed.counter, bytes_of("session, round, receiver, sender"), sealed.box).ok());
  EXPECT_FALSE(aead_open(sealed.key, sealed.counter, {}, sealed.box).ok());
}

TEST(Aead, RefusesEveryShorterOrLongerBox) {
  const Sealed sealed;

  for (std::size_t size = 0; size < sealed.box.size(); ++size) {
    const auto opened =
        aead_open(sealed.key, sealed.counter, sealed.associated, ByteView(sealed.box).first(size));

    EXPECT_FALSE(opened.ok()) << size;
  }
  Bytes longer = sealed.box;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(aead_open(sealed.key, sealed.counter, sealed.associated, longer).ok());
}

}  // namespace
}  // namespace hanse
