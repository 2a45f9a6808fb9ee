// The laws of Workload, for every workload of the catalogue in each of its ways, and for the preparation.

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <ostream>

#include "common/config/configuration.h"
#include "common/data/encoding.h"
#include "common/workloads/catalogue.h"
#include "common/workloads/preparation.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::deal_people;
using test::Person;

constexpr std::uint32_t kItems = 6;

struct Case {
  std::string name;
  RowKind kind = RowKind::record;
  Unit privacy = Unit::none;
  bool preparation = false;
  bool same_for_any_split = true;  ///< Not where a merchant is the unit.
  bool never_clips = true;
  std::string workload = "logistic";
  std::string solver = "gradient";
  std::string optimizer = "sgd";
  double learning_rate = 1;
  std::map<std::string, std::string> other = {};
  bool one_round = false;
  bool numbers = false;                       ///< Labels are numbers; of linear they always are.
  FeatureSpace (*space)() = nullptr;          ///< Of records that are not of test::record_space().
  std::vector<Person> (*people)() = nullptr;  ///< And the people that go with it.
  bool tells_loss = true;
  bool few_rounds = false;  ///< It is finished before it has many losses.
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

/// Columns with public ranges: visits are when, spent is how much.
FeatureSpace ranged_space() {
  FeatureSpace space = test::record_space();
  space.range_low = {0, 0};
  space.range_high = {3, 4};
  return space;
}

std::vector<Person> plain_people() {
  return test::record_people(30, false);
}

/// Whole customers are for testing.
std::vector<Person> held_out_people() {
  std::vector<Person> people = plain_people();
  for (std::size_t i = 0; i < people.size(); ++i) {
    Person& person = people[i];
    (i % 5 == 0 ? person.train : person.test).clear();
  }
  return people;
}

const std::map<std::string, std::string> kSegmentsOfCustomers = {
    {"segments", "3"}, {"features", "rfm"}, {"recency", "visits"}, {"monetary", "spent"}};

FeatureSpace space_of(const Case& c) {
  if (c.space != nullptr) {
    return c.space();
  }
  FeatureSpace space = c.kind == RowKind::record ? test::record_space() : test::rating_space(kItems);
  if (c.workload == "linear" || c.numbers) {
    space.label = LabelKind::number;
    space.label_low = c.privacy == Unit::none ? std::nan("") : -0.5;
    space.label_high = c.privacy == Unit::none ? std::nan("") : 1.5;
  }
  return space;
}

std::vector<Person> people_of_classes() {
  return test::class_people(30);
}

std::vector<Person> people_of(const Case& c) {
  if (c.people != nullptr) {
    return c.people();
  }
  return c.kind == RowKind::record ? test::record_people(30, c.preparation) : test::rating_people(30, kItems);
}

std::unique_ptr<Workload> workload_of(const Case& c, std::uint32_t merchants) {
  Configuration configuration;
  configuration.privacy.unit = c.privacy;
  configuration.data.customer = "who";
  configuration.data.standardise = c.space == nullptr;
  configuration.data.label = "buys";
  configuration.workload.name = c.workload;
  configuration.workload.solver = c.solver;
  configuration.workload.rank = 3;
  configuration.workload.l2 = 0.05;
  configuration.workload.batch = 4;
  configuration.workload.local_epochs = 2;
  configuration.workload.other = c.other;
  configuration.server.optimizer = c.optimizer;
  configuration.server.learning_rate = c.learning_rate;
  if (c.preparation) {
    return std::make_unique<Preparation>(make_preparation(configuration, space_of(c), c.kind, merchants, 0));
  }
  const FeatureSpace space = space_of(c);
  WorkloadFacts facts = facts_of(space, c.kind, identity_encoding(space), merchants);
  facts.label_low = -0.5;
  facts.label_high = 1.5;
  facts.train_rows = 60;
  return make_workload(configuration, facts);
}

double norm_of(const Contribution& contribution) {
  double square =
      contribution.scale() * contribution.row_norm() * contribution.scale() * contribution.row_norm();
  for (const double value : contribution.values()) {
    square += value * value;
  }
  return std::sqrt(square);
}

/// The sum over all merchants, clipped and on a grid of 2^-28 of the clip norm: exact integers.
std::vector<std::int64_t> integer_sum(const Workload& workload, const Model& model, const PrivateSum& sum,
                                      Unit privacy, const Dataset& data) {
  const Unit unit = summed_unit(workload, sum, privacy);
  const double steps = std::ldexp(1.0, 28) / sum.clip_norm;
  const Contributor contribute = workload.contributor(model, sum);
  std::vector<std::int64_t> entries(sum.length, 0);
  Contribution contribution;
  for (const MerchantRows& merchant : data.merchants) {
    for_each_unit(data, merchant, unit, sum.population, [&](const UnitRows& rows) {
      contribution.clear();
      contribute(rows, contribution);
      const double factor = std::min(1.0, sum.clip_norm / norm_of(contribution));
      for_each_entry(contribution, [&](std::size_t index, double value) {
        entries.at(index) += static_cast<std::int64_t>(factor * value * steps);
      });
    });
  }
  return entries;
}

std::vector<double> values_of(const std::vector<std::int64_t>& entries, const PrivateSum& sum) {
  std::vector<double> values;
  for (const std::int64_t entry : entries) {
    values.push_back(static_cast<double>(entry) * std::ldexp(sum.clip_norm, -28));
  }
  return values;
}

/// Calls `visit` with each of the first sums of a run and of its evaluation, moving the model by the exact
/// totals.
void walk(const Workload& workload, Unit privacy, const Dataset& data, int updates,
          const std::function<void(const Model&, const PrivateSum&)>& visit) {
  Model model = workload.initial_model(1);
  for (int done = 0; done < updates; ++done) {
    const std::optional<PrivateSum> sum = workload.next_sum(model);
    if (!sum) {
      break;
    }
    visit(model, *sum);
    workload.apply(model, *sum, values_of(integer_sum(workload, model, *sum, privacy, data), *sum));
  }
  if (const std::optional<PrivateSum> evaluation = workload.evaluation_sum(model)) {
    visit(model, *evaluation);
  }
}

class WorkloadContract : public testing::TestWithParam<Case> {
 protected:
  Dataset data(std::uint32_t merchants) const {
    return deal_people(people_of(GetParam()), merchants, GetParam().kind, space_of(GetParam()));
  }
  std::unique_ptr<Workload> workload(std::uint32_t merchants = 3) const {
    return workload_of(GetParam(), merchants);
  }
  Unit privacy() const { return GetParam().privacy; }
};

TEST_P(WorkloadContract, TheFirstModelIsAFunctionOfTheSeed) {
  const auto first = workload();
  const auto second = workload();

  EXPECT_EQ(first->initial_model(3).parameters, second->initial_model(3).parameters);
  EXPECT_EQ(first->initial_model(3).step, 0u);
}

TEST_P(WorkloadContract, AContributionDependsOnItsModelSumAndRowsAlone) {
  const auto workload = this->workload();
  const Dataset data = this->data(3);

  walk(*workload, privacy(), data, 4, [&](const Model& model, const PrivateSum& sum) {
    const Contributor used = workload->contributor(model, sum);
    integer_sum(*workload, model, sum, privacy(), data);
    for (const MerchantRows& merchant : data.merchants) {
      for_each_unit(data, merchant, summed_unit(*workload, sum, privacy()), sum.population,
                    [&](const UnitRows& rows) {
                      Contribution first;
                      Contribution second;
                      used(rows, first);
                      workload->contributor(model, sum)(rows, second);

                      EXPECT_EQ(first.scale(), second.scale());
                      EXPECT_TRUE(std::equal(first.values().begin(), first.values().end(),
                                             second.values().begin(), second.values().end()));
                      EXPECT_EQ(first.extent(), second.extent());
                    });
    }
  });
}

TEST_P(WorkloadContract, TheSumIsTheSameHoweverUnitsAreDealtToMerchants) {
  const auto workload = this->workload();
  const Dataset one = data(GetParam().same_for_any_split ? 1 : 5);
  std::vector<Dataset> others;
  if (GetParam().same_for_any_split) {
    for (const std::uint32_t merchants : {2u, 5u, 31u}) {  // One of 31 merchants has nobody.
      others.push_back(data(merchants));
    }
  } else {  // The merchant is the unit: only the order in which workers come may change.
    others.push_back(one);
    std::reverse(others[0].merchants.begin(), others[0].merchants.end());
  }

  walk(*workload, privacy(), one, 4, [&](const Model& model, const PrivateSum& sum) {
    if (sum.without_privacy == Unit::merchant && GetParam().same_for_any_split) {
      return;  // How many merchants have something is a matter of the split.
    }
    const std::vector<std::int64_t> expected = integer_sum(*workload, model, sum, privacy(), one);
    for (const Dataset& other : others) {
      EXPECT_EQ(integer_sum(*workload, model, sum, privacy(), other), expected) << sum.name;
    }
  });
}

TEST_P(WorkloadContract, ContributionsFitTheirSumAndAreFinite) {
  const auto workload = this->workload();
  const Dataset data = this->data(3);

  walk(*workload, privacy(), data, 4, [&](const Model& model, const PrivateSum& sum) {
    const Contributor contribute = workload->contributor(model, sum);
    EXPECT_GT(sum.clip_norm, 0);
    for (const MerchantRows& merchant : data.merchants) {
      for_each_unit(data, merchant, summed_unit(*workload, sum, privacy()), sum.population,
                    [&](const UnitRows& rows) {
                      Contribution contribution;
                      contribute(rows, contribution);

                      EXPECT_LE(contribution.extent(), sum.length);
                      EXPECT_TRUE(std::isfinite(norm_of(contribution)));
                      if (GetParam().never_clips) {
                        EXPECT_LE(norm_of(contribution), sum.clip_norm) << sum.name;
                      }
                    });
    }
  });
}

TEST_P(WorkloadContract, AMerchantWithoutRowsContributesNothing) {
  const auto workload = this->workload();

  walk(*workload, privacy(), data(3), 4, [&](const Model& model, const PrivateSum& sum) {
    Contribution contribution;
    workload->contributor(model, sum)(UnitRows{}, contribution);

    EXPECT_TRUE(contribution.empty()) << sum.name;
  });
}

TEST_P(WorkloadContract, ATrainingSumMovesTheStepAndAnEvaluationMovesNothing) {
  const auto workload = this->workload();
  const Dataset data = this->data(3);
  Model model = workload->initial_model(1);

  const PrivateSum sum = *workload->next_sum(model);
  workload->apply(model, sum, values_of(integer_sum(*workload, model, sum, privacy(), data), sum));
  EXPECT_EQ(model.step, 1u);

  if (const std::optional<PrivateSum> evaluation = workload->evaluation_sum(model)) {
    const Model before = model;
    const auto total = values_of(integer_sum(*workload, model, *evaluation, privacy(), data), *evaluation);
    const Metrics metrics = workload->apply(model, *evaluation, total);
    EXPECT_FALSE(metrics.empty());
    EXPECT_EQ(model.parameters, before.parameters);
    EXPECT_EQ(model.server_state, before.server_state);
    EXPECT_EQ(model.step, before.step);
  }
}

TEST_P(WorkloadContract, ADeclaredTrainingLossFalls) {
  const auto workload = this->workload();
  const Dataset data = this->data(3);
  Model model = workload->initial_model(1);
  std::vector<double> losses;
  bool finished = false;

  for (int round = 0; round < 40; ++round) {
    const std::optional<PrivateSum> sum = workload->next_sum(model);
    if (!sum) {
      finished = true;
      break;
    }
    const Metrics metrics =
        workload->apply(model, *sum, values_of(integer_sum(*workload, model, *sum, privacy(), data), *sum));
    if (const auto loss = metrics.find("train_loss"); loss != metrics.end()) {
      losses.push_back(loss->second);
    }
  }

  if (GetParam().preparation || GetParam().privacy != Unit::none || !GetParam().tells_loss) {
    EXPECT_TRUE(losses.empty());  // No entry is spent on it.
  } else if (GetParam().one_round) {
    ASSERT_EQ(losses.size(), 1u);
    EXPECT_LT(losses[0], 0.2);  // The labels' own variance is about 1/4.
  } else {
    ASSERT_GE(losses.size(), GetParam().few_rounds ? 2u : finished ? 4u : 30u);
    EXPECT_LT(losses.back(), 0.9 * losses.front());
    EXPECT_LT(losses[std::min<std::size_t>(5, losses.size() - 1)], losses.front());
  }
}

TEST_P(WorkloadContract, ANoiseTotalLeavesAFiniteModel) {
  const auto workload = this->workload();
  Model model = workload->initial_model(1);
  SeededGenerator generator{99};

  for (int round = 0; round < 5; ++round) {
    const std::optional<PrivateSum> sum = workload->next_sum(model);
    if (!sum) {
      break;
    }
    std::vector<double> total(sum->length);
    for (double& entry : total) {
      entry = 20 * sum->clip_norm * generator.normal();
    }
    workload->apply(model, *sum, total);
  }

  for (const double parameter : model.parameters) {
    EXPECT_TRUE(std::isfinite(parameter));
  }
}

TEST_P(WorkloadContract, PublishedArraysHaveAsManyValuesAsTheirShape) {
  const auto workload = this->workload();

  for (const NamedArray& array : workload->arrays(workload->initial_model(1))) {
    std::size_t values = 1;
    for (const std::size_t extent : array.shape) {
      values *= extent;
    }
    EXPECT_EQ(array.values.size(), values) << array.name;
  }
}

const std::vector<Case> kCases{
    Case{.name = "PreparationOfRecords", .preparation = true},
    Case{.name = "PreparationOfPrivateRecords", .privacy = Unit::record, .preparation = true},
    Case{.name = "PreparationOfPrivateCustomers", .privacy = Unit::customer, .preparation = true},
    Case{.name = "PreparationOfPrivateMerchants",
         .privacy = Unit::merchant,
         .preparation = true,
         .same_for_any_split = false},
    Case{.name = "PreparationOfRatings", .kind = RowKind::customer, .preparation = true},
    Case{.name = "LogisticGradient"},
    Case{.name = "LogisticGradientAdam", .optimizer = "adam", .learning_rate = 0.1},
    Case{.name = "LogisticGradientOfPrivateRecords", .privacy = Unit::record, .never_clips = false},
    Case{.name = "LogisticGradientOfPrivateCustomers", .privacy = Unit::customer, .never_clips = false},
    Case{.name = "LogisticGradientOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false},
    Case{.name = "LogisticGradientSparseAndWeighted", .other = {{"l1", "0.01"}, {"positive_weight", "2"}}},
    Case{.name = "LogisticNewton", .same_for_any_split = false, .solver = "newton"},
    Case{.name = "LogisticNewtonSparseAndWeighted",
         .same_for_any_split = false,
         .solver = "newton",
         .other = {{"l1", "0.01"}, {"positive_weight", "2"}}},
    Case{.name = "LogisticNewtonOfPrivateRecords",
         .privacy = Unit::record,
         .never_clips = false,
         .solver = "newton"},
    Case{.name = "LogisticNewtonOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .solver = "newton"},
    Case{.name = "LogisticLocalFedProx",
         .same_for_any_split = false,
         .solver = "local",
         .other = {{"proximal_mu", "0.1"}}},
    Case{.name = "LogisticLocalScaffold",
         .same_for_any_split = false,
         .solver = "local",
         .other = {{"scaffold", "true"}}},
    Case{.name = "LogisticLocalScaffoldOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .solver = "local",
         .other = {{"scaffold", "true"}}},
    Case{.name = "LogisticLocal", .same_for_any_split = false, .solver = "local"},
    Case{.name = "LogisticLocalOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .solver = "local"},
    Case{.name = "PreparationOfNumericLabels", .preparation = true, .workload = "linear"},
    Case{.name = "Linear", .workload = "linear", .one_round = true},
    Case{.name = "LinearWithOwnPart",
         .same_for_any_split = false,
         .workload = "linear",
         .other = {{"own", "all"}},
         .one_round = true},
    Case{.name = "LinearWithOwnPartOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "linear",
         .other = {{"own", "offset"}},
         .one_round = true},
    Case{.name = "LogisticWithFiguresByGroup", .other = {{"group", "town"}}},
    Case{.name = "LogisticWithFiguresByGroupOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .other = {{"group", "spent[0]"}}},
    Case{.name = "LogisticWithOwnPart", .other = {{"own", "scale"}}},
    Case{.name = "FactorizationMachineWithOwnPart",
         .workload = "factorization-machine",
         .optimizer = "adam",
         .learning_rate = 0.05,
         .other = {{"own", "all"}}},
    Case{.name = "LinearOfPrivateRecords",
         .privacy = Unit::record,
         .never_clips = false,
         .workload = "linear",
         .one_round = true},
    Case{.name = "LinearOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "linear",
         .one_round = true},
    Case{.name = "LinearOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "linear",
         .one_round = true},
    Case{.name = "Softmax", .workload = "softmax", .space = test::class_space, .people = people_of_classes},
    Case{.name = "SoftmaxAdam",
         .workload = "softmax",
         .optimizer = "adam",
         .learning_rate = 0.1,
         .space = test::class_space,
         .people = people_of_classes},
    Case{.name = "SoftmaxOfPrivateRecords",
         .privacy = Unit::record,
         .never_clips = false,
         .workload = "softmax",
         .space = test::class_space,
         .people = people_of_classes},
    Case{.name = "SoftmaxOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "softmax",
         .space = test::class_space,
         .people = people_of_classes},
    Case{.name = "SoftmaxOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "softmax",
         .space = test::class_space,
         .people = people_of_classes},
    Case{.name = "SoftmaxLocalFedProx",
         .same_for_any_split = false,
         .workload = "softmax",
         .solver = "local",
         .other = {{"proximal_mu", "0.1"}},
         .space = test::class_space,
         .people = people_of_classes},
    Case{.name = "SoftmaxLocalOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "softmax",
         .solver = "local",
         .space = test::class_space,
         .people = people_of_classes},
    Case{.name = "MatrixFactorization",
         .kind = RowKind::customer,
         .workload = "matrix-factorization",
         .optimizer = "adam",
         .learning_rate = 0.05},
    Case{.name = "MatrixFactorizationOfPrivateCustomers",
         .kind = RowKind::customer,
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "matrix-factorization",
         .learning_rate = 0.05},
    Case{.name = "MatrixFactorizationOfPrivateMerchants",
         .kind = RowKind::customer,
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "matrix-factorization",
         .learning_rate = 0.05},
    Case{.name = "MatrixFactorizationByLeastSquares",
         .kind = RowKind::customer,
         .workload = "matrix-factorization",
         .solver = "als"},
    Case{.name = "MatrixFactorizationByLeastSquaresOfPrivateCustomers",
         .kind = RowKind::customer,
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "matrix-factorization",
         .solver = "als"},
    Case{.name = "MatrixFactorizationByLeastSquaresOfPrivateMerchants",
         .kind = RowKind::customer,
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "matrix-factorization",
         .solver = "als"},
    Case{.name = "MatrixFactorizationLocal",
         .kind = RowKind::customer,
         .same_for_any_split = false,
         .workload = "matrix-factorization",
         .solver = "local"},
    Case{.name = "MatrixFactorizationLocalOfPrivateMerchants",
         .kind = RowKind::customer,
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "matrix-factorization",
         .solver = "local"},
    Case{.name = "ImplicitFactorization",
         .kind = RowKind::customer,
         .workload = "implicit-matrix-factorization",
         .solver = "als"},
    Case{.name = "ImplicitFactorizationOfPrivateCustomers",
         .kind = RowKind::customer,
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "implicit-matrix-factorization",
         .solver = "als"},
    Case{.name = "ImplicitFactorizationOfPrivateMerchants",
         .kind = RowKind::customer,
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "implicit-matrix-factorization",
         .solver = "als"},
    Case{.name = "ItemSimilarity",
         .kind = RowKind::customer,
         .workload = "item-similarity",
         .tells_loss = false},
    Case{.name = "ItemSimilarityInParts",
         .kind = RowKind::customer,
         .workload = "item-similarity",
         .other = {{"entries_per_sum", "8"}, {"items_kept", "5"}, {"model", "cosine"}},
         .tells_loss = false},
    Case{.name = "ItemSimilarityOfPrivateCustomers",
         .kind = RowKind::customer,
         .privacy = Unit::customer,
         .workload = "item-similarity",
         .other = {{"items_per_customer", "3"}}},
    Case{.name = "ItemSimilarityOfPrivateMerchants",
         .kind = RowKind::customer,
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "item-similarity"},
    Case{.name = "FactorizationMachine",
         .workload = "factorization-machine",
         .optimizer = "adam",
         .learning_rate = 0.05},
    Case{.name = "FactorizationMachineOfNumbers",
         .workload = "factorization-machine",
         .optimizer = "adam",
         .learning_rate = 0.05,
         .numbers = true},
    Case{.name = "FactorizationMachineOfNumbersOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "factorization-machine",
         .numbers = true},
    Case{.name = "FactorizationMachineLocalOfNumbers",
         .same_for_any_split = false,
         .workload = "factorization-machine",
         .solver = "local",
         .numbers = true},
    Case{.name = "FactorizationMachineOfPrivateRecords",
         .privacy = Unit::record,
         .never_clips = false,
         .workload = "factorization-machine"},
    Case{.name = "FactorizationMachineOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "factorization-machine"},
    Case{.name = "FactorizationMachineOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "factorization-machine"},
    Case{.name = "FactorizationMachineLocal",
         .same_for_any_split = false,
         .workload = "factorization-machine",
         .solver = "local"},
    Case{.name = "FactorizationMachineLocalOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "factorization-machine",
         .solver = "local"},
    Case{.name = "MarkovChain",
         .workload = "markov-chain",
         .space = test::state_space,
         .people = test::state_people,
         .tells_loss = false},
    Case{.name = "MarkovChainWithEnds",
         .workload = "markov-chain",
         .other = {{"ends", "true"}, {"target", "order"}},
         .space = test::state_space,
         .people = test::state_people,
         .tells_loss = false},
    Case{.name = "MarkovChainOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "markov-chain",
         .space = test::state_space,
         .people = test::state_people,
         .tells_loss = false},
    Case{.name = "MarkovChainOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "markov-chain",
         .space = test::state_space,
         .people = test::state_people,
         .tells_loss = false},
    Case{.name = "Counts",
         .workload = "counts",
         .space = ranged_space,
         .people = plain_people,
         .tells_loss = false},
    Case{.name = "CountsOfPeriodsOfPrivateRecords",
         .privacy = Unit::record,
         .workload = "counts",
         .other = {{"period_column", "visits"}, {"period", "1"}},
         .space = ranged_space,
         .people = plain_people,
         .tells_loss = false},
    Case{.name = "CountsOfPrivateCustomers",
         .privacy = Unit::customer,
         .workload = "counts",
         .space = ranged_space,
         .people = plain_people,
         .tells_loss = false},
    Case{.name = "CountsOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .workload = "counts",
         .space = ranged_space,
         .people = plain_people,
         .tells_loss = false},
    Case{.name = "Segments", .workload = "segments", .other = {{"segments", "4"}}, .few_rounds = true},
    Case{.name = "SegmentsOfPrivateRecords",
         .privacy = Unit::record,
         .never_clips = false,
         .workload = "segments"},
    Case{.name = "SegmentsOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "segments"},
    Case{.name = "SegmentsOfCustomers",
         .workload = "segments",
         .other = kSegmentsOfCustomers,
         .space = ranged_space,
         .people = held_out_people,
         .few_rounds = true},
    Case{.name = "SegmentsOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "segments",
         .other = kSegmentsOfCustomers,
         .space = ranged_space,
         .people = held_out_people},
    Case{.name = "SegmentsOfCustomersOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "segments",
         .other = kSegmentsOfCustomers,
         .space = ranged_space,
         .people = held_out_people},
    Case{.name = "BayesianNetworkLearnt",
         .workload = "bayesian-network",
         .space = test::words_space,
         .people = test::words_people,
         .tells_loss = false},
    Case{.name = "BayesianNetworkGiven",
         .workload = "bayesian-network",
         .other = {{"structure", "buys:month,visitor; visitor:month"}},
         .space = test::words_space,
         .people = test::words_people,
         .tells_loss = false},
    Case{.name = "BayesianNetworkOfPrivateRecords",
         .privacy = Unit::record,
         .workload = "bayesian-network",
         .space = test::words_space,
         .people = test::words_people,
         .tells_loss = false},
    Case{.name = "BayesianNetworkOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "bayesian-network",
         .space = test::words_space,
         .people = test::words_people,
         .tells_loss = false},
    Case{.name = "BayesianNetworkOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "bayesian-network",
         .space = test::words_space,
         .people = test::words_people,
         .tells_loss = false},
    Case{.name = "Covariance", .workload = "covariance", .tells_loss = false},
    Case{.name = "CovarianceOfPrivateRecords",
         .privacy = Unit::record,
         .never_clips = false,
         .workload = "covariance",
         .tells_loss = false},
    Case{.name = "CovarianceOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "covariance",
         .tells_loss = false},
    Case{.name = "CovarianceOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "covariance",
         .tells_loss = false},
    Case{.name = "Trend",
         .same_for_any_split = false,
         .workload = "trend",
         .other = {{"holdout", "4"}},
         .space = test::week_space,
         .people = test::week_people,
         .tells_loss = false},
    Case{.name = "TrendOfPrivateRecords",
         .privacy = Unit::record,
         .workload = "trend",
         .other = {{"holdout", "4"}},
         .space = test::week_space,
         .people = test::week_people,
         .tells_loss = false},
    Case{.name = "TrendOfPrivateCustomers",
         .privacy = Unit::customer,
         .never_clips = false,
         .workload = "trend",
         .other = {{"holdout", "4"}},
         .space = test::week_space,
         .people = test::week_people,
         .tells_loss = false},
    Case{.name = "TrendOfPrivateMerchants",
         .privacy = Unit::merchant,
         .same_for_any_split = false,
         .never_clips = false,
         .workload = "trend",
         .other = {{"holdout", "4"}},
         .space = test::week_space,
         .people = test::week_people,
         .tells_loss = false}};

TEST(WorkloadContractCases, CoverEveryWorkloadOfTheCatalogue) {
  for (const std::string& name : workload_names()) {
    EXPECT_TRUE(std::any_of(kCases.begin(), kCases.end(), [&](const Case& c) {
      return !c.preparation && c.workload == name;
    })) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, WorkloadContract, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& chosen) { return chosen.param.name; });

}  // namespace
}  // namespace hanse
