#include "privacy/accounting/calibrate.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "common/base/failure.h"
#include "privacy/accounting/rdp.h"

namespace hanse {
namespace {

auto plan_of(double q, std::uint64_t steps) {
  return [q, steps](double z) { return std::vector{DpEvent{NoiseLaw::gaussian, z, q, steps}}; };
}

// Smallest multipliers by an independent RDP accountant, to 1e-4 of epsilon; its fractional orders lie
// slightly high.
struct Reference {
  std::string id;
  double epsilon;
  double sampling_rate;
  std::uint64_t steps;
  double multiplier;
};

void PrintTo(const Reference& reference, std::ostream* out) {
  *out << reference.id;
}

class References : public testing::TestWithParam<Reference> {};

TEST_P(References, AreFoundAgain) {
  const Reference& reference = GetParam();

  const double z =
      calibrate_noise_multiplier(plan_of(reference.sampling_rate, reference.steps), reference.epsilon, 1e-6);

  EXPECT_NEAR(z / reference.multiplier, 1, 5e-4);
}

INSTANTIATE_TEST_SUITE_P(
    Calibrate, References,
    testing::Values(Reference{"C01", 1.0, 1.0, 30, 24.8167}, Reference{"C02", 3.0, 1.0, 30, 9.00286},
                    Reference{"C04", 1.0, 1.0, 100, 45.3089}, Reference{"C05", 3.0, 1.0, 100, 16.437},
                    Reference{"C07", 1.0, 0.5, 100, 22.7728}, Reference{"C08", 3.0, 0.5, 100, 8.34528},
                    Reference{"C10", 1.0, 0.1, 200, 6.5867}, Reference{"C11", 3.0, 0.1, 200, 2.55524},
                    Reference{"C13", 1.0, 0.02, 500, 2.23893}, Reference{"C14", 3.0, 0.02, 500, 1.08961},
                    Reference{"C16", 1.0, 0.01, 1000, 1.65961}, Reference{"C17", 3.0, 0.01, 1000, 0.917078}),
    [](const auto& each) { return each.param.id; });

TEST(Calibrate, NeverExceedsTheTargetAndIsTight) {
  int evaluations = 0;
  for (const double target : {0.01, 0.5, 3.0, 50.0}) {
    const auto plan = [&evaluations](double z) {
      ++evaluations;
      return std::vector{DpEvent{NoiseLaw::discrete_gaussian, z, 0.04, 2250}};
    };

    const double z = calibrate_noise_multiplier(plan, target, 1e-5);

    EXPECT_LE(epsilon(plan(z), 1e-5).epsilon, target);
    EXPECT_GT(epsilon(plan(z * (1 - 2e-9)), 1e-5).epsilon, target);
  }
  EXPECT_LE(evaluations, 4 * 50);
}

TEST(Calibrate, GoesRoundThroughEpsilon) {
  const double target = epsilon(std::vector{DpEvent{NoiseLaw::gaussian, 1.5, 1, 30}}, 1e-5).epsilon;

  EXPECT_NEAR(calibrate_noise_multiplier(plan_of(1, 30), target, 1e-5), 1.5, 3e-9);
}

TEST(Calibrate, RefusesAPlanThatNoNoiseSaves) {
  const auto noiseless = [](double) { return std::vector{DpEvent{NoiseLaw::gaussian, 0, 1, 1}}; };

  EXPECT_THROW(calibrate_noise_multiplier(noiseless, 1, 1e-6), Failure);
}

TEST(Calibrate, APlanThatReleasesNothingNeedsNextToNoNoise) {
  const auto nothing = [](double) { return std::vector<DpEvent>{}; };

  EXPECT_LE(calibrate_noise_multiplier(nothing, 1, 1e-6), 1e-3);
}

}  // namespace
}  // namespace hanse
