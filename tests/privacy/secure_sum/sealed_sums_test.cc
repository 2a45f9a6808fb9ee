#include <ostream>

#include "privacy/pipeline.h"
#include "privacy/secure_sum/masks.h"
#include "privacy/secure_sum/pair_keys.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/one_mask.h"

namespace hanse {
namespace {

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
        [&](auto& entries) { add_mask(federation.self_masks[merchant], Sign::minus, std::span(entries)); },
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
