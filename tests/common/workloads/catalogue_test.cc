#include "common/workloads/catalogue.h"

#include "common/base/failure.h"
#include "common/workloads/preparation.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

std::string refusal_of(const Configuration& configuration, const WorkloadFacts& facts) {
  try {
    make_workload(configuration, facts);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    return failure.what();
  }
  return "";
}

/// Two words and the intercept.
FeatureSpace words_space() {
  FeatureSpace space;
  space.width = 3;
  space.names = {"kind=a", "kind=b", "intercept"};
  space.sparse_ranges = {{.begin = 0, .end = 2, .name = "kind"}};
  return space;
}

const WorkloadFacts kRecords{.kind = RowKind::record, .width = 3, .train_rows = 10, .merchants = 2};
const WorkloadFacts kRatings{.kind = RowKind::customer,
                             .width = 3,
                             .train_rows = 10,
                             .merchants = 2,
                             .rating_low = 1,
                             .rating_high = 5};

const WorkloadFacts kNumbers{.kind = RowKind::record,
                             .width = 3,
                             .train_rows = 10,
                             .merchants = 2,
                             .label = LabelKind::number,
                             .label_low = 0,
                             .label_high = 9,
                             .label_declared = true};

WorkloadFacts facts_of_classes() {
  WorkloadFacts facts = kRecords;
  facts.label = LabelKind::one_of_many;
  facts.space = test::class_space();
  return facts;
}
const WorkloadFacts kClasses = facts_of_classes();

TEST(Catalogue, MakesEveryWorkloadItNames) {
  for (const std::string& name : workload_names()) {
    Configuration configuration;
    configuration.workload.name = name;
    configuration.data.customer = "who";
    const bool ratings = name.ends_with("matrix-factorization") || name == "item-similarity";
    WorkloadFacts facts = ratings             ? kRatings
                          : name == "linear"  ? kNumbers
                          : name == "softmax" ? kClasses
                                              : kRecords;
    facts.space = facts.label == LabelKind::one_of_many ? test::class_space() : words_space();
    if (name == "trend") {
      facts.space = test::week_space();
      facts.label = LabelKind::none;
    }

    const auto workload = make_workload(configuration, facts);

    EXPECT_EQ(workload->name(), name);
  }
}

TEST(Catalogue, RefusesAnUnknownNameWithTheListOfNames) {
  Configuration configuration;
  configuration.workload.name = "forest";

  std::string names;
  for (const std::string& name : workload_names()) {
    names += (names.empty() ? "" : ", ") + name;
  }
  EXPECT_EQ(refusal_of(configuration, kRecords),
            "workload.name: expected one of " + names + "; got 'forest'");
}

TEST(Catalogue, RefusesAWorkloadThatDoesNotFitTheDataOrTheUnit) {
  Configuration logistic;
  Configuration factorization;
  factorization.workload.name = "matrix-factorization";
  factorization.privacy.unit = Unit::record;

  EXPECT_NE(refusal_of(logistic, kRatings).find("data.format"), std::string::npos);
  EXPECT_NE(refusal_of(factorization, kRecords).find("data.format=ratings"), std::string::npos);
  EXPECT_NE(refusal_of(factorization, kRatings).find("privacy.unit=record is not possible"),
            std::string::npos);
}

TEST(Catalogue, RefusesALabelOfAnotherKindThanTheWorkloadPredicts) {
  Configuration logistic;
  Configuration linear;
  linear.workload.name = "linear";

  EXPECT_NE(refusal_of(logistic, kNumbers).find("does not predict numbers; linear does"), std::string::npos);
  EXPECT_NE(refusal_of(linear, kRecords).find("does not tell 0 from 1; logistic does"), std::string::npos);
  Configuration softmax;
  softmax.workload.name = "softmax";
  EXPECT_NE(refusal_of(softmax, kRecords).find("does not tell 0 from 1; logistic does"), std::string::npos);
  EXPECT_NE(refusal_of(logistic, kClasses).find("does not tell many classes apart; softmax does"),
            std::string::npos);
  EXPECT_NE(refusal_of(linear, kRatings).find("data.format"), std::string::npos);
}

