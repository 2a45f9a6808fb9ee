#include "privacy/crypto/aead.h"
#include "privacy/crypto/hkdf.h"
#include "privacy/crypto/keystream.h"
#include "tests/privacy/crypto/from_hex.h"

namespace hanse {
namespace {

TEST(Sha256, AgreesWithFips180) {
  EXPECT_EQ(hex(sha256(bytes_of("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hex, ReadsWhatItWritesAndNothingElse) {
  std::array<std::byte, 2> bytes{};

  EXPECT_TRUE(read_hex("0aF9", bytes));
  EXPECT_EQ(hex(bytes), "0af9");
  for (const char* wrong : {"", "0af", "0af90", "0ag9", "0x12", " 0af", "0a f"}) {
    EXPECT_FALSE(read_hex(wrong, bytes)) << wrong;
  }
}

// RFC 4231, cases 1, 2, 3, 6 and 7.
TEST(Hmac, AgreesWithRfc4231) {
  const auto code = [](const std::string& key, const std::string& message) {
    return hex(hmac_sha256(from_hex(key), from_hex(message)).expose());
  };
  const auto repeat = [](const char* digits, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += digits;
    return text;
  };

  EXPECT_EQ(code(repeat("0b", 20), "4869205468657265"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(code("4a656665", hex(bytes_of("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(code(repeat("aa", 20), repeat("dd", 50)),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(code(repeat("aa", 131), hex(bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, AnEmptyKeyIsAKeyOfItsOwn) {
  (void)hmac_sha256(bytes_of("key"), bytes_of("message"));  // A key that must not linger.

  // Known value of HMAC-SHA256 with empty key and message.
  EXPECT_EQ(hex(hmac_sha256(ByteView{}, ByteView{}).expose()),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hmac, PartsAreOneMessage) {
  const Secret<32> parts = hmac_sha256(bytes_of("key"), {bytes_of("ab"), {}, bytes_of("c")});

  EXPECT_EQ(parts, hmac_sha256(bytes_of("key"), bytes_of("abc")));
}

// RFC 5869, case 1; our Expand stops after the first block, 32 bytes.
TEST(Hkdf, AgreesWithRfc5869) {
  const Secret<32> key = hkdf_extract(from_hex("000102030405060708090a0b0c"),
                                      from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"));

  EXPECT_EQ(hex(key.expose()), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(hex(hkdf_expand(key, from_hex("f0f1f2f3f4f5f6f7f8f9")).expose()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

// RFC 5869, case 3: no salt, no info.
TEST(Hkdf, TakesNoSaltAndNoInfo) {
  const Secret<32> key = hkdf_extract({}, from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"));

  EXPECT_EQ(hex(key.expose()), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  EXPECT_EQ(hex(hkdf_expand(key, ByteView{}).expose()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

// NIST SP 800-38A, F.5.1: the stream is ciphertext xor plaintext.
TEST(Keystream, AgreesWithSp80038a) {
  Keystream stream(secret_from_hex("2b7e151628aed2a6abf7158809cf4f3cf0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));
  const Bytes plain = from_hex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  Bytes bytes(plain.size());

  stream.next(bytes);

  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= plain[i];
  EXPECT_EQ(hex(bytes),
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
            "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee");
}

TEST(Keystream, IsOneStreamHoweverItIsCut) {
  const Secret<32> key = secret_from_hex(std::string(64, '5'));
  Bytes whole(30001);
  Keystream(key).next(whole);

  Keystream stream(key);
  Bytes pieces;
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 8191u, 8192u, 8193u, 5376u}) {
    Bytes piece(size);
    stream.next(piece);
    pieces.insert(pieces.end(), piece.begin(), piece.end());
  }

  EXPECT_EQ(pieces, whole);
}

// Cases 13 and 14 of the GCM specification (McGrew and Viega): zero key and nonce.
TEST(Aead, AgreesWithTheSpecificationOfGcm) {
  EXPECT_EQ(hex(aead_seal(Secret<32>(), 0, {}, {})), "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(hex(aead_seal(Secret<32>(), 0, {}, Bytes(16))),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

// Key, text and associated data of case 16 under a nonce of our shape; the answer is another
// implementation's.
TEST(Aead, PlacesTheCounterAtTheEndOfTheNonce) {
  const Secret<32> key = secret_from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const Bytes plain = from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const Bytes associated = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");

  const Bytes box = aead_seal(key, 0x0102030405060708, associated, plain);

  EXPECT_EQ(hex(box),
            "6f51f1713a68c7f124451f665f093bfbcbdb7256a5cfc7ba257430a019c5e573dfb825944d89"
            "76ba28a90880c7f77113291dd0d5777036a67faef0b037d0e17f45866f747fae95d82e5bdf1e");
  EXPECT_EQ(*aead_open(key, 0x0102030405060708, associated, box), plain);
}

class SealedBox : public testing::Test {
 protected:
  Secret<32> key_ = secret_from_hex(std::string(64, '7'));
  Bytes plain_ = from_hex("00112233445566778899aabbccddeeff0011223344");
  Bytes associated_ = from_hex("0123456789");
  Bytes box_ = aead_seal(key_, 9, associated_, plain_);
};

TEST_F(SealedBox, OpensToWhatWasSealed) {
  EXPECT_EQ(*aead_open(key_, 9, associated_, box_), plain_);
}

TEST_F(SealedBox, RefusesEveryFlippedBitOfBoxAndTag) {
  for (std::size_t bit = 0; bit < 8 * box_.size(); ++bit) {
    Bytes altered = box_;
    altered[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);

    EXPECT_FALSE(aead_open(key_, 9, associated_, altered).ok()) << "bit " << bit;
  }
}

TEST_F(SealedBox, RefusesEveryFlippedBitOfTheAssociatedData) {
  for (std::size_t bit = 0; bit < 8 * associated_.size(); ++bit) {
    Bytes altered = associated_;
    altered[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);

    EXPECT_FALSE(aead_open(key_, 9, altered, box_).ok()) << "bit " << bit;
  }
  EXPECT_FALSE(aead_open(key_, 9, {}, box_).ok());
}

TEST_F(SealedBox, RefusesAnotherCounterOrKey) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    EXPECT_FALSE(aead_open(key_, 9 ^ std::uint64_t{1} << bit, associated_, box_).ok()) << "bit " << bit;
  }
  EXPECT_FALSE(aead_open(secret_from_hex(std::string(64, '6')), 9, associated_, box_).ok());
}

TEST_F(SealedBox, RefusesEveryCutAndAnAddedByte) {
  for (std::size_t size = 0; size < box_.size(); ++size) {
    EXPECT_FALSE(aead_open(key_, 9, associated_, ByteView(box_).first(size)).ok()) << size << " bytes";
  }
  box_.push_back(std::byte{});
  EXPECT_FALSE(aead_open(key_, 9, associated_, box_).ok());
}

TEST_F(SealedBox, MayHoldNothing) {
  const Bytes box = aead_seal(key_, 1, {}, {});

  EXPECT_EQ(box.size(), kAeadTagSize);
  EXPECT_TRUE(aead_open(key_, 1, {}, box)->empty());
}

}  // namespace
}  // namespace hanse
