#include "privacy/secure_sum/masks.h"

#include <algorithm>
#include <cstring>
#include <ostream>

#include "common/base/bytes.h"
#include "privacy/crypto/keystream.h"
#include "privacy/pipeline.h"
#include "privacy/secure_sum/pair_keys.h"
#include "tests/privacy/crypto/from_hex.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

Secret<32> key_of(char digit) {
  return secret_from_hex(std::string(64, digit));
}

template <class T>
class Masks : public testing::Test {};
using Rings = testing::Types<std::uint32_t, std::uint64_t>;
TYPED_TEST_SUITE(Masks, Rings);

/// Nothing, one, odd, a chunk of 8 KiB and around it, several.
constexpr std::size_t kLengths[] = {0, 1, 7, 1023, 1024, 1025, 2047, 2048, 2049, 10001};

TYPED_TEST(Masks, OppositeSignsCancel) {
  for (const std::size_t length : kLengths) {
    std::vector<TypeParam> entries(length, 42);

    add_keystream(key_of('1'), Sign::plus, std::span<TypeParam>(entries));
    const std::vector<TypeParam> masked = entries;
    add_keystream(key_of('1'), Sign::minus, std::span<TypeParam>(entries));

    EXPECT_EQ(entries, std::vector<TypeParam>(length, 42)) << length;
    EXPECT_TRUE(length == 0 || masked != entries) << length;
  }
}

TYPED_TEST(Masks, AreTheLittleEndianWordsOfTheStream) {
  std::vector<TypeParam> entries(5000);
  std::vector<TypeParam> words(5000);
  Keystream(key_of('2')).next(std::as_writable_bytes(std::span(words)));

  add_keystream(key_of('2'), Sign::plus, std::span<TypeParam>(entries));

  EXPECT_EQ(entries, words);
}

TYPED_TEST(Masks, OfARoundEqualEachKeystreamAlone) {
  for (const std::size_t length : kLengths) {
    std::vector<RoundMasks::Mask> masks;
    std::vector<TypeParam> expected(length, 9);
    for (const auto& [digit, sign] : {std::pair{'1', Sign::plus}, {'2', Sign::minus}, {'3', Sign::plus}}) {
      masks.push_back({key_of(digit), sign});
      add_keystream(key_of(digit), sign, std::span<TypeParam>(expected));
    }
    std::vector<TypeParam> entries(length, 9);

    RoundMasks(std::move(masks)).add_to(std::span<TypeParam>(entries));

    EXPECT_EQ(entries, expected) << length;
  }
}

TYPED_TEST(Masks, NoneChangeNothing) {
  std::vector<TypeParam> entries = {1, 2, 3};

  RoundMasks().add_to(std::span<TypeParam>(entries));

  EXPECT_EQ(entries, (std::vector<TypeParam>{1, 2, 3}));
}

// A17. 2^20 bytes in 256 classes: chi-square has 255 degrees of freedom, mean 255, standard deviation 22.6; a
// uniform stream leaves [120, 420] with probability below 1e-9. The key is fixed, so the answer is too.
TYPED_TEST(Masks, OfAZeroVectorLookUniformAndRepeatNoBlock) {
  std::vector<TypeParam> entries((1u << 20) / sizeof(TypeParam));
  add_keystream(key_of('4'), Sign::plus, std::span<TypeParam>(entries));
  const ByteView bytes = std::as_bytes(std::span(entries));

  std::array<double, 256> counts{};
  for (const std::byte byte : bytes) ++counts[std::to_integer<std::size_t>(byte)];
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - 4096) * (count - 4096) / 4096;
  std::vector<std::array<std::byte, 16>> blocks(bytes.size() / 16);
  std::memcpy(blocks.data(), bytes.data(), bytes.size());
  std::ranges::sort(blocks);

  EXPECT_GT(chi_square, 120);
  EXPECT_LT(chi_square, 420);
  EXPECT_EQ(std::ranges::adjacent_find(blocks), blocks.end());
}