TEST(Catalogue, LinearHasOneRoundAndRefusesWhatNeedsMore) {
  Configuration turns;
  turns.workload.name = "linear";
  turns.privacy.turns = 2;
  Configuration wide;
  wide.workload.name = "linear";
  WorkloadFacts many = kNumbers;
  many.width = 5000;

  EXPECT_NE(refusal_of(turns, kNumbers).find("privacy.turns"), std::string::npos);
  EXPECT_NE(refusal_of(wide, many).find("5000 columns are too many"), std::string::npos);
}

TEST(Catalogue, RefusesARingOf32BitsForExactSumsOfNumbers) {
  for (const char* name : {"linear", "factorization-machine"}) {
    Configuration configuration;
    configuration.workload.name = name;
    configuration.aggregation.ring = "32";
    configuration.privacy.unit = Unit::none;

    EXPECT_EQ(refusal_of(configuration, kNumbers),
              "aggregation.ring=32 has too few digits for a label that is a number without a unit of "
              "privacy: leave it at auto");

    configuration.privacy.unit = Unit::record;
    EXPECT_EQ(refusal_of(configuration, kNumbers), "");
  }
}

TEST(Catalogue, RefusesTurnsWhereAPassOverTheItemsTakesSeveralSums) {
  Configuration configuration;
  configuration.privacy.turns = 2;
  configuration.workload.solver = "als";
  configuration.workload.rank = 2;
  for (const char* name : {"matrix-factorization", "implicit-matrix-factorization"}) {
    SCOPED_TRACE(name);
    configuration.workload.name = name;
    configuration.workload.other["entries_per_sum"] = "1000";
    EXPECT_EQ(refusal_of(configuration, kRatings), "");

    configuration.workload.other["entries_per_sum"] = "9";  // The equations of one of the three items.
    EXPECT_NE(refusal_of(configuration, kRatings).find("3 sums: raise workload.entries_per_sum"),
              std::string::npos)
        << refusal_of(configuration, kRatings);
  }
}

TEST(Catalogue, RefusesOptionsThatContradictEachOther) {
  Configuration solver;
  solver.workload.solver = "als";
  Configuration weights;
  weights.workload.solver = "local";
  weights.privacy.unit = Unit::merchant;
  weights.workload.other["weights"] = "rows";
  Configuration number;
  number.workload.name = "matrix-factorization";
  number.workload.other["init"] = "many";

  EXPECT_NE(refusal_of(solver, kRecords).find("workload.solver"), std::string::npos);
  EXPECT_NE(refusal_of(weights, kRecords).find("workload.weights"), std::string::npos);
  EXPECT_NE(refusal_of(number, kRatings).find("workload.init"), std::string::npos);
}

TEST(Catalogue, PlansTheSumsOfARunWithoutData) {
  Configuration configuration;
  configuration.workload.name = "matrix-factorization";
  const auto factorization = make_workload(configuration, kRatings);
  const Preparation preparation =
      make_preparation(configuration, test::record_space(), RowKind::record, 3, 0);

  const std::vector<PrivateSum> training = planned_sums(*factorization, 1, 3);
  const std::vector<PrivateSum> before = planned_sums(preparation, 1, 3);

  ASSERT_EQ(training.size(), 4u);
  EXPECT_EQ(training[0].purpose, Purpose::statistics);
  EXPECT_EQ(training[3].purpose, Purpose::update);
  ASSERT_EQ(before.size(), 3u);
  EXPECT_EQ(before[0].name, "magnitudes");
  EXPECT_EQ(before[1].name, "vocabulary");
  EXPECT_EQ(before[2].name, "moments");
}

}  // namespace
}  // namespace hanse
