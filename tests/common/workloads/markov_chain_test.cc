#include "common/workloads/markov_chain.h"

#include <cmath>

#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/data/encoding.h"
#include "tests/reference/markov_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::Person;

enum State : std::uint32_t { visit, browse, cart, order };
constexpr std::uint32_t kNoWord = 99;

Person::Row row_of(std::uint32_t state) {
  return state == kNoWord ? Person::Row{.columns = {4}, .values = {1}}
                          : Person::Row{.columns = {state, 4}, .values = {1, 1}};
}

Person person_of(const std::vector<std::uint32_t>& train, const std::vector<std::uint32_t>& test = {}) {
  Person person;
  for (const std::uint32_t state : train) {
    person.train.push_back(row_of(state));
  }
  for (const std::uint32_t state : test) {
    person.test.push_back(row_of(state));
  }
  return person;
}

Dataset data_of(const std::vector<Person>& people, std::uint32_t merchants = 1) {
  return test::deal_people(people, merchants, RowKind::record, test::state_space());
}

MarkovChain::Options options_of(bool ends = false, Unit unit = Unit::none) {
  return {.states = {"visit", "browse", "cart", "order"},
          .ends = ends,
          .target = order,
          .smoothing = 0.5,
          .unit = unit,
          .train_rows = 200,
          .test = {.privacy = unit}};
}

Model fit(const MarkovChain& workload, const Dataset& data, Unit unit = Unit::customer) {
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  workload.apply(model, sum, test::plain_sum(workload, model, sum, unit, data));
  return model;
}

Metrics evaluate(const MarkovChain& workload, Model& model, const Dataset& data) {
  const PrivateSum sum = *workload.evaluation_sum(model);
  return workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));
}

std::vector<double> flat(const reference::Matrix& matrix) {
  std::vector<double> values;
  for (const auto& row : matrix) {
    values.insert(values.end(), row.begin(), row.end());
  }
  return values;
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance) << i;
  }
}

TEST(MarkovChain, CountsWhatFollowsWhatWithinACustomer) {
  const Dataset data = data_of({person_of({visit, browse, browse, cart}), person_of({visit, browse})});

  const Model model = fit(MarkovChain(options_of()), data);

  expect_near(model.parameters, {0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0);
}

TEST(MarkovChain, WithEndsCountsWhereSequencesBeginAndEnd) {
  const Dataset data = data_of({person_of({visit, order}), person_of({visit})});

  const Model model = fit(MarkovChain(options_of(true)), data);

  EXPECT_EQ(model.parameters[visit * 5 + order], 1);
  EXPECT_EQ(model.parameters[visit * 5 + 4], 1);
  EXPECT_EQ(model.parameters[order * 5 + 4], 1);
  EXPECT_EQ(model.parameters[4 * 5 + visit], 2);
  EXPECT_EQ(model.parameters[4 * 5 + 4], 0);
}

TEST(MarkovChain, ARowWithoutAStateBreaksTheSequence) {
  const Dataset data = data_of({person_of({visit, kNoWord, cart, order})});

  const Model model = fit(MarkovChain(options_of()), data);

  EXPECT_EQ(model.parameters[visit * 4 + cart], 0);
  EXPECT_EQ(model.parameters[cart * 4 + order], 1);
}

TEST(MarkovChain, EqualsTheReferenceOfThePooledSequencesForAnyNumberOfMerchants) {
  const std::vector<Person> people = test::state_people();
  std::vector<std::vector<std::size_t>> sequences;
  for (const Person& person : people) {
    if (!person.train.empty()) {
      sequences.emplace_back();
    }
    for (const Person::Row& row : person.train) {
      sequences.back().push_back(row.columns[0]);
    }
  }
  for (const bool ends : {false, true}) {
    const reference::Matrix expected = reference::markov_chain(sequences, 4, 0.5, ends);
    for (const std::uint32_t merchants : {1u, 4u, 31u}) {
      const MarkovChain workload(options_of(ends));

      const Model model = fit(workload, data_of(people, merchants));

      expect_near(workload.transitions(model), flat(expected), 1e-12);
      const auto arrays = workload.arrays(model);
      std::vector<double> shares = reference::stationary(expected);
      double inside = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        inside += shares[i];
      }
      for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(arrays[1].values[i], shares[i] / inside, 1e-9);
      }
      expect_near(arrays[2].values, reference::steps_to(expected, order), 1e-6);
    }
  }
}

