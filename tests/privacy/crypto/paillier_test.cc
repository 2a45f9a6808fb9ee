#include "privacy/crypto/paillier.h"

#include <algorithm>
#include <deque>
#include <ostream>

#include "privacy/crypto/system_random.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/known_answers.h"

namespace hanse {
namespace {

/// Gives the bytes it was told to give, in that order.
class ScriptedRandom final : public SecureRandom {
 public:
  void add(Bytes bytes) { script_.insert(script_.end(), bytes.begin(), bytes.end()); }
  void fill(std::span<std::byte> out) override {
    check(script_.size() >= out.size(), "the script is long enough");
    std::copy_n(script_.begin(), out.size(), out.begin());
    script_.erase(script_.begin(), script_.begin() + static_cast<std::ptrdiff_t>(out.size()));
  }

 private:
  std::deque<std::byte> script_;
};

/// The little-endian bytes of a small number.
Bytes number(std::uint64_t value, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    bytes[i] = static_cast<std::byte>(value >> 8 * i);
  }
  return bytes;
}

Bytes encrypted(const PaillierEncryptor& encryptor, ByteView plaintext, SecureRandom& random) {
  Bytes ciphertext(encryptor.key().size().ciphertext_bytes());
  encryptor.encrypt(plaintext, random, ciphertext);
  return ciphertext;
}

/// The key's own n as little-endian bytes, once or twice as long.
Bytes modulus(const PaillierPublicKey& key, std::size_t size) {
  Bytes n(key.wire().begin(), key.wire().begin() + static_cast<std::ptrdiff_t>(key.size().plaintext_bytes()));
  n.resize(size);
  return n;
}

constexpr std::uint32_t kSmall = 512;

struct Party {
  DeterministicSecureRandom random{1};
  PaillierSize size = PaillierSize::for_tests(kSmall);
  PaillierPrivateKey key = PaillierPrivateKey::generate(size, random);
  PaillierEncryptor encryptor{key.public_key()};

  Bytes encrypt(std::uint64_t value) {
    return encrypted(encryptor, number(value, size.plaintext_bytes()), random);
  }
};

struct KnownSize {
  std::uint32_t bits;
};
void PrintTo(const KnownSize& size, std::ostream* out) {
  *out << size.bits << " bits";
}

class PaillierKnownAnswers : public testing::TestWithParam<KnownSize> {
 protected:
  const PaillierSize size_ = PaillierSize::for_tests(GetParam().bits);
  KnownAnswers answers_{HANSE_SOURCE_DIR "/tests/privacy/crypto/vectors/paillier.txt"};

