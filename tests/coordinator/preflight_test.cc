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

TEST(Preflight, RefusesAGraphBelowWhatTheAssumptionsNeed) {
  Configuration few = good();
  few.data.partition = "iid:1000";
  few.aggregation.neighbours = 20;
  Configuration low = good();
  low.data.partition = "dirichlet:10,0.5";
  low.aggregation.threshold = 5;

  EXPECT_TRUE(refusal_of(few).starts_with("aggregation.neighbours=20 is too few for 1000 merchants"));
  EXPECT_NE(refusal_of(few).find("aggregation.neighbours=64 with aggregation.threshold=48"),
            std::string::npos);
  EXPECT_TRUE(refusal_of(low).starts_with("aggregation.threshold=5 is not safe"));
}

TEST(Preflight, RefusesAssumptionsThatLeaveNoThresholdWhoeverTheMerchantsAre) {
  Configuration hopeless = good();
  hopeless.aggregation.corrupt = 0.6;
  hopeless.aggregation.dropouts = 0.2;
  Configuration open = hopeless;
  open.aggregation.encryption = "none";

  EXPECT_TRUE(refusal_of(hopeless).starts_with("aggregation.corrupt=0.6 and aggregation.dropouts=0.2"));
  EXPECT_EQ(refusal_of(open), "");
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