TEST(MarkovChain, NeverLeavesAnythingOutInsideOfARow) {
  const MarkovChain workload(options_of(true));

  const std::vector<double> chain = workload.transitions(workload.initial_model(1));

  for (std::size_t from = 0; from < 5; ++from) {
    double total = 0;
    for (std::size_t to = 0; to < 5; ++to) {
      total += chain[from * 5 + to];
    }
    EXPECT_NEAR(total, 1, 1e-12);
  }
  EXPECT_EQ(chain[4 * 5 + 4], 0);
}

TEST(MarkovChain, WithNoiseProbabilitiesStayOnesAndNearTheTruth) {
  std::vector<Person> people;
  for (int i = 0; i < 4000; ++i) {
    people.push_back(person_of(i % 4 == 0 ? std::vector<std::uint32_t>{visit, cart, order}
                                          : std::vector<std::uint32_t>{visit, browse, visit}));
  }
  const Dataset data = data_of(people, 3);
  MarkovChain::Options options = options_of(false, Unit::customer);
  options.clip = 2;
  options.noise = 4;
  const MarkovChain workload(options);
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  std::vector<double> total = test::plain_sum(workload, model, sum, Unit::customer, data);
  SeededGenerator noise{3};
  for (double& entry : total) {
    entry += options.noise * sum.clip_norm * noise.normal();
  }

  workload.apply(model, sum, total);

  const std::vector<double> chain = workload.transitions(model);
  EXPECT_NEAR(chain[visit * 4 + browse], 0.75, 0.03);
  EXPECT_NEAR(chain[browse * 4 + visit], 1, 0.03);
  EXPECT_NEAR(chain[cart * 4 + order], 1, 0.06);
  for (const double probability : chain) {
    EXPECT_GT(probability, 0);
    EXPECT_LT(probability, 1);
  }
  // Only what noise cannot have made: 3 deviations are 24.
  const Insights insights = workload.insights(model);
  EXPECT_EQ(insights.tables[1].rows.size(), 4u);
}

TEST(MarkovChain, ForeseesTheLikeliestNextState) {
  std::vector<Person> people(9, person_of({visit, browse, cart}));
  people.push_back(person_of({visit, order}));
  people.push_back(person_of({}, {visit, browse, order}));
  const Dataset data = data_of(people, 2);
  const MarkovChain workload(options_of());
  Model model = fit(workload, data);

  const Metrics metrics = evaluate(workload, model, data);

  // visit -> browse is foreseen, browse -> order is not; browse comes in as often as cart, and before it.
  EXPECT_NEAR(metrics.at("test_accuracy"), 0.5, 1e-9);
  EXPECT_NEAR(metrics.at("test_accuracy_base"), 0.5, 1e-9);
  const std::vector<double> chain = workload.transitions(model);
  EXPECT_NEAR(metrics.at("test_loss"),
              -(std::log(chain[visit * 4 + browse]) + std::log(chain[browse * 4 + order])) / 2, 1e-9);
}

TEST(MarkovChain, ATestRowComesAfterTheLastTrainingRowOfItsCustomer) {
  const Dataset data =
      data_of({person_of({browse, cart}), person_of({visit, browse}, {cart}), person_of({cart}, {})});
  const MarkovChain workload(options_of());
  Model model = fit(workload, data);

  const Metrics metrics = evaluate(workload, model, data);

  EXPECT_NEAR(metrics.at("test_accuracy"), 1, 1e-9);
}

TEST(MarkovChain, WithEndsTellsTheChanceOfTheTargetBeforeLeaving) {
  std::vector<Person> people(300, person_of({visit}));
  people.insert(people.end(), 100, person_of({visit, order}));
  MarkovChain::Options options = options_of(true);
  options.smoothing = 1e-9;
  options.train_rows = 500;
  const MarkovChain workload(options);

  const Insights insights = workload.insights(fit(workload, data_of(people)));

  const InsightTable& states = insights.tables[0];
  ASSERT_EQ(states.columns.back(), "reaches it before leaving");
  EXPECT_NEAR(std::get<double>(states.rows[visit].back()), 0.25, 1e-6);
  EXPECT_NEAR(std::get<double>(states.rows[4].back()), 0.25, 1e-6);
  EXPECT_NEAR(std::get<double>(states.rows[visit][2]), 0.8, 1e-6);
}