  Bytes value(const std::string& name) const {
    return from_hex(answers_.text(std::to_string(GetParam().bits) + "." + name));
  }
  ScriptedRandom script(std::initializer_list<const char*> names) const {
    ScriptedRandom random;
    for (const char* name : names) {
      random.add(value(name));
    }
    return random;
  }
};

TEST_P(PaillierKnownAnswers, AreGivenByKeysCiphertextsAndSums) {
  ScriptedRandom random = script({"prime.0", "prime.1", "prime.2", "x", "exponent.0", "exponent.1", "again"});

  const PaillierPrivateKey key = PaillierPrivateKey::generate(size_, random);
  const PaillierEncryptor encryptor(key.public_key());
  const Bytes first = encrypted(encryptor, value("message.0"), random);
  const Bytes second = encrypted(encryptor, value("message.1"), random);
  PaillierTotal total(key.public_key(), 1);
  EXPECT_FALSE(total.add(first));
  EXPECT_FALSE(total.add(second));
  const Bytes sum = total.take(encryptor, random);

  EXPECT_EQ(key.public_key().wire(), value("key"));
  EXPECT_EQ(first, value("ciphertext.0"));
  EXPECT_EQ(second, value("ciphertext.1"));
  EXPECT_EQ(sum, value("rerandomised"));
  EXPECT_EQ(*key.decrypt(first, 1), value("message.0"));
  EXPECT_EQ(*key.decrypt(sum, 1), value("sum"));
}

TEST_P(PaillierKnownAnswers, RemaindersGiveWhatTheExponentLambdaGivesForAnyNumber) {
  ScriptedRandom random = script({"prime.0", "prime.1", "prime.2", "x"});
  const PaillierPrivateKey key = PaillierPrivateKey::generate(size_, random);

  for (const char* i : {"0", "1", "2"}) {
    const auto opened = key.decrypt(value(std::string("foreign.") + i), 1);

    ASSERT_TRUE(opened) << opened.what();
    EXPECT_EQ(*opened, value(std::string("opened.") + i));
  }
}

INSTANTIATE_TEST_SUITE_P(OfPython, PaillierKnownAnswers,
                         testing::Values(KnownSize{512}, KnownSize{3072}, KnownSize{4096}));

using PaillierKnownKey = PaillierKnownAnswers;

TEST_P(PaillierKnownKey, HasNoPrimeTwice) {
  ScriptedRandom random =
      script({"prime.0", "prime.0", "prime.1", "prime.0", "prime.1", "prime.0", "prime.2", "x"});

  const PaillierPrivateKey key = PaillierPrivateKey::generate(size_, random);

  EXPECT_EQ(key.public_key().wire(), value("key"));  // Each that came again was drawn anew.
}

INSTANTIATE_TEST_SUITE_P(OfEqualPrimes, PaillierKnownKey, testing::Values(KnownSize{3072}));

using PaillierUnusableKey = PaillierKnownAnswers;

TEST_P(PaillierUnusableKey, OfAPrimeThatDividesAnotherLessOneIsDrawnAnew) {
  ScriptedRandom random = script({"twice", "prime.1", "germain", "prime.0", "prime.1", "prime.2", "x"});

  const PaillierPrivateKey key = PaillierPrivateKey::generate(size_, random);

  EXPECT_EQ(key.public_key().wire(), value("key"));
}

INSTANTIATE_TEST_SUITE_P(OfUnequalPrimes, PaillierUnusableKey, testing::Values(KnownSize{512}));

TEST(Paillier, KeysOfProgramsHave3072Or4096Bits) {
  EXPECT_EQ(PaillierSize::of(3072)->bits(), 3072u);
  EXPECT_EQ(PaillierSize::of(4096)->bits(), 4096u);
  for (const std::uint32_t bits : {0u, 512u, 1024u, 2048u, 3071u, 3080u, 8192u}) {
    EXPECT_FALSE(PaillierSize::of(bits)) << bits;
  }
}

TEST(Paillier, AFreshKeyOfFullLengthEncryptsAndDecrypts) {
  SystemRandom random;
  const PaillierSize size = *PaillierSize::of(3072);
  const PaillierPrivateKey key = PaillierPrivateKey::generate(size, random);
  const auto read = PaillierPublicKey::from_wire(key.public_key().wire(), size);
  ASSERT_TRUE(read) << read.what();
  const PaillierEncryptor encryptor(*read);
  Bytes largest = modulus(*read, size.plaintext_bytes());  // n - 1, since n is odd.
  largest.front() &= std::byte{0xFE};

  for (const Bytes& plaintext :
       {number(0, size.plaintext_bytes()), number(1, size.plaintext_bytes()), largest}) {
    const Bytes ciphertext = encrypted(encryptor, plaintext, random);

    EXPECT_EQ(*key.decrypt(ciphertext, 1), plaintext);
  }
}

TEST(Paillier, SumsOfManyVectorsDecryptToTheSumsOfTheirEntries) {
  Party party;
  constexpr std::size_t kCount = 3;
  for (const std::uint64_t vectors : {1u, 2u, 3u, 17u}) {
    PaillierTotal total(party.key.public_key(), kCount);
    Bytes expected;
    for (std::uint64_t v = 0; v < vectors; ++v) {
      Bytes row;
      for (std::uint64_t i = 0; i < kCount; ++i) {
        const Bytes one = party.encrypt(1000 * v + i);
        row.insert(row.end(), one.begin(), one.end());
      }
      ASSERT_FALSE(total.add(row));
    }
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const Bytes one =
          number(1000 * vectors * (vectors - 1) / 2 + i * vectors, party.size.plaintext_bytes());
      expected.insert(expected.end(), one.begin(), one.end());
    }

    const Bytes sums = total.take(party.encryptor, party.random);

    EXPECT_EQ(*party.key.decrypt(sums, kCount), expected) << vectors << " vectors";
  }
}

TEST(Paillier, NoCiphertextIsEverMadeTwice) {
  Party party;

  const Bytes first = party.encrypt(5);
  const Bytes second = party.encrypt(5);
  Bytes again = first;
  party.encryptor.rerandomise(again, party.random);

  EXPECT_NE(first, second);
  EXPECT_NE(first, again);
  EXPECT_EQ(*party.key.decrypt(again, 1), *party.key.decrypt(first, 1));
}

TEST(Paillier, ATotalOfOneVectorIsNotTheVectorThatWasAdded) {
  Party party;
  const Bytes only = party.encrypt(5);
  PaillierTotal total(party.key.public_key(), 1);
  ASSERT_FALSE(total.add(only));

  EXPECT_NE(total.take(party.encryptor, party.random), only);
}

TEST(Paillier, ATotalRefusesMalformedCiphertextsAndAddsNothing) {
  Party party;
  const std::size_t size = party.size.ciphertext_bytes();
  const PaillierPublicKey& key = party.key.public_key();
  const Bytes good = party.encrypt(7);
  Bytes shorter = good;
  shorter.pop_back();
  Bytes longer = good;
  longer.push_back({});
  const std::pair<const char*, Bytes> bad[] = {{"no bytes", {}},
                                               {"one byte less", shorter},
                                               {"one byte more", longer},
                                               {"zero", number(0, size)},
                                               {"one", number(1, size)},
                                               {"n", modulus(key, size)},
                                               {"all bits", Bytes(size, std::byte{0xFF})}};
  PaillierTotal total(key, 1);
  ASSERT_FALSE(total.add(good));

  for (const auto& [name, bytes] : bad) {
    EXPECT_TRUE(total.add(bytes)) << name;
    EXPECT_FALSE(party.key.decrypt(bytes, 1)) << name;
  }

  EXPECT_EQ(*party.key.decrypt(total.take(party.encryptor, party.random), 1),
            number(7, party.size.plaintext_bytes()));
}

