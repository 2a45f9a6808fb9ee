#include "privacy/packing.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "common/base/seeded_generator.h"

namespace hanse {
namespace {

/// What a row of plaintexts adds up to, by schoolbook addition of bytes: what multiplied ciphertexts decrypt to.
void add(Bytes& total, ByteView summand, std::size_t plaintext_bytes) {
  if (total.empty()) {
    total.assign(summand.begin(), summand.end());
    return;
  }
  unsigned carry = 0;
  for (std::size_t i = 0; i < total.size(); ++i) {
    carry = i % plaintext_bytes == 0 ? 0 : carry;
    carry += std::to_integer<unsigned>(total[i]) + std::to_integer<unsigned>(summand[i]);
    total[i] = static_cast<std::byte>(carry);
    carry >>= 8;
  }
}

struct Case {
  std::uint64_t length;
  std::uint32_t grid_bits;
  std::uint64_t units_max;
  std::uint64_t share_variance;
  std::uint32_t merchants_max;
  std::uint32_t modulus_bits;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.length << " entries, " << one.merchants_max << " merchants of " << one.units_max
       << " units on a grid of " << one.grid_bits << " bits, modulus " << one.modulus_bits;
}

SumParameters parameters_of(const Case& one) {
  return {.length = one.length,
          .grid_bits = one.grid_bits,
          .units_max = one.units_max,
          .share_variance = one.share_variance,
          .merchants_max = one.merchants_max};
}

class PackingBounds : public testing::TestWithParam<Case> {
 protected:
  SumParameters parameters_ = parameters_of(GetParam());
  Packing packing_{parameters_, GetParam().modulus_bits};
  std::int64_t bound_ = static_cast<std::int64_t>(parameters_.merchant_bound());
  std::int64_t data_bound_ = static_cast<std::int64_t>(parameters_.units_max << parameters_.grid_bits);
};

TEST_P(PackingBounds, ASlotHoldsWhatAllMerchantsTogetherCanPutIntoIt) {
  const long double most = 2.0L * static_cast<long double>(bound_) * parameters_.merchants_max;

  EXPECT_LT(most, std::ldexp(1.0L, static_cast<int>(packing_.slot_bits())));
  EXPECT_LT(packing_.slots() * packing_.slot_bits(), GetParam().modulus_bits);
}

TEST_P(PackingBounds, EveryMerchantAtEitherEndLeavesEveryNeighbourAlone) {
  for (const std::size_t extreme : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    std::vector<std::int64_t> entries(parameters_.length);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] = (i + extreme) % 3 == 0 ? data_bound_ : (i + extreme) % 3 == 1 ? -data_bound_ : 0;
    }
    const Bytes one = packing_.pack(entries);
    Bytes total;
    for (std::uint32_t merchant = 0; merchant < parameters_.merchants_max; ++merchant) {
      add(total, one, packing_.plaintext_bytes());
    }

    const auto sum = packing_.unpack(total);

    ASSERT_TRUE(sum) << sum.what();
    EXPECT_EQ(sum->merchants, parameters_.merchants_max);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      ASSERT_EQ(sum->entries[i], entries[i] * static_cast<std::int64_t>(parameters_.merchants_max)) << i;
    }
  }
}

TEST_P(PackingBounds, RandomEntriesOfSomeMerchantsComeBackAsTheirSums) {
  SeededGenerator random({GetParam().length, GetParam().modulus_bits});
  const std::uint32_t merchants = std::max(1u, parameters_.merchants_max / 2);
  std::vector<std::int64_t> expected(parameters_.length);
  Bytes total;
  for (std::uint32_t merchant = 0; merchant < merchants; ++merchant) {
    std::vector<std::int64_t> entries(parameters_.length);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] = static_cast<std::int64_t>(random() % (2 * static_cast<std::uint64_t>(data_bound_) + 1)) -
                   data_bound_;
      expected[i] += entries[i];
    }
    add(total, packing_.pack(entries), packing_.plaintext_bytes());
  }

  const auto sum = packing_.unpack(total);

  ASSERT_TRUE(sum) << sum.what();
  EXPECT_EQ(sum->merchants, merchants);
  EXPECT_EQ(sum->entries, expected);
}