TEST(MarkovChain, CountsNoTransitionOfTooFewMerchants) {
  MarkovChain::Options options = options_of();
  options.min_contributors = 2;
  options.train_rows = 5;
  const MarkovChain workload(options);
  const Dataset data =
      data_of({person_of({visit, browse, cart, browse, cart}), person_of({visit, browse})}, 2);

  const Model model = fit(workload, data, Unit::merchant);

  EXPECT_EQ(model.parameters[visit * 4 + browse], 2);
  EXPECT_EQ(model.parameters[browse * 4 + cart], 0) << "twice, at one merchant";
  const Insights insights = workload.insights(model);
  ASSERT_EQ(insights.tables[1].rows.size(), 1u);
  EXPECT_EQ(std::get<std::string>(insights.tables[1].rows[0][1]), "browse");
}

TEST(MarkovChain, SaysSoWhenThereIsNothing) {
  const MarkovChain exact(options_of());
  MarkovChain::Options options = options_of(false, Unit::customer);
  options.noise = 5;
  const MarkovChain noisy(options);
  const Dataset data = data_of({person_of({visit}), person_of({cart, order})});

  EXPECT_TRUE(exact.insights(fit(exact, data_of({person_of({visit})}))).tables.empty());
  EXPECT_TRUE(noisy.insights(fit(noisy, data)).tables.empty());
}

std::string refusal_of(Configuration configuration, WorkloadFacts facts) {
  configuration.workload.name = "markov-chain";
  try {
    make_markov_chain(configuration, facts);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    return failure.what();
  }
  return "";
}

class MarkovChainRefuses : public testing::Test {
 protected:
  MarkovChainRefuses() {
    configuration_.data.customer = "session";
    configuration_.data.categorical = {"state{visit|browse|cart|order}"};
    const FeatureSpace space = test::state_space();
    facts_ = facts_of(space, RowKind::record, identity_encoding(space), 2);
  }
  Configuration configuration_;
  WorkloadFacts facts_;
};

TEST_F(MarkovChainRefuses, NothingOfAGoodConfiguration) {
  configuration_.workload.other = {{"target", "order"}, {"smoothing", "0.5"}, {"ends", "true"}};

  EXPECT_EQ(refusal_of(configuration_, facts_), "");
}

TEST_F(MarkovChainRefuses, SecondColumns) {
  facts_.space.sparse_ranges.push_back({.begin = 4, .end = 4, .name = "b"});
  configuration_.data.categorical.emplace_back("b{x|y}");

  EXPECT_NE(refusal_of(configuration_, facts_).find("one column of states"), std::string::npos);
}

TEST_F(MarkovChainRefuses, RowsWithoutACustomer) {
  configuration_.data.customer.clear();

  EXPECT_NE(refusal_of(configuration_, facts_).find("data.customer is missing"), std::string::npos);
}

TEST_F(MarkovChainRefuses, RecordsAsUnits) {
  configuration_.privacy.unit = Unit::record;

  EXPECT_NE(refusal_of(configuration_, facts_).find("privacy.unit=record"), std::string::npos);
}

TEST_F(MarkovChainRefuses, ATargetThatIsNoState) {
  configuration_.workload.other = {{"target", "outside"}};

  EXPECT_NE(refusal_of(configuration_, facts_).find("workload.target: 'outside'"), std::string::npos);
  configuration_.workload.other["ends"] = "true";
  EXPECT_EQ(refusal_of(configuration_, facts_), "");
}

TEST_F(MarkovChainRefuses, StatesThatNothingFollows) {
  configuration_.workload.other = {{"smoothing", "0"}};

  EXPECT_NE(refusal_of(configuration_, facts_).find("workload.smoothing"), std::string::npos);
}

TEST_F(MarkovChainRefuses, AChainWithoutStates) {
  facts_.space.sparse_ranges.clear();

  EXPECT_NE(refusal_of(configuration_, facts_).find("min_contributors"), std::string::npos);
}

TEST_F(MarkovChainRefuses, WhatNeedsMoreRounds) {
  configuration_.privacy.turns = 2;

  EXPECT_NE(refusal_of(configuration_, facts_).find("one round"), std::string::npos);
}

}  // namespace
}  // namespace hanse
