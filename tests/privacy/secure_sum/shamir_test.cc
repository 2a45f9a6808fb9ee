#include "privacy/secure_sum/shamir.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "tests/support/deterministic_random.h"
#include "tests/support/known_answers.h"

namespace hanse {
namespace {

using Holders = std::vector<std::uint32_t>;

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;

/// A secret dealt out, and what a coordinator hears of it.
struct Dealt {
  Dealt(Holders holding, std::uint32_t threshold, std::uint64_t seed = 1)
      : random(seed), holders(std::move(holding)) {
    random.fill(secret.expose_for_writing());
    for (const Secret<40>& share : shamir_split(secret, holders, threshold, random)) {
      Share heard;
      std::ranges::copy(share.expose(), heard.begin());
      shares.push_back(heard);
    }
  }

  /// What the holders at these places open.
  Secret<32> open(const std::vector<std::size_t>& places) const {
    Holders who;
    std::vector<Share> what;
    for (const std::size_t place : places) {
      who.push_back(holders[place]);
      what.push_back(shares[place]);
    }
    return ShareCombiner(who).combine(what);
  }

  DeterministicSecureRandom random;
  Secret<32> secret;
  Holders holders;
  std::vector<Share> shares;
};

Holders up_to(std::uint32_t count) {
  Holders holders(count);
  std::iota(holders.begin(), holders.end(), 0u);
  return holders;
}

TEST(Shamir, AnySetOfEnoughHoldersOpensTheSecret) {
  const Dealt dealt({2, 3, 5, 7, 11, 13, 17}, 4);

  for (unsigned set = 0; set < 128; ++set) {
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < 7; ++place) {
      if ((set >> place & 1) != 0) {
        places.push_back(place);
      }
    }
    if (!places.empty()) {
      EXPECT_EQ(dealt.open(places) == dealt.secret, places.size() >= 4) << set;
    }
  }
}

TEST(Shamir, TheOrderOfTheHoldersDoesNotMatter) {
  const Dealt dealt(up_to(9), 5);

  EXPECT_EQ(dealt.open({8, 1, 6, 0, 3}), dealt.secret);
  EXPECT_EQ(dealt.open({3, 0, 6, 1, 8}), dealt.secret);
}

TEST(Shamir, WorksForOneHolderAndForHundreds) {
  const Dealt alone({41}, 1);
  const Dealt everyone(up_to(500), 500);
  std::vector<std::size_t> places(500);
  std::iota(places.begin(), places.end(), std::size_t{0});

  EXPECT_EQ(alone.open({0}), alone.secret);
  EXPECT_EQ(everyone.open(places), everyone.secret);
  places.pop_back();
  EXPECT_FALSE(everyone.open(places) == everyone.secret);
}

TEST(Shamir, WorksForTheLargestIdentities) {
  const Dealt dealt({0, 16'383, 4'294'967'294u, 4'294'967'295u}, 3);

  EXPECT_EQ(dealt.open({0, 2, 3}), dealt.secret);
  EXPECT_EQ(dealt.open({1, 2, 3}), dealt.secret);
}

TEST(Shamir, KeepsSecretsOfZerosAndOfOnes) {
  DeterministicSecureRandom random(1);
  const Holders holders = up_to(3);

  for (const char* const byte : {"00", "ff", "80", "01"}) {
    std::string digits;
    for (int i = 0; i < 32; ++i) {
      digits += byte;
    }
    const Secret<32> secret = secret_from_hex(digits);
    const auto dealt = shamir_split(secret, holders, 2, random);
    std::vector<Share> shares(2);
    std::ranges::copy(dealt[0].expose(), shares[0].begin());
    std::ranges::copy(dealt[2].expose(), shares[1].begin());

    EXPECT_EQ(ShareCombiner(Holders{0, 2}).combine(shares), secret) << byte;
  }
}

TEST(Shamir, OpensTheSharesOfASecondImplementation) {
  const KnownAnswers answers(HANSE_SOURCE_DIR "/tests/privacy/secure_sum/vectors/vectors.txt");
  const Holders all{0, 4, 9, 16'383, 16'384};
  const std::vector<Holders> sets{{0, 4, 9}, {16'384, 0, 16'383}, {4, 9, 16'384}, all};

  for (const Holders& holders : sets) {
    std::vector<Share> shares;
    for (const std::uint32_t holder : holders) {
      shares.push_back(answers.bytes<40>("shamir.share_of_" + std::to_string(holder)));
    }

    EXPECT_EQ(ShareCombiner(holders).combine(shares), answers.secret("shamir.secret"));
  }
}

TEST(Shamir, AShareHoldsFiveElementsOfTheField) {
  const Dealt dealt(up_to(50), 34);

  for (const Share& share : dealt.shares) {
    for (std::size_t limb = 0; limb < 5; ++limb) {
      std::uint64_t element = 0;
      std::memcpy(&element, share.data() + 8 * limb, 8);

      EXPECT_LT(element, kPrime);
    }
  }
}

// The top bits of an element may fall outside the 52 bits that a limb keeps; all others show.
TEST(Shamir, AFlippedBitInAShareGivesAnotherSecret) {
  const Dealt dealt(up_to(5), 3);

  for (std::size_t bit = 0; bit < 320; ++bit) {
    if (bit % 64 < 50) {
      Dealt altered(up_to(5), 3);
      altered.shares[1][bit / 8] ^= std::byte{1} << (bit % 8);

      EXPECT_FALSE(altered.open({0, 1, 2}) == dealt.secret) << bit;
    }
  }
}

TEST(Shamir, TakesAnyBytesOfAHostileHolder) {
  Dealt dealt(up_to(3), 3);

  dealt.shares[0].fill(std::byte{0xff});

  EXPECT_FALSE(dealt.open({0, 1, 2}) == dealt.secret);
}

// Fewer shares than the threshold fit every secret: for any wished one there is a third share that opens it.
TEST(Shamir, TooFewSharesFitEverySecret) {
  const Dealt one(up_to(3), 3, 1);
  const Dealt other(up_to(3), 3, 2);
  const std::vector<std::uint64_t> weights{3, kPrime - 3, 1};  // Of the holders 0, 1, 2: x = 1, 2, 3.

  Share forged;
  for (std::size_t limb = 0; limb < 5; ++limb) {
    __extension__ using Wide = unsigned __int128;
    const auto element = [&](const Dealt& dealt, std::size_t holder) {
      std::uint64_t value = 0;
      std::memcpy(&value, dealt.shares[holder].data() + 8 * limb, 8);
      return value;
    };
    Wide wished = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      wished += Wide{weights[i]} * element(other, i) % kPrime;
    }
    const Wide known =
        Wide{weights[0]} * element(one, 0) % kPrime + Wide{weights[1]} * element(one, 1) % kPrime;
    const auto third = static_cast<std::uint64_t>((wished + 2 * Wide{kPrime} - known) % kPrime);
    std::memcpy(forged.data() + 8 * limb, &third, 8);
  }

  EXPECT_EQ(ShareCombiner(Holders{0, 1, 2}).combine(std::vector<Share>{one.shares[0], one.shares[1], forged}),
            other.secret);
}

TEST(Shamir, DealsEachTimeAnew) {
  DeterministicSecureRandom random(1);
  const Secret<32> secret = secret_from_hex(std::string(64, '7'));

  const auto first = shamir_split(secret, up_to(3), 2, random);
  const auto second = shamir_split(secret, up_to(3), 2, random);

  EXPECT_FALSE(first[0] == second[0]);
}

TEST(ShareCombiner, ServesManySecretsOfTheSameHolders) {
  const Dealt first(up_to(31), 21, 1);
  const Dealt second(up_to(31), 21, 2);
  const Holders holders(first.holders.begin(), first.holders.begin() + 21);

  const ShareCombiner combiner(holders);

  EXPECT_EQ(combiner.combine(std::span(first.shares).first(21)), first.secret);
  EXPECT_EQ(combiner.combine(std::span(second.shares).first(21)), second.secret);
}

TEST(ShamirDeathTest, RefusesAThresholdOutOfRange) {
  DeterministicSecureRandom random(1);
  const Secret<32> secret;

  EXPECT_DEATH(shamir_split(secret, up_to(3), 0, random), "threshold");
  EXPECT_DEATH(shamir_split(secret, up_to(3), 4, random), "threshold");
  EXPECT_DEATH(shamir_split(secret, {}, 1, random), "threshold");
}

TEST(ShamirDeathTest, RefusesTheWrongNumberOfSharesAndOneHolderTwice) {
  const std::vector<Share> shares(2);

  EXPECT_DEATH(ShareCombiner(Holders{0, 1, 2}).combine(shares), "every share has its holder");
  EXPECT_DEATH(ShareCombiner(Holders{0}).combine(shares), "every share has its holder");
  EXPECT_DEATH(ShareCombiner(Holders{}).combine(std::vector<Share>{}), "at least one holder");
  EXPECT_DEATH(ShareCombiner(Holders{4, 4}).combine(shares), "distinct holders");
}

}  // namespace
}  // namespace hanse
