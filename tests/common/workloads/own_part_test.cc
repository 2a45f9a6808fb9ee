#include "common/workloads/own_part.h"

#include <algorithm>
#include <cmath>

#include "common/base/failure.h"
#include "common/numerics/linear.h"
#include "common/workloads/catalogue.h"
#include "common/workloads/linear_regression.h"
#include "common/workloads/personalised.h"
#include "tests/reference/linear_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::Person;

constexpr std::uint32_t kWidth = 7;

/// Merchants of 20, 20, ... and one row, with a price level and a slope of their own: merchant m has 3 m more.
Dataset own_prices(std::uint32_t merchants, std::size_t people = 60) {
  std::vector<Person> persons = test::record_people(people, false);
  SeededGenerator generator{5};
  for (std::size_t i = 0; i < persons.size(); ++i) {
    const auto m = static_cast<float>(i % merchants);
    for (auto* rows : {&persons[i].train, &persons[i].test}) {
      for (Person::Row& row : *rows) {
        row.label = 30 + 3 * m + (2 + m) * row.values[0] - row.values[1] +
                    0.3F * static_cast<float>(generator.normal());
      }
    }
  }
  return test::deal_people(persons, merchants, RowKind::record, test::record_space());
}

Rows train_rows(const Dataset& data, std::size_t merchant) {
  return {data.train, data.merchants[merchant].train_begin, data.merchants[merchant].train_end};
}

std::vector<double> labels_of(const Rows& rows) {
  std::vector<double> labels;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    labels.push_back(static_cast<double>(rows.label(i)));
  }
  return labels;
}

/// Slope of the objective along one entry, by central differences.
double slope_at(const OwnPart& part, const OwnPart::Options& options, const Rows& rows,
                const std::vector<double>& labels, const std::vector<double>& scores, std::vector<double> own,
                std::size_t entry) {
  const double h = 1e-5;
  const auto value = [&](double step) {
    own[entry] += step;
    double sum = 0;
    for (const double number : own) {
      sum += options.l2 / 2 * number * number;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double s = part.score(own, rows.row(i), scores[i]);
      sum += options.loss == OwnLoss::squares ? (s - labels[i]) * (s - labels[i]) / 2
                                              : logistic_loss(s, labels[i]);
    }
    own[entry] -= step;
    return sum;
  };
  return (value(h) - value(-h)) / (2 * h);
}

TEST(OwnPart, OfEveryKindAndLossIsWhereItsObjectiveIsFlat) {
  const Dataset data = own_prices(3);
  const Rows rows = train_rows(data, 1);
  for (const OwnLoss loss : {OwnLoss::squares, OwnLoss::logistic}) {
    std::vector<double> labels = labels_of(rows);
    std::vector<double> scores;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      labels[i] = loss == OwnLoss::squares ? labels[i] / 10 : labels[i] > 36 ? 1 : 0;
      scores.push_back(0.5 * static_cast<double>(rows.row(i).values[1]) - 0.25);
    }
    for (const OwnKind kind : {OwnKind::offset, OwnKind::scale, OwnKind::all}) {
      const OwnPart::Options options{.kind = kind, .loss = loss, .l2 = 0.7, .width = kWidth};
      const OwnPart part(options);

      const std::vector<double> own = part.fit(rows, labels, scores);

      ASSERT_EQ(own.size(), part.size());
      for (std::size_t entry = 0; entry < own.size(); ++entry) {
        EXPECT_NEAR(slope_at(part, options, rows, labels, scores, own, entry), 0, 1e-5) << entry;
      }
    }
  }
}

TEST(OwnPart, OfOneRowOrOneClassOrNoRowsIsFinite) {
  const Dataset data = own_prices(3);
  const Rows all = train_rows(data, 0);
  const Rows one(data.train, 0, 1);
  const OwnPart part({.kind = OwnKind::all, .loss = OwnLoss::logistic, .l2 = 1, .width = kWidth});

  EXPECT_EQ(part.fit(Rows(), {}, {}), std::vector<double>(kWidth, 0.0));
  const std::vector<double> of_one = part.fit(one, {1}, {0});
  const std::vector<double> of_class =
      part.fit(all, std::vector<double>(all.size(), 1.0), std::vector<double>(all.size(), 0.0));

  EXPECT_GT(part.score(of_one, one.row(0), 0), 0);
  EXPECT_GT(part.score(of_class, all.row(0), 0), part.score(of_one, one.row(0), 0) / 10);
  for (const double number : of_class) {
    EXPECT_TRUE(std::isfinite(number));
  }
}

TEST(OwnPart, OfAHeavyPenaltyIsNothing) {
  const Dataset data = own_prices(3);
  const Rows rows = train_rows(data, 2);
  const OwnPart part({.kind = OwnKind::all, .loss = OwnLoss::squares, .l2 = 1e12, .width = kWidth});

  for (const double number : part.fit(rows, labels_of(rows), std::vector<double>(rows.size(), 0.0))) {
    EXPECT_NEAR(number, 0, 1e-8);
  }
}

