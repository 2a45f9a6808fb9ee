#include "privacy/crypto/signature.h"

#include <ostream>

#include "privacy/crypto/digest.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/known_answers.h"

namespace hanse {
namespace {

struct SignatureVector {
  const char* name;
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

void PrintTo(const SignatureVector& vector, std::ostream* stream) {
  *stream << vector.name;
}

class Rfc8032 : public testing::TestWithParam<SignatureVector> {};

TEST_P(Rfc8032, KeyAndSignatureAreTheStandards) {
  const SigningKey key = SigningKey::from_seed(secret_from_hex(GetParam().seed));
  const Bytes message = from_hex(GetParam().message);

  const Signature signature = key.sign(message);

  EXPECT_EQ(hex(key.public_key()), GetParam().public_key);
  EXPECT_EQ(hex(signature), GetParam().signature);
  EXPECT_TRUE(verify(key.public_key(), message, signature));
}

// RFC 8032, section 7.1, tests 1 to 3.
INSTANTIATE_TEST_SUITE_P(
    Section7_1, Rfc8032,
    testing::Values(
        SignatureVector{"NoBytes", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
                        "39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        SignatureVector{"OneByte", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f"
                        "3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
        SignatureVector{"TwoBytes", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67"
                        "f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}),
    [](const auto& test) { return test.param.name; });

/// A key, a message and its signature.
struct Signed {
  DeterministicSecureRandom random{1};
  SigningKey key = SigningKey::generate(random);
  Bytes message = from_hex("48454c4c4f206f662061206d65726368616e74");
  Signature signature = key.sign(message);
};

TEST(SigningKey, RefusesASignatureWithAnyBitFlipped) {
  Signed by;

  for (std::size_t bit = 0; bit < 8 * by.signature.size(); ++bit) {
    Signature altered = by.signature;
    altered[bit / 8] ^= std::byte{1} << (bit % 8);

    EXPECT_FALSE(verify(by.key.public_key(), by.message, altered)) << bit;
  }
}

TEST(SigningKey, RefusesAMessageWithAnyBitFlipped) {
  Signed by;

  for (std::size_t bit = 0; bit < 8 * by.message.size(); ++bit) {
    Bytes altered = by.message;
    altered[bit / 8] ^= std::byte{1} << (bit % 8);

    EXPECT_FALSE(verify(by.key.public_key(), altered, by.signature)) << bit;
  }
}

TEST(SigningKey, RefusesTheSignatureOfAnother) {
  Signed by;

  const SigningKey other = SigningKey::generate(by.random);

  EXPECT_NE(other.public_key(), by.key.public_key());
  EXPECT_FALSE(verify(other.public_key(), by.message, by.signature));
}

TEST(SigningKey, RefusesBytesThatAreNoPoint) {
  Signed by;
  PublicKey no_point;
  no_point.fill(std::byte{0xff});

  EXPECT_FALSE(verify(no_point, by.message, by.signature));
}

// RFC 8032, 5.1.7: S is below the order of the group. Adding the order gives a second signature that older
// verifiers take.
TEST(SigningKey, RefusesTheMalleatedSignature) {
  Signed by;
  const auto order = array_from_hex<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += std::to_integer<unsigned>(by.signature[32 + i]) + std::to_integer<unsigned>(order[i]);
    by.signature[32 + i] = static_cast<std::byte>(carry & 255);
    carry >>= 8;
  }

  EXPECT_FALSE(verify(by.key.public_key(), by.message, by.signature));
}

TEST(SigningKey, ComesBackFromItsSeed) {
  Signed by;

  const SigningKey same = SigningKey::from_seed(by.key.seed().duplicate());

  EXPECT_EQ(same.public_key(), by.key.public_key());
  EXPECT_EQ(same.sign(by.message), by.signature);
}

}  // namespace
}  // namespace hanse
