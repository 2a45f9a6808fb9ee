#include "common/workloads/bayesian_network.h"

#include <cmath>

#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/data/encoding.h"
#include "common/workloads/network_structure.h"
#include "tests/reference/network_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::Person;

constexpr std::size_t kMissing = 9;
const std::vector<std::string> kNames = {"month", "visitor", "buys"};

Dataset data_of(const std::vector<Person>& people, std::uint32_t merchants = 1) {
  return test::deal_people(people, merchants, RowKind::record, test::words_space());
}

/// month (3), visitor (2), buys.
std::vector<std::vector<std::size_t>> values_of(const RowBlock& block) {
  std::vector<std::vector<std::size_t>> rows;
  for (std::size_t i = 0; i < block.features.rows(); ++i) {
    const SparseRow row = block.features.row(i);
    rows.push_back({row.columns[0], row.columns.size() == 3 ? row.columns[1] - 3u : kMissing,
                    block.labels[i] > 0.5F ? 1u : 0u});
  }
  return rows;
}

BayesianNetwork::Options options_of(const std::string& structure = "", Unit unit = Unit::none) {
  BayesianNetwork::Options options;
  options.variables = {{.name = "month", .words = {"May", "Nov", "Dec"}, .first = 0},
                       {.name = "visitor", .words = {"new", "known"}, .first = 3},
                       {.name = "buys", .words = {"0", "1"}, .first = 0, .is_label = true}};
  if (!structure.empty()) {
    options.parents = read_structure(structure, kNames);
  }
  options.target = 2;
  options.smoothing = 0.5;
  options.unit = unit;
  options.test = {.privacy = unit};
  return options;
}

Model fit(const BayesianNetwork& workload, const Dataset& data) {
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::record, data));
  return model;
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    return failure.what();
  }
  return "";
}

TEST(BayesianNetwork, HasTheTablesOfThePooledRowsForAnyNumberOfMerchants) {
  for (const std::uint32_t merchants : {1u, 4u, 31u}) {
    const Dataset data = data_of(test::words_people(), merchants);
    const auto rows = values_of(data.train);
    const BayesianNetwork workload(options_of("buys: month, visitor; visitor:month"));

    const BeliefNetwork network = workload.network(fit(workload, data));

    EXPECT_EQ(network.variables[2].parents, (std::vector<std::size_t>{0, 1}));
    reference::for_each_world(network, [&](const std::vector<std::size_t>& values) {
      for (std::size_t v = 0; v < 3; ++v) {
        EXPECT_NEAR(network.factor(v, values),
                    reference::conditional(rows, kMissing, network.variables[v].parents, v, values,
                                           network.size_of(v), 0.5),
                    1e-12);
      }
    });
  }
}

TEST(BayesianNetwork, LearnsTheTreeOfGreatestInformation) {
  const Dataset data = data_of(test::words_people(), 3);
  const auto rows = values_of(data.train);
  const BayesianNetwork workload(options_of());

  const BeliefNetwork network = workload.network(fit(workload, data));

  // Of three edges the weakest is missing.
  const double month_visitor = reference::information(rows, kMissing, 0, 1);
  const double month_buys = reference::information(rows, kMissing, 0, 2);
  const double visitor_buys = reference::information(rows, kMissing, 1, 2);
  EXPECT_TRUE(network.variables[2].parents.empty());
  const double weakest = std::min({month_visitor, month_buys, visitor_buys});
  const std::vector<std::size_t> of_month = {weakest == month_buys ? 1u : 2u};
  const std::vector<std::size_t> of_visitor = {weakest == visitor_buys ? 0u : 2u};
  EXPECT_EQ(network.variables[0].parents, of_month);
  EXPECT_EQ(network.variables[1].parents, of_visitor);
  reference::for_each_world(network, [&](const std::vector<std::size_t>& values) {
    for (std::size_t v = 0; v < 2; ++v) {
      EXPECT_NEAR(network.factor(v, values),
                  reference::conditional(rows, kMissing, network.variables[v].parents, v, values,
                                         network.size_of(v), 0.5),
                  1e-12);
    }
  });
}

TEST(BayesianNetwork, OfOneVariableIsItsDistribution) {
  BayesianNetwork::Options options = options_of();
  options.variables.resize(1);
  options.target = 0;
  const BayesianNetwork workload(options);
  const Dataset data = data_of(test::words_people());

  const BeliefNetwork network = workload.network(fit(workload, data));

  for (std::size_t month = 0; month < 3; ++month) {
    EXPECT_NEAR(network.factor(0, std::vector{month}),
                reference::conditional(values_of(data.train), kMissing, {}, 0, {month}, 3, 0.5), 1e-12);
  }
}