// Minimised over w and all own parts at once, in one great system.
std::vector<double> joint_fit(const Dataset& data, double l2, double own_l2, bool intercept_only) {
  const std::size_t merchants = data.merchants.size();
  const std::size_t own = intercept_only ? 1 : kWidth;
  const std::size_t n = kWidth + merchants * own;
  reference::Table a(n, std::vector<long double>(n, 0));
  reference::Table b(n, std::vector<long double>(1, 0));
  for (std::size_t m = 0; m < merchants; ++m) {
    const Rows rows = train_rows(data, m);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<long double> x(n, 0);
      const SparseRow row = rows.row(i);
      for (std::size_t e = 0; e < row.columns.size(); ++e) {
        const auto value = static_cast<long double>(row.values[e]);
        x[row.columns[e]] = value;
        if (!intercept_only) {
          x[kWidth + m * own + row.columns[e]] = value;
        } else if (row.columns[e] + 1 == kWidth) {
          x[kWidth + m] = value;
        }
      }
      for (std::size_t j = 0; j < n; ++j) {
        b[j][0] += x[j] * (static_cast<long double>(rows.label(i)) - 32);  // From the middle of the range.
        for (std::size_t k = 0; k < n; ++k) {
          a[j][k] += x[j] * x[k];
        }
      }
    }
  }
  for (std::size_t j = 0; j < n; ++j) {
    const double rows = static_cast<double>(data.train.features.rows());
    a[j][j] += static_cast<long double>(j >= kWidth ? own_l2 : j + 1 < kWidth ? rows * l2 : 0);
  }
  const reference::Table solved = reference::solve(a, b);
  std::vector<double> w;
  for (std::size_t j = 0; j < kWidth; ++j) {
    w.push_back(static_cast<double>(solved[j][0]) + (j + 1 == kWidth ? 32 : 0));
  }
  return w;
}

LinearRegression::Options options_for(const Dataset& data, OwnKind own) {
  return {.width = kWidth,
          .train_rows = static_cast<double>(data.train.features.rows()),
          .label_low = 0,
          .label_high = 64,
          .l2 = 0.01,
          .own = own,
          .own_l2 = 2};
}

TEST(LinearRegression, WithOwnPartsIsTheJointFitOfTheCommonAndAllOwnPartsInOneRound) {
  const Dataset data = own_prices(4);
  for (const OwnKind kind : {OwnKind::offset, OwnKind::all}) {
    const LinearRegression workload(options_for(data, kind));
    Model model = workload.initial_model(1);
    const PrivateSum sum = *workload.next_sum(model);

    workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));

    const std::vector<double> expected = joint_fit(data, 0.01, 2, kind == OwnKind::offset);
    for (std::size_t j = 0; j < kWidth; ++j) {
      EXPECT_NEAR(model.parameters[j], expected[j], 1e-8) << j;
    }
    EXPECT_FALSE(workload.next_sum(model).has_value());
  }
}

std::unique_ptr<Workload> personalised(const Dataset& data, Unit unit, const char* own = "all") {
  Configuration configuration;
  configuration.workload.name = "linear";
  configuration.workload.l2 = 0.01;
  configuration.workload.other = {{"own", own}, {"own_l2", "1"}};
  configuration.privacy.unit = unit;
  WorkloadFacts facts{.kind = RowKind::record, .width = kWidth};
  facts.train_rows = static_cast<double>(data.train.features.rows());
  facts.merchants = static_cast<std::uint32_t>(data.merchants.size());
  facts.label = LabelKind::number;
  facts.label_declared = true;
  facts.label_low = 0;
  facts.label_high = 64;
  return make_workload(configuration, facts);
}

Model trained(const Workload& workload, const Dataset& data) {
  Model model = workload.initial_model(1);
  const PrivateSum sum = *workload.next_sum(model);
  workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));
  return model;
}

TEST(Personalised, ComparesTheFederationsModelWithItsOwnAndTheOneThatIsAlone) {
  const Dataset data = own_prices(4);
  const auto workload = personalised(data, Unit::none);
  Model model = trained(*workload, data);
  const PrivateSum sum = *workload->evaluation_sum(model);

  const Metrics metrics =
      workload->apply(model, sum, test::plain_sum(*workload, model, sum, Unit::merchant, data));

  EXPECT_EQ(summed_unit(*workload, sum, Unit::none), Unit::merchant);
  EXPECT_LT(metrics.at("test_rmse_own"), metrics.at("test_rmse") / 4);
  EXPECT_LT(metrics.at("test_rmse_own"), 0.6);
  EXPECT_GT(metrics.at("test_rmse_alone"), 0.2);
  EXPECT_GT(metrics.at("test_r2_own"), 0.9);
}

