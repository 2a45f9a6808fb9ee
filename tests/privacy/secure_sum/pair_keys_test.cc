#include "privacy/secure_sum/pair_keys.h"

#include <memory>
#include <set>
#include <type_traits>

#include "privacy/crypto/hkdf.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/known_answers.h"

namespace hanse {
namespace {

// A key of a pair cannot be copied, and only wrap_seed gives a value of it that can be sent.
static_assert(!std::is_copy_constructible_v<PairKeys> && !std::is_copy_assignable_v<PairKeys>);
static_assert(!std::is_default_constructible_v<PairKeys>);
static_assert(!std::is_trivially_copyable_v<PairKeys>);
static_assert(std::is_same_v<decltype(std::declval<PairKeys&>().seed(0)), Secret<32>>);

const KnownAnswers& answers() {
  static const KnownAnswers read(HANSE_SOURCE_DIR "/tests/privacy/secure_sum/vectors/vectors.txt");
  return read;
}

/// The pair of the file, seen from either end.
struct KnownPair {
  Digest session = answers().bytes<32>("session");
  Digest context = answers().bytes<32>("context");
  PairKeys low = end("low", "high");
  PairKeys high = end("high", "low");

  PairKeys end(const std::string& own, const std::string& peer) const {
    auto keys = PairKeys::derive(X25519Key::from_scalar(answers().secret(own + ".scalar")),
                                 answers().bytes<32>(peer + ".point"), session, answers().number(own + ".id"),
                                 answers().number(peer + ".id"));
    check(keys.ok(), "the known pair agrees");
    return std::move(*keys);
  }
};

struct Pair {
  DeterministicSecureRandom random{1};
  X25519Key one = X25519Key::generate(random);
  X25519Key two = X25519Key::generate(random);