TEST_P(PackingBounds, AnEntryBeyondTheBoundCountsAsTheBound) {
  const std::vector<std::int64_t> high(parameters_.length, INT64_MAX);
  const std::vector<std::int64_t> low(parameters_.length, INT64_MIN);
  const std::vector<std::int64_t> bound(parameters_.length, bound_);

  EXPECT_EQ(packing_.pack(high), packing_.pack(bound));
  EXPECT_NE(packing_.pack(low), packing_.pack(bound));
}

INSTANTIATE_TEST_SUITE_P(Packing, PackingBounds,
                         testing::Values(Case{1, 20, 1, 0, 1, 3072}, Case{6, 20, 1, 0, 3, 512},
                                         Case{500, 20, 1, 1u << 30, 3, 3072},
                                         Case{200, 20, 100000, std::uint64_t{1} << 44, 7, 3072},
                                         Case{130, 8, 1, 1u << 16, 16384, 512},
                                         Case{94, 31, 100000, 0, 4, 4096},
                                         Case{20, 40, 16, 0, 1u << 14, 3072},
                                         Case{9, 20, 1, std::uint64_t{1} << 61, 1u << 14, 3072}));

/// Three merchants of one unit, two slots and a canary in a plaintext.
struct Small {
  SumParameters parameters{.length = 4, .grid_bits = 20, .units_max = 1, .merchants_max = 3};
  Packing packing{parameters, 80};
  Bytes total;
  explicit Small(int merchants = 3) {
    for (int merchant = 0; merchant < merchants; ++merchant) {
      add(total, packing.pack(std::vector<std::int64_t>{1, -2, 3, -4}), packing.plaintext_bytes());
    }
  }
};

TEST(Packing, HasTheLayoutThatItsHeaderTells) {
  const Small small;

  EXPECT_EQ(small.packing.slot_bits(), 23u);  // 3 * 2^21 = 6291456 < 2^23.
  EXPECT_EQ(small.packing.slots(), 3u);
  EXPECT_EQ(small.packing.plaintexts(), 2u);
  EXPECT_EQ(small.total.size(), 20u);
  EXPECT_EQ(small.packing.unpack(small.total)->entries, (std::vector<std::int64_t>{3, -6, 9, -12}));
}

TEST(Packing, RefusesPlaintextsOfAnotherLength) {
  const Small small;
  Bytes longer = small.total;
  longer.resize(small.total.size() + 1);

  EXPECT_FALSE(small.packing.unpack(ByteView(small.total).first(small.total.size() - 1)));
  EXPECT_FALSE(small.packing.unpack(longer));
  EXPECT_FALSE(small.packing.unpack({}));
}

TEST(Packing, RefusesASumOfNobodyAndOneOfTooMany) {
  const Small small;
  const Small four(4);

  EXPECT_FALSE(small.packing.unpack(Bytes(small.total.size())));
  EXPECT_FALSE(small.packing.unpack(four.total));
}

TEST(Packing, RefusesPlaintextsThatCountDifferentMerchants) {
  const Small three;
  const Small two(2);
  Bytes mixed = three.total;
  std::copy(two.total.begin() + 10, two.total.end(), mixed.begin() + 10);

  const auto read = three.packing.unpack(mixed);

  ASSERT_FALSE(read);
  EXPECT_NE(read.what().find("canary"), std::string::npos);
}

TEST(Packing, RefusesASlotThatNoHonestMerchantsCanFill) {
  Small small;

  small.total[5] |= std::byte{0x30};  // The highest bits of slot 1: bits 44 and 45.

  EXPECT_FALSE(small.packing.unpack(small.total));
}

TEST(Packing, RefusesBitsBehindTheLastSlot) {
  Small small;

  small.total.back() |= std::byte{0x80};

  EXPECT_FALSE(small.packing.unpack(small.total));
}

}  // namespace
}  // namespace hanse