TEST(Personalised, AMerchantsOwnFiguresAreThoseOfTheSumOverItAlone) {
  const Dataset data = own_prices(1);
  const auto workload = personalised(data, Unit::none);
  Model model = trained(*workload, data);
  const PrivateSum sum = *workload->evaluation_sum(model);
  const UnitRows rows{
      .train = train_rows(data, 0), .test = Rows(data.test, 0, data.test.features.rows()), .merchant = 0};

  const Metrics summed =
      workload->apply(model, sum, test::plain_sum(*workload, model, sum, Unit::merchant, data));
  const OwnResult own = *workload->own_part(model, rows);

  EXPECT_EQ(own.own.values.size(), kWidth);
  for (const auto& [name, value] : summed) {
    EXPECT_NEAR(own.figures.at(name), value, 1e-9) << name;
  }
}

// The middle of the range is 32, not 0: a scale of centred scores moves the offset.
TEST(Personalised, PublishedNumbersOfAnOwnPartPredictInUnitsOfTheLabel) {
  const Dataset data = own_prices(4);
  const std::size_t last = data.merchants.size() - 1;
  const UnitRows rows{.train = train_rows(data, last),
                      .test = Rows(data.test, data.merchants[last].test_begin, data.merchants[last].test_end),
                      .merchant = static_cast<std::uint32_t>(last)};
  for (const std::string kind : {"offset", "scale", "all"}) {
    const auto workload = personalised(data, Unit::none, kind.c_str());
    const Model model = trained(*workload, data);
    const RowScorer common = workload->scorer(model);

    const OwnResult result = *workload->own_part(model, rows);

    const std::vector<double>& own = result.own.values;
    double squares = 0;
    for (std::size_t i = 0; i < rows.test.size(); ++i) {
      const double s = common(rows.test.row(i));
      const double predicted = kind == "offset"  ? s + own[0]
                               : kind == "scale" ? (1 + own[0]) * s + own[1]
                                                 : s + dot(rows.test.row(i), own);
      const double error = std::clamp(predicted, 0.0, 64.0) - static_cast<double>(rows.test.label(i));
      squares += error * error;
    }
    EXPECT_NEAR(std::sqrt(squares / static_cast<double>(rows.test.size())),
                result.figures.at("test_rmse_own"), 1e-9)
        << kind;
  }
}

// A record's vector must not depend on other records, as an own part does.
TEST(Personalised, OfFinerUnitsNothingOfTheOwnPartIsInAnySum) {
  const Dataset data = own_prices(3);
  for (const Unit unit : {Unit::record, Unit::customer}) {
    const auto with = personalised(data, unit);
    Model model = with->initial_model(1);
    model.parameters.assign(kWidth, 0.5);
    for (const PrivateSum& sum : {*with->next_sum(model), *with->evaluation_sum(model)}) {
      const Contributor contribute = with->contributor(model, sum);
      for_each_unit(data, data.merchants[0], unit, sum.population, [&](const UnitRows& rows) {
        Contribution contribution;
        contribute(rows, contribution);
        Contribution alone;
        with->contributor(model, sum)(
            UnitRows{.train = sum.population == Population::train ? rows.train : Rows(),
                     .test = sum.population == Population::test ? rows.test : Rows(),
                     .merchant = 0},
            alone);
        EXPECT_TRUE(std::equal(contribution.values().begin(), contribution.values().end(),
                               alone.values().begin(), alone.values().end()))
            << sum.name;
      });
      EXPECT_EQ(sum.name, sum.purpose == Purpose::update ? "products" : "test errors");
    }
    EXPECT_TRUE(with->own_part(model, {.train = train_rows(data, 0), .test = {}, .merchant = 0}).has_value());
  }
}

TEST(Personalised, OfAMerchantKeepsToTheBoundOfItsSum) {
  const Dataset data = own_prices(4);
  const auto workload = personalised(data, Unit::merchant);
  Model model = workload->initial_model(1);
  model.parameters.assign(kWidth, 100);
  const PrivateSum sum = *workload->evaluation_sum(model);
  const Contributor contribute = workload->contributor(model, sum);

  EXPECT_EQ(sum.length, 9u);
  for (const MerchantRows& merchant : data.merchants) {
    for_each_unit(data, merchant, Unit::merchant, Population::test, [&](const UnitRows& rows) {
      Contribution contribution;
      contribute(rows, contribution);
      double square = 0;
      for (const double value : contribution.values()) {
        square += value * value;
      }
      EXPECT_LE(std::sqrt(square), sum.clip_norm);
    });
  }
}

TEST(Personalised, IsRefusedForAWorkloadWithoutScores) {
  Configuration configuration;
  configuration.workload.name = "matrix-factorization";
  configuration.workload.other = {{"own", "all"}};
  const WorkloadFacts facts{
      .kind = RowKind::customer, .width = 3, .train_rows = 5, .rating_low = 1, .rating_high = 5};

  EXPECT_THROW(make_workload(configuration, facts), Failure);
}

}  // namespace
}  // namespace hanse
