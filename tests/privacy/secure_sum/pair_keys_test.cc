#include "privacy/secure_sum/pair_keys.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "privacy/crypto/keystream.h"
#include "privacy/secure_sum/masks.h"
#include "tests/privacy/crypto/from_hex.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

/// Both ends of the pair of merchants 3 and 7.
struct Pair {
  DeterministicSecureRandom random{21};
  X25519Key low_key = X25519Key::generate(random);
  X25519Key high_key = X25519Key::generate(random);
  Digest session = sha256(bytes_of("session"));
  PairKeys low = *PairKeys::derive(low_key, high_key.public_key(), session, 3, 7);
  PairKeys high = *PairKeys::derive(high_key, low_key.public_key(), session, 7, 3);
};

static_assert(!std::is_copy_constructible_v<PairKeys>);

TEST(PairKeys, AgreesWithTheVectorsOfASecondImplementation) {
  std::ifstream file(HANSE_SOURCE_DIR "/tests/privacy/secure_sum/vectors/key_hierarchy.txt");
  ASSERT_TRUE(file) << "the vectors are there";
  std::map<std::string, std::string> given;
  std::optional<PairKeys> keys;
  std::uint64_t round = 0;
  int compared = 0;
  Digest context{};
  Secret<32> seed;
  Secret<32> self;
  const auto id = [&](const char* name) { return static_cast<std::uint32_t>(std::stoul(given.at(name))); };
  for (std::string name, value; file >> name;) {
    if (name.starts_with('#')) {
      std::getline(file, value);
      continue;
    }
    file >> value;
    given[name] = value;
    std::string computed = value;
    if (name == "u") {
      const X25519Key own = X25519Key::from_scalar(secret_from_hex(given.at("own_scalar")));
      EXPECT_EQ(hex(own.public_key()), given.at("own_point"));
      context = array_from_hex<32>(given.at("context"));
      keys = *PairKeys::derive(own, array_from_hex<32>(given.at("peer_point")),
                               array_from_hex<32>(given.at("session_id")), id("own_id"), id("peer_id"));
      continue;
    }
    if (name == "round") {
      round = std::stoull(value);
      continue;
    }
    if (name == "sending")
      computed = hex(keys->sending().expose());
    else if (name == "receiving")
      computed = hex(keys->receiving().expose());
    else if (name == "agreement")
      computed = hex(keys->agreement().expose());
    else if (name == "seed") {
      seed = keys->seed(round);
      computed = hex(seed.expose());
    } else if (name == "mask")
      computed = hex(edge_mask(seed, context).expose());
    else if (name == "edge")
      computed = hex(edge_fingerprint(seed, context));
    else if (name == "wrap")
      computed = hex(wrap_seed(seed, secret_from_hex(given.at("u")), id("peer_id")));
    else if (name == "self") {
      self = self_mask(secret_from_hex(given.at("b")), context);
      computed = hex(self.expose());
    } else if (name == "stream_head" || name == "stream_digest_20000") {
      std::vector<std::uint32_t> entries(5000);
      add_keystream(self, Sign::plus, std::span<std::uint32_t>(entries));
      const ByteView bytes = std::as_bytes(std::span(entries));
      computed = name == "stream_head" ? hex(bytes.first(64)) : hex(sha256(bytes));
    } else
      continue;
    EXPECT_EQ(computed, value) << name << " of round " << round;
    ++compared;
  }
  EXPECT_EQ(compared, 2 * 6 + 5 * 4);
}

TEST(PairKeys, AreTheSameAtBothEnds) {
  Pair pair;

  EXPECT_EQ(pair.low.sending(), pair.high.receiving());
  EXPECT_EQ(pair.low.receiving(), pair.high.sending());
  EXPECT_EQ(pair.low.agreement(), pair.high.agreement());
  for (const std::uint64_t round : {0u, 1u, 2u, 17u}) EXPECT_EQ(pair.low.seed(round), pair.high.seed(round));
}

TEST(PairKeys, HaveAKeyADirectionAndAPurpose) {
  Pair pair;

  EXPECT_FALSE(pair.low.sending() == pair.low.receiving());
  EXPECT_FALSE(pair.low.sending() == pair.low.agreement());
  EXPECT_FALSE(pair.low.receiving() == pair.low.agreement());
}

TEST(PairKeys, DependOnSessionAndIds) {
  Pair pair;
  const auto derive = [&](std::string_view session, std::uint32_t own, std::uint32_t peer) {
    return *PairKeys::derive(pair.low_key, pair.high_key.public_key(), sha256(bytes_of(session)), own, peer);
  };

  EXPECT_FALSE(derive("another", 3, 7).seed(0) == derive("session", 3, 7).seed(0));
  EXPECT_FALSE(derive("session", 3, 8).seed(0) == derive("session", 3, 7).seed(0));
  EXPECT_FALSE(derive("session", 3, 8).sending() == derive("session", 3, 7).sending());
}

