#include "privacy/crypto/hkdf.h"

#include "tests/support/known_answers.h"

namespace hanse {
namespace {

Bytes repeated(unsigned value, std::size_t count) {
  return Bytes(count, static_cast<std::byte>(value));
}

Bytes counting(unsigned first, std::size_t count) {
  Bytes bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::byte>(first + i));
  }
  return bytes;
}

std::string shown(const Secret<32>& secret) {
  return hex(secret.expose());
}

// RFC 4231, cases 1, 2, 3, 4 and 6.
TEST(Hmac, GivesTheAnswersOfRfc4231) {
  EXPECT_EQ(shown(hmac_sha256(repeated(0x0b, 20), bytes_of("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(shown(hmac_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(shown(hmac_sha256(repeated(0xaa, 20), repeated(0xdd, 50))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(shown(hmac_sha256(counting(1, 25), repeated(0xcd, 50))),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(shown(hmac_sha256(repeated(0xaa, 131),
                              bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, OfPartsIsTheHmacOfTheirConcatenation) {
  const Secret<32> whole = hmac_sha256(bytes_of("key"), bytes_of("one message"));

  EXPECT_EQ(hmac_sha256(bytes_of("key"), {bytes_of("one"), {}, bytes_of(" message")}), whole);
}

TEST(Hmac, DoesNotKeepTheKeyOfTheCallBefore) {
  const Secret<32> fresh = hmac_sha256({}, bytes_of("message"));

  const Secret<32> other = hmac_sha256(bytes_of("another key"), bytes_of("message"));
  const Secret<32> again = hmac_sha256({}, bytes_of("message"));

  EXPECT_EQ(again, fresh);
  EXPECT_FALSE(other == fresh);
  // HMAC-SHA256 of the empty key and the empty message, as every implementation gives it.
  EXPECT_EQ(shown(hmac_sha256({}, ByteView())),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// RFC 5869, appendix A, cases 1 to 3; of the output the first 32 bytes.
TEST(Hkdf, GivesTheAnswersOfRfc5869) {
  const Secret<32> basic = hkdf_extract(counting(0, 13), repeated(0x0b, 22));
  EXPECT_EQ(shown(basic), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(shown(hkdf_expand(basic, counting(0xf0, 10))),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");

  const Secret<32> longer = hkdf_extract(counting(0x60, 80), counting(0x00, 80));
  EXPECT_EQ(shown(longer), "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244");
  EXPECT_EQ(shown(hkdf_expand(longer, counting(0xb0, 80))),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c");

  const Secret<32> unsalted = hkdf_extract({}, repeated(0x0b, 22));
  EXPECT_EQ(shown(unsalted), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  EXPECT_EQ(shown(hkdf_expand(unsalted, ByteView())),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(Hkdf, ExpandsPartsAsTheirConcatenation) {
  const Secret<32> key = hkdf_extract({}, bytes_of("material"));

  EXPECT_EQ(hkdf_expand(key, {bytes_of("label"), bytes_of("field")}),
            hkdf_expand(key, bytes_of("labelfield")));
  EXPECT_FALSE(hkdf_expand(key, bytes_of("label")) == hkdf_expand(key, bytes_of("labe1")));
}

}  // namespace
}  // namespace hanse