TEST(Paillier, AVectorIsRefusedAsAWholeForOneBadEntry) {
  Party party;
  const std::size_t size = party.size.ciphertext_bytes();
  Bytes row = party.encrypt(1);
  const Bytes bad = modulus(party.key.public_key(), size);
  row.insert(row.end(), bad.begin(), bad.end());
  PaillierTotal total(party.key.public_key(), 2);

  const auto refused = total.add(row);

  ASSERT_TRUE(refused);
  EXPECT_NE(refused->what.find("shares a factor"), std::string::npos) << refused->what;
}

TEST(Paillier, AForeignKeyDecryptsToSomethingElse) {
  Party party;
  DeterministicSecureRandom random(2);
  const PaillierPrivateKey other = PaillierPrivateKey::generate(party.size, random);
  const Bytes ciphertext = party.encrypt(5);

  const auto read = other.decrypt(ciphertext, 1);

  EXPECT_TRUE(!read || *read != number(5, party.size.plaintext_bytes()));
}

TEST(Paillier, APublicKeySurvivesItsWayOverTheWire) {
  Party party;

  const auto read = PaillierPublicKey::from_wire(party.key.public_key().wire(), party.size);

  ASSERT_TRUE(read) << read.what();
  const PaillierEncryptor encryptor(*read);
  const Bytes ciphertext = encrypted(encryptor, number(9, party.size.plaintext_bytes()), party.random);
  EXPECT_EQ(*party.key.decrypt(ciphertext, 1), number(9, party.size.plaintext_bytes()));
}

TEST(Paillier, MalformedPublicKeysAreRefused) {
  Party party;
  const Bytes good = party.key.public_key().wire();
  const std::size_t half = party.size.plaintext_bytes();
  const auto changed = [&](auto change) {
    Bytes bytes = good;
    change(bytes);
    return bytes;
  };
  const auto with_h = [&](const Bytes& h) {
    return changed(
        [&](Bytes& key) { std::copy(h.begin(), h.end(), key.begin() + static_cast<std::ptrdiff_t>(half)); });
  };
  Bytes minus_one = modulus(party.key.public_key(), half);
  minus_one.front() &= std::byte{0xFE};
  const std::pair<const char*, Bytes> bad[] = {
      {"modulus", changed([](Bytes& key) { key.front() &= std::byte{0xFE}; })},                   // even
      {"bits", changed([&](Bytes& key) { key[half - 1] = std::byte{1}; })},                       // too short
      {"factor", changed([&](Bytes& key) { std::fill_n(key.begin(), half, std::byte{0xFF}); })},  // 2^512 - 1
      {"generator", with_h(number(0, half))},
      {"generator", with_h(number(1, half))},
      {"generator", with_h(minus_one)},
      {"generator", with_h(modulus(party.key.public_key(), half))},
      {"bytes", changed([](Bytes& key) { key.pop_back(); })},
      {"bytes", changed([](Bytes& key) { key.push_back({}); })},
      {"bytes", {}}};

  for (const auto& [word, bytes] : bad) {
    const auto read = PaillierPublicKey::from_wire(bytes, party.size);

    ASSERT_FALSE(read) << word;
    EXPECT_NE(read.what().find(word), std::string::npos) << read.what();
  }
}

TEST(Paillier, AKeyOfAnotherLengthIsRefused) {
  Party party;

  const auto read = PaillierPublicKey::from_wire(party.key.public_key().wire(), *PaillierSize::of(3072));

  EXPECT_FALSE(read);
}

TEST(Paillier, AGeneratorOutsideTheSubgroupIsRefused) {
  Party party;
  const std::size_t half = party.size.plaintext_bytes();
  int refused = 0;

  for (std::uint64_t h = 2; h < 12; ++h) {  // Jacobi symbols of both signs are among ten small numbers.
    Bytes key = party.key.public_key().wire();
    const Bytes bytes = number(h, half);
    std::copy(bytes.begin(), bytes.end(), key.begin() + static_cast<std::ptrdiff_t>(half));
    refused += PaillierPublicKey::from_wire(key, party.size) ? 0 : 1;
  }

  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, 10);
}

TEST(Paillier, KeysDifferFromEachOther) {
  DeterministicSecureRandom random(3);
  const PaillierSize size = PaillierSize::for_tests(kSmall);

  const PaillierPrivateKey first = PaillierPrivateKey::generate(size, random);
  const PaillierPrivateKey second = PaillierPrivateKey::generate(size, random);

  EXPECT_NE(first.public_key().wire(), second.public_key().wire());
}

static_assert(!std::is_copy_constructible_v<PaillierPrivateKey> &&
              !std::is_copy_assignable_v<PaillierPrivateKey>);

}  // namespace
}  // namespace hanse
