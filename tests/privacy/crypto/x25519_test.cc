#include "privacy/crypto/x25519.h"

#include "privacy/crypto/digest.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/known_answers.h"

namespace hanse {
namespace {

std::string agreed(std::string_view scalar, std::string_view point) {
  const auto shared = X25519Key::from_scalar(secret_from_hex(scalar)).agree(array_from_hex<32>(point));
  return shared ? hex(shared->expose()) : shared.what();
}

TEST(X25519, GivesTheAnswersOfRfc7748Section5) {
  EXPECT_EQ(agreed("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                   "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(agreed("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                   "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519, GivesTheAnswersOfRfc7748AfterAThousandTurns) {
  Secret<32> scalar = secret_from_hex("0900000000000000000000000000000000000000000000000000000000000000");
  PublicPoint point = array_from_hex<32>("0900000000000000000000000000000000000000000000000000000000000000");

  for (int turn = 0; turn < 1000; ++turn) {
    PublicPoint next;
    std::ranges::copy(scalar.expose(), next.begin());
    scalar = std::move(*X25519Key::from_scalar(std::move(scalar)).agree(point));
    point = next;
  }

  EXPECT_EQ(hex(scalar.expose()), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, GivesTheKeysAndTheSecretOfRfc7748Section6) {
  const char* const alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
  const char* const bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
  const char* const alice_point = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
  const char* const bob_point = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
  const char* const secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

  EXPECT_EQ(hex(X25519Key::from_scalar(secret_from_hex(alice)).public_key()), alice_point);
  EXPECT_EQ(hex(X25519Key::from_scalar(secret_from_hex(bob)).public_key()), bob_point);
  EXPECT_EQ(agreed(alice, bob_point), secret);
  EXPECT_EQ(agreed(bob, alice_point), secret);
}

TEST(X25519, AgreesBetweenTwoAndWithNobodyElse) {
  DeterministicSecureRandom random(1);
  const X25519Key a = X25519Key::generate(random);
  const X25519Key b = X25519Key::generate(random);
  const X25519Key c = X25519Key::generate(random);

  const auto ab = a.agree(b.public_key());
  const auto ba = b.agree(a.public_key());
  const auto ac = a.agree(c.public_key());

  ASSERT_TRUE(ab.ok() && ba.ok() && ac.ok());
  EXPECT_EQ(*ab, *ba);
  EXPECT_FALSE(*ab == *ac);
}

// A peer that sends one would make the common secret zero.
TEST(X25519, RefusesPointsOfLowOrder) {
  DeterministicSecureRandom random(1);
  const X25519Key key = X25519Key::generate(random);

  for (const char* const point : kLowOrderPoints) {
    const auto shared = key.agree(array_from_hex<32>(point));

    ASSERT_FALSE(shared.ok()) << point;
    EXPECT_EQ(shared.what(), "an X25519 key is of low order or invalid");
  }
}

}  // namespace
}  // namespace hanse