TEST(PairKeys, RefuseAPeerOfLowOrder) {
  Pair pair;

  EXPECT_FALSE(PairKeys::derive(pair.low_key, PublicPoint{}, pair.session, 3, 7).ok());
}

TEST(PairKeys, SeedsOfTenThousandRoundsDiffer) {
  Pair pair;
  std::vector<std::array<std::byte, 32>> seeds(10000);
  for (std::uint64_t round = 0; round < seeds.size(); ++round) {
    std::ranges::copy(pair.low.seed(round).expose(), seeds[round].begin());
  }

  std::ranges::sort(seeds);
  EXPECT_EQ(std::ranges::adjacent_find(seeds), seeds.end());
}

// A7: were a round's seed a fixed seed xor something of the round, two pairs would share their differences.
TEST(PairKeys, DifferenceOfTwoRoundsIsNoFunctionOfTheRounds) {
  Pair pair;
  PairKeys other = *PairKeys::derive(pair.low_key, pair.high_key.public_key(), sha256(bytes_of("x")), 3, 7);
  const auto difference = [](PairKeys& keys) {
    const Secret<32> one = keys.seed(4);
    const Secret<32> two = keys.seed(5);
    std::array<std::byte, 32> bits{};
    std::ranges::transform(one.expose(), two.expose(), bits.begin(), std::bit_xor<>());
    return bits;
  };

  EXPECT_NE(difference(pair.low), difference(other));
}

TEST(PairKeys, SkippingRoundsEqualsSteppingThroughThem) {
  Pair pair;
  for (std::uint64_t round = 0; round < 100; ++round) (void)pair.low.seed(round);

  EXPECT_EQ(pair.high.seed(100), pair.low.seed(100));
}

TEST(PairKeysDeathTest, NeverGoBackNorGiveASeedTwice) {
  Pair pair;
  (void)pair.low.seed(5);

  EXPECT_DEATH((void)pair.low.seed(4), "forward");
  EXPECT_DEATH((void)pair.low.seed(5), "forward");
  EXPECT_DEATH((void)pair.low.seed(6 + PairKeys::kSkipMax + 1), "too far");
}

// A26: whoever reads the memory after a round finds neither its seed nor an earlier chain key.
TEST(PairKeys, HoldNothingOfEarlierRounds) {
  Pair pair;
  const auto memory_of = [](const PairKeys& keys) {
    Bytes memory(sizeof keys);
    std::memcpy(memory.data(), static_cast<const void*>(&keys), sizeof keys);
    return memory;
  };
  const auto contains = [](const Bytes& memory, ByteView piece) {
    return !std::ranges::search(memory, piece).empty();
  };
  const Bytes before = memory_of(pair.low);
  ASSERT_TRUE(contains(before, pair.low.agreement().expose()));
  std::vector<Secret<32>> seeds;
  for (std::uint64_t round = 0; round < 5; ++round) seeds.push_back(pair.low.seed(round));

  const Bytes after = memory_of(pair.low);

  EXPECT_FALSE(contains(after, ByteView(before).first(32)));  // The first chain key is the first member.
  for (const Secret<32>& seed : seeds) EXPECT_FALSE(contains(after, seed.expose()));
}

TEST(EdgeValues, DependOnSeedAndContextAndPurpose) {
  const Secret<32> seed = secret_from_hex(std::string(64, '1'));
  const Secret<32> other = secret_from_hex(std::string(64, '2'));
  const Digest context = sha256(bytes_of("model"));
  const Digest altered = sha256(bytes_of("modem"));

  EXPECT_FALSE(edge_mask(seed, context) == edge_mask(seed, altered));
  EXPECT_FALSE(edge_mask(seed, context) == edge_mask(other, context));
  EXPECT_FALSE(edge_mask(seed, context) == self_mask(seed, context));
  EXPECT_NE(edge_fingerprint(seed, context), edge_fingerprint(seed, altered));
  EXPECT_NE(edge_fingerprint(seed, context), edge_fingerprint(other, context));
}

TEST(WrappedSeed, OpensWithItsEscrowKeyAndNeighbourAlone) {
  const Secret<32> seed = secret_from_hex(std::string(64, '1'));
  const Secret<32> u = secret_from_hex(std::string(64, '2'));

  const auto wrapped = wrap_seed(seed, u, 4);

  EXPECT_EQ(unwrap_seed(wrapped, u, 4), seed);
  EXPECT_FALSE(unwrap_seed(wrapped, u, 5) == seed);
  EXPECT_FALSE(unwrap_seed(wrapped, secret_from_hex(std::string(64, '3')), 4) == seed);
}

}  // namespace
}  // namespace hanse