TEST(BayesianNetwork, ARowsNormIsTheRootOfTheNumberOfTables) {
  const Dataset data = data_of(test::words_people());
  const BayesianNetwork workload(options_of("", Unit::record));
  const Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  const Contributor contribute = workload.contributor(model, sum);

  EXPECT_NEAR(sum.clip_norm, std::sqrt(3.0), 1e-12);
  for_each_unit(data, data.merchants[0], Unit::record, Population::train, [&](const UnitRows& unit) {
    Contribution contribution;
    contribute(unit, contribution);

    double square = 0;
    for (const double value : contribution.values()) {
      square += value * value;
    }
    // A row without a visitor is in one table of three.
    EXPECT_EQ(square, unit.train.row(0).columns.size() == 3 ? 3 : 1);
  });
}

TEST(BayesianNetwork, WithNoiseTablesStayProbabilitiesAndNearTheTruth) {
  std::vector<Person> people;
  for (int copies = 0; copies < 60; ++copies) {
    const std::vector<Person> more = test::words_people();
    people.insert(people.end(), more.begin(), more.end());
  }
  const Dataset data = data_of(people, 3);
  BayesianNetwork::Options options = options_of("buys:month,visitor", Unit::record);
  options.noise = 4;
  const BayesianNetwork workload(options);
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  std::vector<double> total = test::plain_sum(workload, model, sum, Unit::record, data);
  SeededGenerator noise{3};
  for (double& entry : total) {
    entry += options.noise * sum.clip_norm * noise.normal();
  }

  workload.apply(model, sum, total);

  const BeliefNetwork network = workload.network(model);
  const auto rows = values_of(data.train);
  reference::for_each_world(network, [&](const std::vector<std::size_t>& values) {
    for (std::size_t v = 0; v < 3; ++v) {
      EXPECT_NEAR(network.factor(v, values),
                  reference::conditional(rows, kMissing, network.variables[v].parents, v, values,
                                         network.size_of(v), 0.5),
                  0.08);
    }
  });
}

TEST(BayesianNetwork, FiguresAreOfRowsThatLackNothing) {
  const Dataset data = data_of(test::words_people(), 3);
  const BayesianNetwork workload(options_of("buys:month,visitor"));
  Model model = fit(workload, data);
  const PrivateSum sum = *workload.evaluation_sum(model);

  const Metrics metrics =
      workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));

  const BeliefNetwork network = workload.network(model);
  double rows = 0;
  double hits = 0;
  double loss = 0;
  double joint = 0;
  for (const std::vector<std::size_t>& row : values_of(data.test)) {
    if (row[1] == kMissing) {
      continue;
    }
    const double one = network.factor(2, std::vector<std::size_t>{row[0], row[1], 1});
    rows += 1;
    hits += (one > 0.5 ? 1u : 0u) == row[2] ? 1 : 0;
    loss -= std::log(row[2] == 1 ? one : 1 - one);
    joint -= std::log(reference::probability_of(network, row));
  }
  EXPECT_NEAR(metrics.at("test_accuracy"), hits / rows, 1e-9);
  EXPECT_NEAR(metrics.at("test_loss"), loss / rows, 1e-6);
  EXPECT_NEAR(metrics.at("test_joint_loss"), joint / rows, 1e-6);
}

TEST(BayesianNetwork, ScoresALabelByWhatIsKnownOfTheRow) {
  const Dataset data = data_of(test::words_people());
  const BayesianNetwork workload(options_of("buys:month,visitor; visitor:month"));
  const Model model = fit(workload, data);
  const BeliefNetwork network = workload.network(model);
  const RowScorer score = workload.scorer(model);

  for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
    const SparseRow row = data.train.features.row(i);
    Evidence evidence(3);
    evidence[0] = row.columns[0];
    if (row.columns.size() == 3) {
      evidence[1] = row.columns[1] - 3u;
    }
    const std::vector<double> expected = reference::posterior(network, 2, evidence);
    EXPECT_NEAR(score(row), std::log(expected[1] / expected[0]), 1e-9);
  }
}

