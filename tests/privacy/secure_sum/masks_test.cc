#include "privacy/secure_sum/masks.h"

#include <algorithm>
#include <cstring>

#include "privacy/crypto/digest.h"
#include "privacy/crypto/hkdf.h"
#include "privacy/crypto/keystream.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/known_answers.h"
#include "tests/support/one_mask.h"

namespace hanse {
namespace {

const KnownAnswers& answers() {
  static const KnownAnswers read(HANSE_SOURCE_DIR "/tests/privacy/secure_sum/vectors/vectors.txt");
  return read;
}

/// Lengths around the chunks of 8 KiB: none, one, odd, whole chunks and a little more.
const std::vector<std::size_t> kLengths{0, 1, 2, 3, 1023, 1024, 1025, 2047, 2048, 2049, 4096, 5003, 10'001};

Secret<32> mask_key(std::uint32_t number) {
  return hmac_sha256(bytes_of("mask"), std::as_bytes(std::span(&number, 1)));
}

template <class T>
class Masks : public testing::Test {
 public:
  static std::vector<T> counting(std::size_t length) {
    std::vector<T> entries(length);
    for (std::size_t i = 0; i < length; ++i) {
      entries[i] = static_cast<T>(i * 0x9E3779B97F4A7C15u);
    }
    return entries;
  }
};
using RingElements = testing::Types<std::uint32_t, std::uint64_t>;
TYPED_TEST_SUITE(Masks, RingElements);

TYPED_TEST(Masks, AreTheKeystreamInLittleEndian) {
  std::vector<TypeParam> entries(5003);

  add_mask(answers().secret("mask.key_and_iv"), Sign::plus, std::span(entries));

  const ByteView bytes = std::as_bytes(std::span(entries));
  EXPECT_EQ(hex(bytes.first(64)), answers().text("mask.first_64_bytes"));
  EXPECT_EQ(hex(sha256(bytes)),
            answers().text(sizeof(TypeParam) == 4 ? "mask.sha256_of_5003_u32" : "mask.sha256_of_5003_u64"));
}

/// What the definition says, by OpenSSL.
template <class T>
std::vector<T> with_stream(const Secret<32>& key_and_iv, Sign sign, std::vector<T> entries) {
  std::vector<T> stream(entries.size());
  Keystream(key_and_iv).next(std::as_writable_bytes(std::span(stream)));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] += sign == Sign::plus ? stream[i] : T{} - stream[i];
  }
  return entries;
}

/// Every kernel that this processor can run.
std::vector<MaskKernel> kernels() {
  return fastest_mask_kernel() == MaskKernel::fused ? std::vector{MaskKernel::portable, MaskKernel::fused}
                                                    : std::vector{MaskKernel::portable};
}

TYPED_TEST(Masks, AreTheSameFromEveryKernelAtEveryLength) {
  for (const MaskKernel kernel : kernels()) {
    for (std::size_t length = 0; length < 200; ++length) {
      for (const Sign sign : {Sign::plus, Sign::minus}) {
        auto entries = TestFixture::counting(length);
        add_mask(mask_key(7), sign, std::span(entries), kernel);
        EXPECT_EQ(entries, with_stream(mask_key(7), sign, TestFixture::counting(length))) << length;
      }
    }
    for (const std::size_t length : kLengths) {
      auto entries = TestFixture::counting(length);
      add_mask(mask_key(8), Sign::minus, std::span(entries), kernel);
      EXPECT_EQ(entries, with_stream(mask_key(8), Sign::minus, TestFixture::counting(length))) << length;
    }
  }
}

// The counter is one number of 128 bits: its lower half wraps somewhere in the first batches, and the whole does.
TYPED_TEST(Masks, CarryFromOneHalfOfTheCounterToTheOther) {
  for (const MaskKernel kernel : kernels()) {
    for (const std::byte high : {std::byte{0}, std::byte{0x5a}, std::byte{0xff}}) {
      for (std::uint8_t before = 1; before < 70; ++before) {
        Secret<32> key = mask_key(9);
        const auto counter = key.expose_for_writing().last(16);
        std::ranges::fill(counter.first(8), high);
        std::ranges::fill(counter.last(8), std::byte{0xff});
        counter.back() = static_cast<std::byte>(256 - before);
        auto entries = TestFixture::counting(1200);
        add_mask(key, Sign::plus, std::span(entries), kernel);
        ASSERT_EQ(entries, with_stream(key, Sign::plus, TestFixture::counting(1200)))
            << "block " << int{before} << " is the first after the wrap";
      }
    }
  }
}

TEST(Mask, IsTheNegativeStreamWhenSubtracted) {
  std::vector<std::uint32_t> entries(4);

  add_mask(answers().secret("mask.key_and_iv"), Sign::minus, std::span(entries));

  EXPECT_EQ(hex(std::as_bytes(std::span(entries))), answers().text("mask.minus_first_16_bytes_u32"));
}

TYPED_TEST(Masks, OfOppositeSignsCancelAtEveryLength) {
  for (const std::size_t length : kLengths) {
    const auto entries = TestFixture::counting(length);
    auto masked = entries;

    add_mask(mask_key(1), Sign::plus, std::span(masked));
    if (length > 0) {
      EXPECT_NE(masked, entries);
    }
    add_mask(mask_key(1), Sign::minus, std::span(masked));

    EXPECT_EQ(masked, entries) << length;
  }
}

TYPED_TEST(Masks, OfALongVectorBeginWithThoseOfAShortOne) {
  std::vector<TypeParam> whole(10'001);
  add_mask(mask_key(1), Sign::plus, std::span(whole));

  for (const std::size_t length : kLengths) {
    std::vector<TypeParam> entries(length);
    add_mask(mask_key(1), Sign::plus, std::span(entries));

    EXPECT_TRUE(std::equal(entries.begin(), entries.end(), whole.begin())) << length;
  }
}

TYPED_TEST(Masks, OfARoundAreTheSumOfItsMasks) {
  for (const std::size_t length : kLengths) {
    auto expected = TestFixture::counting(length);
    auto entries = expected;
    add_mask(mask_key(1), Sign::plus, std::span(expected));
    add_mask(mask_key(2), Sign::minus, std::span(expected));
    add_mask(mask_key(3), Sign::plus, std::span(expected));

    std::vector<RoundMasks::Mask> masks;
    masks.push_back({mask_key(1), Sign::plus});
    masks.push_back({mask_key(2), Sign::minus});
    masks.push_back({mask_key(3), Sign::plus});
    const RoundMasks round(std::move(masks));
    round.add_to(std::span(entries));

    EXPECT_EQ(entries, expected) << length;
  }
}

TYPED_TEST(Masks, AreTheSameEachTimeTheyAreAdded) {
  std::vector<RoundMasks::Mask> masks;
  masks.push_back({mask_key(1), Sign::plus});
  const RoundMasks round(std::move(masks));
  std::vector<TypeParam> first(3000);
  std::vector<TypeParam> second(3000);

  round.add_to(std::span(first));
  round.add_to(std::span(second));

  EXPECT_EQ(first, second);
}

TYPED_TEST(Masks, OfNobodyChangeNothing) {
  auto entries = TestFixture::counting(100);

  RoundMasks().add_to(std::span(entries));

  EXPECT_EQ(entries, TestFixture::counting(100));
}

TYPED_TEST(Masks, OfAllPairsVanishInTheSumOfAllMerchants) {
  constexpr std::uint32_t merchants = 7;
  constexpr std::size_t length = 2500;
  std::vector<TypeParam> expected(length);
  std::vector<TypeParam> total(length);

  for (std::uint32_t own = 0; own < merchants; ++own) {
    std::vector<RoundMasks::Mask> masks;
    for (std::uint32_t other = 0; other < merchants; ++other) {
      if (other != own) {
        const std::uint32_t pair = std::min(own, other) * merchants + std::max(own, other);
        masks.push_back({mask_key(pair), own < other ? Sign::plus : Sign::minus});
      }
    }
    std::vector<TypeParam> entries(length, static_cast<TypeParam>(own + 1));
    RoundMasks(std::move(masks)).add_to(std::span(entries));
    for (std::size_t i = 0; i < length; ++i) {
      expected[i] += static_cast<TypeParam>(own + 1);
      total[i] += entries[i];
    }
  }

  EXPECT_EQ(total, expected);
}

TYPED_TEST(Masks, OfOtherKeysOrCountersShareNoBlock) {
  std::vector<TypeParam> entries(1024);
  std::vector<TypeParam> other(1024);

  add_mask(mask_key(1), Sign::plus, std::span(entries));
  add_mask(mask_key(2), Sign::plus, std::span(other));

  std::size_t equal = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    equal += entries[i] == other[i] ? 1u : 0u;
  }
  EXPECT_EQ(equal, 0u);
}

// Chi-square of 256 byte values over 4 MiB has mean 255 and standard deviation 22.6; below 130 or above 400
// it is with a probability under 10^-7. The keys are fixed, hence so is the answer.
TYPED_TEST(Masks, MakeAVectorOfZerosLookUniform) {
  std::vector<TypeParam> entries((std::size_t{1} << 22) / sizeof(TypeParam));
  std::vector<RoundMasks::Mask> masks;
  for (std::uint32_t i = 0; i < 5; ++i) {
    masks.push_back({mask_key(i), i % 2 == 0 ? Sign::plus : Sign::minus});
  }

  RoundMasks(std::move(masks)).add_to(std::span(entries));

  std::array<double, 256> count{};
  for (const std::byte byte : std::as_bytes(std::span(entries))) {
    count[std::to_integer<std::size_t>(byte)] += 1;
  }
  const double expected = static_cast<double>(entries.size() * sizeof(TypeParam)) / 256;
  double chi_square = 0;
  for (const double observed : count) {
    chi_square += (observed - expected) * (observed - expected) / expected;
  }
  EXPECT_GT(chi_square, 130);
  EXPECT_LT(chi_square, 400);
}

// Of 2^18 blocks of 16 bytes two are equal with probability 2^-93.
TEST(Mask, RepeatsNoBlock) {
  std::vector<std::uint64_t> entries(std::size_t{1} << 19);
  add_mask(mask_key(1), Sign::plus, std::span(entries));

  std::vector<std::array<std::uint64_t, 2>> blocks(entries.size() / 2);
  std::memcpy(blocks.data(), entries.data(), entries.size() * sizeof(std::uint64_t));
  std::ranges::sort(blocks);

  EXPECT_EQ(std::ranges::adjacent_find(blocks), blocks.end());
}

}  // namespace
}  // namespace hanse
