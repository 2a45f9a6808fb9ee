#include "privacy/secure_sum/shamir.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <ostream>

#include "tests/privacy/crypto/from_hex.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

using Holders = std::vector<std::uint32_t>;

std::vector<Share> split(const Secret<32>& secret, const Holders& holders, std::uint32_t threshold,
                         std::uint64_t seed = 1) {
  DeterministicSecureRandom random(seed);
  std::vector<Share> shares;
  for (const Secret<40>& share : shamir_split(secret, holders, threshold, random)) {
    Share bytes{};
    std::ranges::copy(share.expose(), bytes.begin());
    shares.push_back(bytes);
  }
  return shares;
}

Secret<32> random_secret(std::uint64_t seed) {
  DeterministicSecureRandom random(seed);
  Secret<32> secret;
  random.fill(secret.expose_for_writing());
  return secret;
}

/// Combines the shares whose places are set in `places`.
Secret<32> combine(const Holders& holders, const std::vector<Share>& shares, std::uint32_t places) {
  Holders some;
  std::vector<Share> their;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    if ((places >> i & 1) != 0) {
      some.push_back(holders[i]);
      their.push_back(shares[i]);
    }
  }
  return shamir_combine(some, their);
}

// Every threshold of up to seven holders, every subset: threshold and more open, fewer do not.
TEST(Shamir, AnyThresholdOfSharesOpensAndFewerDoNot) {
  const Holders all = {0, 5, 2, 16383, 7, 1, 100};
  for (std::uint32_t n = 1; n <= 7; ++n) {
    const Holders holders(all.begin(), all.begin() + n);
    for (std::uint32_t threshold = 1; threshold <= n; ++threshold) {
      const Secret<32> secret = random_secret(10 * n + threshold);
      const std::vector<Share> shares = split(secret, holders, threshold);
      for (std::uint32_t places = 1; places < 1u << n; ++places) {
        const bool enough = static_cast<std::uint32_t>(std::popcount(places)) >= threshold;

        EXPECT_EQ(combine(holders, shares, places) == secret, enough)
            << threshold << " of " << n << ", subset " << places;
      }
    }
  }
}

TEST(Shamir, CarriesEveryBytePattern) {
  for (const char digit : {'0', 'f', '8', '1'}) {
    const Secret<32> secret = secret_from_hex(std::string(64, digit));

    EXPECT_EQ(combine({4, 8, 9}, split(secret, {4, 8, 9}, 2), 0b101), secret) << digit;
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Secret<32> secret;
    secret.expose_for_writing()[bit / 8] = static_cast<std::byte>(1u << bit % 8);

    EXPECT_EQ(combine({0, 1}, split(secret, {0, 1}, 2), 0b11), secret) << "bit " << bit;
  }
}

TEST(Shamir, OrderOfHoldersDoesNotMatter) {
  const Secret<32> secret = random_secret(3);
  const std::vector<Share> shares = split(secret, {1, 2, 3}, 3);

  EXPECT_EQ(shamir_combine(Holders{3, 1, 2}, std::vector<Share>{shares[2], shares[0], shares[1]}), secret);
}

// Perfect secrecy: to threshold - 1 shares there is, for every other secret, exactly one last share that
// opens to it. By linearity: shares of the difference of two secrets that vanish at the known holder.
TEST(Shamir, FewerSharesFitEverySecretEquallyWell) {
  const Holders holders = {0, 1};
  const std::vector<Share> shares = split(random_secret(4), holders, 2);
  for (const std::uint64_t first_limb : {0ull, 1ull, 77ull, (1ull << 52) - 1}) {
    // The line through (1, known share) and (0, first_limb), at x = 2: 2 y - first_limb modulo p.
    constexpr std::uint64_t prime = (1ull << 61) - 1;
    std::uint64_t y = 0;
    std::memcpy(&y, shares[0].data(), 8);
    const std::uint64_t last = (2 * y % prime + prime - first_limb) % prime;
    Share forged = shares[1];
    std::memcpy(forged.data(), &last, 8);

    const Secret<32> opened = shamir_combine(holders, std::vector<Share>{shares[0], forged});

    std::uint64_t limb = 0;
    std::memcpy(&limb, opened.expose().data(), 8);
    EXPECT_EQ(limb & ((1ull << 52) - 1), first_limb);
  }
}

TEST(Shamir, FewerSharesDifferWithTheCoins) {
  const Secret<32> secret = random_secret(5);

  EXPECT_NE(split(secret, {0, 1, 2}, 2, 1), split(secret, {0, 1, 2}, 2, 2));
}

TEST(Shamir, ShareBytesOutOfRangeGiveAWrongSecretAndNothingWorse) {
  const Secret<32> secret = random_secret(6);
  std::vector<Share> shares = split(secret, {0, 1, 2}, 3);
  shares[1].fill(std::byte{0xFF});

  EXPECT_FALSE(shamir_combine(Holders{0, 1, 2}, shares) == secret);
}

// y and y + p are the same element.
TEST(Shamir, ReadsShareBytesModuloThePrime) {
  const Secret<32> secret = random_secret(7);
  std::vector<Share> shares = split(secret, {0, 1}, 2);
  for (std::size_t limb = 0; limb < 5; ++limb) {
    std::uint64_t value = 0;
    std::memcpy(&value, shares[0].data() + 8 * limb, 8);
    value += 3 * ((1ull << 61) - 1);
    std::memcpy(shares[0].data() + 8 * limb, &value, 8);
  }

  EXPECT_EQ(shamir_combine(Holders{0, 1}, shares), secret);
}

TEST(ShamirDeathTest, RefusesThresholdsOutOfRangeAndRepeatedHolders) {
  const Secret<32> secret = random_secret(8);

  EXPECT_DEATH(split(secret, {0, 1}, 0), "threshold");
  EXPECT_DEATH(split(secret, {0, 1}, 3), "threshold");
  EXPECT_DEATH(split(secret, {}, 1), "threshold");
  EXPECT_DEATH((void)shamir_combine(Holders{1, 1}, std::vector<Share>(2)), "distinct");
  EXPECT_DEATH((void)shamir_combine(Holders{1, 2}, std::vector<Share>(1)), "holder");
}

}  // namespace
}  // namespace hanse
