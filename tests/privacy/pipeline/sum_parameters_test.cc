#include "privacy/sum_parameters.h"

#include <cmath>

#include "common/base/failure.h"

namespace hanse {
namespace {

TEST(SumParameters, TakesTheNarrowRingWhereMerchantsAreTheUnits) {
  const SumParameters parameters = choose_parameters({.length = 10,
                                                      .clip_norm = 1,
                                                      .units_max = 1,
                                                      .merchants = 20,
                                                      .shares_min = 14,
                                                      .noise_multiplier = 1});

  EXPECT_EQ(parameters.ring, Ring::bits32);
  EXPECT_EQ(parameters.grid_bits, 20u);
}

TEST(SumParameters, TakesTheWideRingForManyUnits) {
  const SumParameters parameters = choose_parameters({.length = 10,
                                                      .clip_norm = 1,
                                                      .units_max = 1u << 20,
                                                      .merchants = 20,
                                                      .shares_min = 14,
                                                      .noise_multiplier = 1});

  EXPECT_EQ(parameters.ring, Ring::bits64);
}

TEST(SumParameters, SharesOfTheFewestMerchantsCarryTheWishedNoise) {
  for (const double wished : {0.5, 1.0, 25.0, 3000.0}) {
    const SumParameters parameters = choose_parameters(
        {.length = 1, .units_max = 100, .merchants = 9, .shares_min = 7, .noise_multiplier = wished});

    EXPECT_GE(parameters.noise_multiplier(), wished);
    EXPECT_NEAR(parameters.noise_multiplier() / wished, 1, 1e-6);
  }
}

TEST(SumParameters, HeadroomHoldsDataAndNoiseOfAllMerchants) {
  const SumParameters p = choose_parameters(
      {.length = 1, .units_max = 1u << 20, .merchants = 4096, .shares_min = 3, .noise_multiplier = 100});

  const double data = 4096.0 * 0x1p20 * std::pow(2.0, p.grid_bits);
  const double noise = 12 * std::sqrt(4096.0 * static_cast<double>(p.share_variance));
  EXPECT_GE(static_cast<double>(p.sum_bound()), (data + noise) * (1 - 1e-12));
  EXPECT_LT(static_cast<double>(p.sum_bound()), std::pow(2.0, static_cast<int>(p.ring) - 1));
}

TEST(SumParameters, HeadroomHoldsEarlierSumsThatAreInThisOne) {
  SumRequest request{
      .length = 3, .units_max = 1000, .merchants = 20, .shares_min = 14, .noise_multiplier = 3};
  const SumParameters alone = choose_parameters(request);
  request.gain = 560;

  const SumParameters mixed = choose_parameters(request);

  EXPECT_EQ(mixed.gain, 560u);
  EXPECT_GE(mixed.sum_bound(), 560u * 20 * 1000 * mixed.sensitivity());
  EXPECT_GE(mixed.merchant_bound(), 560u * 1000 * mixed.sensitivity());
  EXPECT_EQ(mixed.share_variance, alone.share_variance);
}

/// Numbers of a peer, whose product passes 128 bits.
TEST(SumParameters, HaveNoHeadroomForWhatWrapsEvenInTheProof) {
  SumParameters parameters{
      .length = 1, .grid_bits = 40, .units_max = std::uint64_t{1} << 58, .merchants_max = 1u << 14};
  parameters.gain = 1u << 16;

  EXPECT_FALSE(parameters.has_headroom());
}

/// Without noise the same headroom makes the grid coarser; more than 64 bits is refused, not wrapped.
TEST(SumParameters, GainTakesItsBitsFromTheGrid) {
  SumRequest request{.length = 3, .units_max = std::uint64_t{1} << 20};
  const std::uint32_t fine = choose_parameters(request).grid_bits;
  request.gain = 1024;

  EXPECT_EQ(choose_parameters(request).grid_bits, fine - 10);

  request.gain = 0xFFFFFFFF;
  request.units_max = std::uint64_t{1} << 40;
  EXPECT_THROW(choose_parameters(request), Failure);
}

TEST(SumParameters, GridWithoutNoiseDependsOnNoSplit) {
  const auto grid_for = [](std::uint32_t merchants) {
    return choose_parameters({.length = 1, .units_max = 1u << 20, .merchants = merchants}).grid_bits;
  };

  EXPECT_EQ(grid_for(1), grid_for(10));
  EXPECT_EQ(grid_for(1), grid_for(10000));
}

TEST(SumParameters, WishedNarrowRingMakesTheGridCoarser) {
  const SumParameters parameters = choose_parameters({.length = 1,
                                                      .units_max = 1u << 12,
                                                      .merchants = 20,
                                                      .shares_min = 14,
                                                      .noise_multiplier = 1,
                                                      .ring = SumRequest::RingWish::bits32});

  EXPECT_EQ(parameters.ring, Ring::bits32);
  EXPECT_LT(parameters.grid_bits, 20u);
  EXPECT_LT(parameters.sum_bound(), std::uint64_t{1} << 31);
}

TEST(SumParameters, RefusesAClipNormWhoseGridWouldHaveNoStep) {
  for (const double clip_norm : {1e-310, 1e300, 0.0}) {
    EXPECT_THROW(choose_parameters({.length = 1, .clip_norm = clip_norm}), Failure) << clip_norm;
  }
  EXPECT_GT(choose_parameters({.length = 1, .clip_norm = 1e-100}).step(), 0);
}

TEST(SumParameters, RefusesWhatNoRingHolds) {
  EXPECT_THROW(choose_parameters({.length = 1, .units_max = std::uint64_t{1} << 50, .merchants = 4096}),
               Failure);
  EXPECT_THROW(choose_parameters({.length = 1,
                                  .units_max = std::uint64_t{1} << 30,
                                  .merchants = 20,
                                  .ring = SumRequest::RingWish::bits32}),
               Failure);
}

}  // namespace
}  // namespace hanse