  PairKeys keys(const Digest& session, std::uint32_t one_id = 0, std::uint32_t two_id = 1) const {
    return std::move(*PairKeys::derive(one, two.public_key(), session, one_id, two_id));
  }
};

Digest named(std::string_view name) {
  return sha256(bytes_of(name));
}

TEST(PairKeys, AreThoseOfASecondImplementation) {
  KnownPair pair;

  EXPECT_EQ(pair.low.agreement(), answers().secret("agree"));
  EXPECT_EQ(pair.high.agreement(), answers().secret("agree"));
}

TEST(PairKeys, GiveTheRoundsOfASecondImplementation) {
  KnownPair pair;
  const Secret<32> u = answers().secret("own.u");

  for (const std::uint64_t round : {0u, 1u, 2u, 1000u}) {
    const std::string name = "round" + std::to_string(round);
    const Secret<32> seed = pair.low.seed(round);

    EXPECT_EQ(seed, answers().secret(name + ".seed"));
    EXPECT_EQ(seed, pair.high.seed(round));
    EXPECT_EQ(pair.low.sending(round), answers().secret(name + ".box.low_to_high"));
    EXPECT_EQ(pair.low.receiving(round), answers().secret(name + ".box.high_to_low"));
    EXPECT_EQ(pair.high.sending(round), answers().secret(name + ".box.high_to_low"));
    EXPECT_EQ(pair.high.receiving(round), answers().secret(name + ".box.low_to_high"));
    EXPECT_EQ(edge_mask(seed, pair.context), answers().secret(name + ".mask"));
    EXPECT_EQ(edge_fingerprint(seed, pair.context), answers().bytes<16>(name + ".edge"));
    EXPECT_EQ(wrap_seed(seed, u, 41), answers().bytes<32>(name + ".wrap"));
    EXPECT_EQ(unwrap_seed(answers().bytes<32>(name + ".wrap"), u, 41), seed);
  }
  EXPECT_EQ(self_mask(answers().secret("own.b"), pair.context), answers().secret("own.self"));
}

TEST(PairKeys, DifferBetweenDirectionsAndPurposes) {
  PairKeys keys = Pair().keys(named("session"));
  const Secret<32> sending = keys.sending(1);
  const Secret<32> receiving = keys.receiving(1);
  const Secret<32> seed = keys.seed(1);

  EXPECT_FALSE(sending == receiving);
  EXPECT_FALSE(sending == keys.agreement());
  EXPECT_FALSE(receiving == keys.agreement());
  EXPECT_FALSE(sending == seed);
  EXPECT_FALSE(sending == keys.sending(2)) << "each round has its own";
}

TEST(PairKeys, DifferBetweenSessionsAndBetweenPlacesInTheRoster) {
  const Pair pair;
  PairKeys keys = pair.keys(named("session"));
  PairKeys later = pair.keys(named("another session"));
  PairKeys moved = pair.keys(named("session"), 0, 2);

  const Secret<32> sending = keys.sending(1);
  EXPECT_FALSE(sending == later.sending(1));
  EXPECT_FALSE(sending == moved.sending(1));
  const Secret<32> seed = keys.seed(1);
  EXPECT_FALSE(seed == later.seed(1));
  EXPECT_FALSE(seed == moved.seed(1));
}

TEST(PairKeys, RefuseAPeerWhosePointIsOfLowOrder) {
  const Pair pair;

  const auto keys = PairKeys::derive(pair.one, PublicPoint{}, named("session"), 0, 1);

  ASSERT_FALSE(keys.ok());
  EXPECT_EQ(keys.what(), "an X25519 key is of low order or invalid");
}

TEST(PairKeys, SkippingRoundsGivesTheSameAsTakingThem) {
  const Pair pair;
  PairKeys walking = pair.keys(named("session"));
  PairKeys jumping = pair.keys(named("session"));

  for (std::uint64_t round = 0; round < 300; ++round) {
    (void)walking.seed(round);
  }

  EXPECT_EQ(jumping.seed(300), walking.seed(300));
  EXPECT_EQ(jumping.seed(301), walking.seed(301));
}

TEST(PairKeys, GiveTenThousandRoundsTenThousandSeeds) {
  PairKeys keys = Pair().keys(named("session"));
  std::set<std::string> seeds;

  for (std::uint64_t round = 0; round < 10'000; ++round) {
    seeds.insert(hex(keys.seed(round).expose()));
  }

  EXPECT_EQ(seeds.size(), 10'000u);
}

// Were round keys a stream xor the round number, the difference of two rounds would be the same for every
// pair.
TEST(PairKeys, TheDifferenceOfTwoRoundsIsNotAFunctionOfTheRounds) {
  const Pair pair;
  PairKeys keys = pair.keys(named("session"));
  PairKeys others = pair.keys(named("another session"));
  const auto difference = [](const Secret<32>& a, const Secret<32>& b) {
    Bytes bits;
    for (std::size_t i = 0; i < 32; ++i) {
      bits.push_back(a.expose()[i] ^ b.expose()[i]);
    }
    return bits;
  };

  const Secret<32> five = keys.seed(5);
  const Secret<32> six = keys.seed(6);
  const Secret<32> other_five = others.seed(5);
  const Secret<32> other_six = others.seed(6);

  EXPECT_NE(difference(five, six), difference(other_five, other_six));
}

// A revealed seed is a leaf: no derivation of the hierarchy leads from it to another round.
TEST(PairKeys, ARevealedSeedLeadsToNoOtherRound) {
  PairKeys keys = Pair().keys(named("session"));
  const Secret<32> before = keys.seed(6);
  const Secret<32> revealed = keys.seed(7);
  const Secret<32> after = keys.seed(8);

  const Secret<32> turned = hkdf_expand(revealed, bytes_of("hanse/1 next"));
  for (const std::uint64_t round : {std::uint64_t{6}, std::uint64_t{8}}) {
    const ByteView field = std::as_bytes(std::span(&round, 1));
    for (const Secret<32>* key : {&revealed, &turned}) {
      const Secret<32> reached = hkdf_expand(*key, {bytes_of("hanse/1 seed"), field});

      EXPECT_FALSE(reached == before);
      EXPECT_FALSE(reached == after);
    }
  }
}

/// Whether the bytes of `secret` stand anywhere in the object's memory.
bool holds(const PairKeys& keys, const Secret<32>& secret) {
  const ByteView memory = std::as_bytes(std::span(&keys, 1));
  const auto wanted = secret.expose();
  return std::search(memory.begin(), memory.end(), wanted.begin(), wanted.end()) != memory.end();
}

TEST(PairKeys, KeepNothingThatOpensAnEarlierRound) {
  const Pair pair;
  const Digest session = named("session");
  // The chain by its definition, from the agreed secret.
  const auto agreed = pair.one.agree(pair.two.public_key());
  Bytes material(agreed->expose().begin(), agreed->expose().end());
  material.insert(material.end(), pair.one.public_key().begin(), pair.one.public_key().end());
  material.insert(material.end(), pair.two.public_key().begin(), pair.two.public_key().end());
  const Secret<32> prk = hkdf_extract(session, material);
  const std::array<std::uint32_t, 2> ids{0, 1};
  const Secret<32> chain = hkdf_expand(prk, {bytes_of("hanse/1 chain"), std::as_bytes(std::span(ids))});
  const Secret<32> next = hkdf_expand(chain, bytes_of("hanse/1 next"));

  PairKeys keys = pair.keys(session);
  ASSERT_TRUE(holds(keys, chain));
  const Secret<32> share = hkdf_expand(prk, {bytes_of("hanse/1 share"), std::as_bytes(std::span(ids))});
  ASSERT_TRUE(holds(keys, share));
  const Secret<32> seed = keys.seed(0);
  const Secret<32> box = keys.sending(0);

  EXPECT_FALSE(holds(keys, share));
  EXPECT_FALSE(holds(keys, box));
  EXPECT_FALSE(holds(keys, prk));
  EXPECT_FALSE(holds(keys, chain));
  EXPECT_FALSE(holds(keys, seed));
  EXPECT_TRUE(holds(keys, next));
}

TEST(PairKeys, TakeTheirRatchetAlongWhenMoved) {
  const Pair pair;
  PairKeys keys = pair.keys(named("session"));
  PairKeys same = pair.keys(named("session"));
  (void)keys.seed(3);

  PairKeys moved = std::move(keys);

  EXPECT_EQ(moved.seed(4), same.seed(4));
  EXPECT_EQ(keys.agreement(),
            Secret<32>());  // NOLINT(bugprone-use-after-move): that it is empty is the point.
}

TEST(PairKeysDeathTest, RefuseARoundTwiceAndARoundBefore) {
  PairKeys keys = Pair().keys(named("session"));
  (void)keys.seed(5);

  EXPECT_DEATH((void)keys.seed(5), "only turns forward");
  EXPECT_DEATH((void)keys.seed(4), "only turns forward");
  (void)keys.sending(5);
  EXPECT_DEATH((void)keys.sending(5), "only turns forward");
  (void)keys.receiving(5);
  EXPECT_DEATH((void)keys.receiving(4), "only turns forward");
}

TEST(PairKeysDeathTest, RefuseToSkipMoreRoundsThanASessionHas) {
  PairKeys keys = Pair().keys(named("session"));

  EXPECT_DEATH((void)keys.seed(PairKeys::kSkipMax + 1), "not too far");
  EXPECT_DEATH((void)keys.seed(~std::uint64_t{0}), "not too far");
}

TEST(PairKeysDeathTest, RefuseAMerchantAsItsOwnPeer) {
  const Pair pair;

  EXPECT_DEATH((void)PairKeys::derive(pair.one, pair.one.public_key(), named("session"), 4, 4),
               "two merchants");
}

TEST(EdgeKeys, AreBoundToTheContext) {
  const Secret<32> seed = Pair().keys(named("session")).seed(1);

  EXPECT_FALSE(edge_mask(seed, named("a model")) == edge_mask(seed, named("b model")));
  EXPECT_NE(edge_fingerprint(seed, named("a model")), edge_fingerprint(seed, named("b model")));
  EXPECT_FALSE(self_mask(seed, named("a model")) == self_mask(seed, named("b model")));
  EXPECT_FALSE(self_mask(seed, named("a model")) == edge_mask(seed, named("a model")));
}

TEST(EdgeKeys, AFingerprintSaysNothingOfTheMask) {
  const Secret<32> seed = Pair().keys(named("session")).seed(1);

  const auto fingerprint = edge_fingerprint(seed, named("a model"));
  const Secret<32> mask = edge_mask(seed, named("a model"));

  EXPECT_EQ(std::search(mask.expose().begin(), mask.expose().end(), fingerprint.begin(), fingerprint.end()),
            mask.expose().end());
}

TEST(WrappedSeed, OpensWithItsKeyAndNeighbourOnly) {
  const Secret<32> seed = Pair().keys(named("session")).seed(1);
  const Secret<32> u = secret_from_hex(std::string(64, '5'));
  const Secret<32> other_u = secret_from_hex(std::string(64, '6'));

  const auto wrapped = wrap_seed(seed, u, 3);

  EXPECT_EQ(unwrap_seed(wrapped, u, 3), seed);
  EXPECT_FALSE(unwrap_seed(wrapped, u, 4) == seed);
  EXPECT_FALSE(unwrap_seed(wrapped, other_u, 3) == seed);
}

}  // namespace
}  // namespace hanse
