#include <ostream>
#include <vector>

#include "privacy/crypto/digest.h"
#include "privacy/crypto/signature.h"
#include "privacy/crypto/x25519.h"
#include "tests/privacy/crypto/from_hex.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

struct SignatureVector {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

// RFC 8032, section 7.1, tests 1 to 3.
const std::vector<SignatureVector> kSignatures = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f"
     "0"
     "595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2ea"
     "e"
     "b4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e"
     "9"
     "716ed28dc027beceea1ec40a"}};

TEST(Signature, AgreesWithRfc8032) {
  for (const SignatureVector& vector : kSignatures) {
    const SigningKey key = SigningKey::from_seed(secret_from_hex(vector.seed));

    EXPECT_EQ(hex(key.public_key()), vector.public_key);
    EXPECT_EQ(hex(key.sign(from_hex(vector.message))), vector.signature);
    EXPECT_TRUE(verify(key.public_key(), from_hex(vector.message), array_from_hex<64>(vector.signature)));
  }
}

TEST(Signature, RefusesEveryFlippedBit) {
  DeterministicSecureRandom random(1);
  const SigningKey key = SigningKey::generate(random);
  const Bytes message = from_hex("0123456789abcdef");
  const Signature signature = key.sign(message);
  const auto flip = [](auto bytes, std::size_t bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    return bytes;
  };

  for (std::size_t bit = 0; bit < 512; ++bit) {
    EXPECT_FALSE(verify(key.public_key(), message, flip(signature, bit))) << "signature bit " << bit;
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    EXPECT_FALSE(verify(flip(key.public_key(), bit), message, signature)) << "key bit " << bit;
  }
  for (std::size_t bit = 0; bit < 64; ++bit) {
    EXPECT_FALSE(verify(key.public_key(), flip(message, bit), signature)) << "message bit " << bit;
  }
}

// s + L is the same number to a lax verifier: a second signature of the same message.
TEST(Signature, RefusesAnSBeyondTheGroupOrder) {
  Signature signature = array_from_hex<64>(kSignatures[0].signature);
  const auto order = array_from_hex<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += std::to_integer<unsigned>(signature[32 + i]) + std::to_integer<unsigned>(order[i]);
    signature[32 + i] = static_cast<std::byte>(carry & 255);
    carry >>= 8;
  }

  EXPECT_FALSE(verify(array_from_hex<32>(kSignatures[0].public_key), {}, signature));
}

// RFC 7748, section 5.2, first vector.
TEST(X25519, AgreesWithRfc7748) {
  const X25519Key first = X25519Key::from_scalar(
      secret_from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"));

  EXPECT_EQ(
      hex(first.agree(array_from_hex<32>("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
              ->expose()),
      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
}

// RFC 7748, section 6.1: Bob's key with Alice's point.
TEST(X25519, AgreesWithTheExchangeOfRfc7748) {
  const X25519Key bob = X25519Key::from_scalar(
      secret_from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  const auto alice = array_from_hex<32>("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");

  EXPECT_EQ(hex(bob.public_key()), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  EXPECT_EQ(hex(bob.agree(alice)->expose()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(X25519, BothEndsAgree) {
  DeterministicSecureRandom random(2);
  const X25519Key one = X25519Key::generate(random);
  const X25519Key other = X25519Key::generate(random);

  EXPECT_EQ(*one.agree(other.public_key()), *other.agree(one.public_key()));
}

// All points whose order divides 8, canonical and not (A16).
TEST(X25519, RefusesPointsOfLowOrder) {
  DeterministicSecureRandom random(3);
  const X25519Key key = X25519Key::generate(random);

  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "0000000000000000000000000000000000000000000000000000000000000080"}) {
    EXPECT_FALSE(key.agree(array_from_hex<32>(point)).ok()) << point;
  }
}

}  // namespace
}  // namespace hanse