TEST(BayesianNetwork, CountsNoCellOfTooFewMerchants) {
  BayesianNetwork::Options options = options_of("buys:month,visitor");
  options.min_contributors = 2;
  options.train_rows = 1000;
  const BayesianNetwork workload(options);
  const std::vector<Person> people = test::words_people();
  const auto fit_at = [&](const Dataset& data) {
    Model model = workload.initial_model(1);
    const PrivateSum sum = *workload.next_sum(model);
    workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));
    return model;
  };

  const Model spread = fit_at(data_of(people, 3)), one = fit_at(data_of(people, 1));
  options.min_contributors = 1;
  const BayesianNetwork all(options);

  const std::vector<double> counts = fit(all, data_of(people)).parameters;
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    EXPECT_EQ(spread.parameters[cell], counts[cell] > 2 ? counts[cell] : 0)
        << "two rows of this cell are at one merchant";
  }
  EXPECT_EQ(one.parameters, std::vector<double>(one.parameters.size(), 0.0)) << "everything is at one";
}

TEST(NetworkStructure, ReadsParentsInIncreasingOrder) {
  EXPECT_EQ(read_structure(" buys : visitor , month ;month:", kNames),
            (std::vector<std::vector<std::size_t>>{{}, {}, {0, 1}}));
  EXPECT_EQ(read_structure("", kNames), (std::vector<std::vector<std::size_t>>(3)));
}

TEST(NetworkStructure, RefusesUnknownNamesCyclesAndWhatIsSaidTwice) {
  const auto said = [](const std::string& text) { return refusal([&] { read_structure(text, kNames); }); };

  EXPECT_EQ(said("buys:town"),
            "workload.structure: there is no variable 'town'; there are month, visitor, buys");
  EXPECT_NE(said("town:buys").find("'town'"), std::string::npos);
  EXPECT_NE(said("buys").find("cannot read 'buys'"), std::string::npos);
  EXPECT_NE(said("buys:month;buys:visitor").find("given twice"), std::string::npos);
  EXPECT_NE(said("buys:month,month").find("same parent twice"), std::string::npos);
  EXPECT_NE(said("buys:buys").find("cycle"), std::string::npos);
  EXPECT_NE(said("buys:month;month:visitor;visitor:buys").find("cycle"), std::string::npos);
}

class BayesianNetworkRefuses : public testing::Test {
 protected:
  BayesianNetworkRefuses() {
    configuration_.workload.name = "bayesian-network";
    configuration_.data.label = "buys";
    const FeatureSpace space = test::words_space();
    facts_ = facts_of(space, RowKind::record, identity_encoding(space), 2);
  }
  std::string said() {
    return refusal([&] { make_bayesian_network(configuration_, facts_); });
  }
  Configuration configuration_;
  WorkloadFacts facts_;
};

TEST_F(BayesianNetworkRefuses, NothingOfAGoodConfiguration) {
  configuration_.workload.other = {{"structure", "buys:month"}, {"target", "visitor"}};

  EXPECT_EQ(said(), "");
}

TEST_F(BayesianNetworkRefuses, NumbersAndWordsThatNobodyListed) {
  facts_.space.counted = true;
  EXPECT_NE(said().find("listed words"), std::string::npos);
  facts_.space.counted = false;
  facts_.space.numeric = 1;
  EXPECT_NE(said().find("listed words"), std::string::npos);
}

TEST_F(BayesianNetworkRefuses, TargetsThatAreNoVariable) {
  configuration_.workload.other = {{"target", "town"}};

  EXPECT_NE(said().find("workload.target: there is no variable 'town'"), std::string::npos);
}

TEST_F(BayesianNetworkRefuses, VariablesWithoutWords) {
  facts_.space.sparse_ranges[1].end = facts_.space.sparse_ranges[1].begin;

  EXPECT_NE(said().find("no word of 'visitor'"), std::string::npos);
}

TEST_F(BayesianNetworkRefuses, TablesThatAreTooLarge) {
  FeatureSpace space = test::words_space();
  space.sparse_ranges = {{.begin = 0, .end = 1500, .name = "a"}, {.begin = 1500, .end = 3000, .name = "b"}};
  space.width = 3001;
  space.names.assign(3001, "a=word");
  facts_.space = space;

  EXPECT_NE(said().find("more than 2^20 counts"), std::string::npos);
}

TEST_F(BayesianNetworkRefuses, AClipOfRecordsAndMoreThanOneRound) {
  configuration_.privacy.unit = Unit::record;
  configuration_.privacy.clip = 1;
  EXPECT_NE(said().find("privacy.clip"), std::string::npos);
  configuration_.privacy.clip = 0;
  configuration_.privacy.turns = 3;
  EXPECT_NE(said().find("one round"), std::string::npos);
}

}  // namespace
}  // namespace hanse
