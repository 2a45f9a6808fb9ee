#include "coordinator/preflight.h"

#include "common/base/failure.h"

namespace hanse {
namespace {

Configuration good() {
  Configuration configuration;
  configuration.data.label = "bought";
  configuration.data.numeric = {"visits[0..4]"};
  configuration.privacy.unit = Unit::record;
  configuration.privacy.epsilon = 1;
  configuration.privacy.delta = 1e-5;
  return configuration;
}

/// The sentence by which check_run refuses, or nothing.
std::string refusal_of(const Configuration& configuration) {
  try {
    check_run(configuration);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    return failure.what();
  }
  return "";
}

TEST(Preflight, LetsARunBeginThatCan) {
  Configuration none = good();
  none.privacy = {};
  none.privacy.unit = Unit::none;

  EXPECT_EQ(refusal_of(good()), "");
  EXPECT_EQ(refusal_of(none), "");
}

TEST(Preflight, RefusesAUnitOfPrivacyWithoutABudget) {
  Configuration configuration = good();
  configuration.privacy.epsilon = 0;

  EXPECT_TRUE(refusal_of(configuration).starts_with("privacy.unit=record needs privacy.epsilon"));
}

TEST(Preflight, RefusesABudgetThatNoNoiseKeeps) {
  Configuration configuration = good();
  configuration.privacy.epsilon = 1e-9;
  configuration.federation.rounds = 50'000;

  EXPECT_NE(refusal_of(configuration), "");
}

TEST(Preflight, RefusesWhatTheWorkloadRefuses) {
  Configuration unknown = good();
  unknown.workload.name = "logstic";
  Configuration finer = good();
  finer.workload.name = "matrix-factorization";
  finer.data.format = "ratings";
  finer.data.item = "item[1..9]";

  EXPECT_TRUE(refusal_of(unknown).starts_with("workload.name: expected one of logistic"));
  EXPECT_TRUE(refusal_of(finer).starts_with("privacy.unit=record is not possible"));
}

}  // namespace
}  // namespace hanse