/// A federation whose merchants all mask with each other under real pair keys, for one round.
struct MaskedFederation {
  explicit MaskedFederation(std::uint32_t merchants) {
    std::vector<X25519Key> keys;
    for (std::uint32_t i = 0; i < merchants; ++i) keys.push_back(X25519Key::generate(random));
    const Digest session = sha256(bytes_of("session"));
    for (std::uint32_t i = 0; i < merchants; ++i) {
      std::vector<RoundMasks::Mask> own;
      for (std::uint32_t j = 0; j < merchants; ++j) {
        if (j == i) continue;
        PairKeys pair = *PairKeys::derive(keys[i], keys[j].public_key(), session, i, j);
        own.push_back({edge_mask(pair.seed(0), context), i < j ? Sign::plus : Sign::minus});
      }
      Secret<32> b;
      random.fill(b.expose_for_writing());
      self_masks.push_back(self_mask(b, context));
      own.push_back({self_masks.back().duplicate(), Sign::plus});
      masks.emplace_back(std::move(own));
    }
  }
  SealedSum sealed(std::uint32_t merchant, const SumParameters& parameters) {
    Contribution contribution;
    const std::vector<double> values = {0.5, -0.125 * merchant, 0.25};
    contribution.add_block(0, values);
    return prepare([&](const auto& take) { take(contribution); }, parameters,
                   NoiseShare::draw(parameters, random), masks[merchant]);
  }

  DeterministicSecureRandom random{31};
  Digest context = sha256(bytes_of("context"));
  std::vector<Secret<32>> self_masks;
  std::vector<RoundMasks> masks;
};

SumParameters parameters_of(std::uint32_t merchants, Ring ring) {
  return {
      .length = 3, .clip_norm = 2, .grid_bits = 10, .ring = ring, .units_max = 1, .merchants_max = merchants};
}

/// The sum over `included`, with their self masks taken off.
Result<OpenedSum> open_sum(MaskedFederation& federation, const SumParameters& parameters,
                           const std::vector<std::uint32_t>& included) {
  SealedTotal total(parameters);
  for (const std::uint32_t merchant : included) {
    total.add(federation.sealed(merchant, parameters));
    std::visit(
        [&](auto& entries) {
          add_keystream(federation.self_masks[merchant], Sign::minus, std::span(entries));
        },
        total.residues());
  }
  return total.open(parameters, included);
}

std::vector<std::uint32_t> all_of(std::uint32_t merchants) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t i = 0; i < merchants; ++i) ids.push_back(i);
  return ids;
}

TEST(SealedSums, OfAllMerchantsOpenToTheExactSum) {
  for (const Ring ring : {Ring::bits32, Ring::bits64}) {
    for (std::uint32_t merchants = 3; merchants <= 8; ++merchants) {
      MaskedFederation federation(merchants);

      const Result<OpenedSum> sum = open_sum(federation, parameters_of(merchants, ring), all_of(merchants));

      // A step is 2 / 1024: 0.5 is 256 steps, 0.125 is 64, 0.25 is 128.
      const std::int64_t n = merchants;
      ASSERT_TRUE(sum.ok()) << merchants;
      EXPECT_EQ(sum->entries, (std::vector<std::int64_t>{256 * n, -64 * n * (n - 1) / 2, 128 * n}))
          << merchants;
    }
  }
}

TEST(SealedSums, WithoutOneMerchantDoNotOpen) {
  for (std::uint32_t merchants = 3; merchants <= 8; ++merchants) {
    for (std::uint32_t missing = 0; missing < merchants; ++missing) {
      MaskedFederation federation(merchants);
      std::vector<std::uint32_t> included = all_of(merchants);
      std::erase(included, missing);

      EXPECT_FALSE(open_sum(federation, parameters_of(merchants, Ring::bits64), included).ok())
          << missing << " of " << merchants;
    }
  }
}

TEST(SealedSums, HideAMerchantEvenWhenItsOwnMaskIsKnown) {
  MaskedFederation federation(3);

  EXPECT_FALSE(open_sum(federation, parameters_of(3, Ring::bits64), {1}).ok());
}

}  // namespace
}  // namespace hanse
