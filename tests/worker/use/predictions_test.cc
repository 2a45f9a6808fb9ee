#include "worker/use/predictions.h"

#include <algorithm>
#include <cmath>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/config/model_facts.h"
#include "privacy/published/model_encoding.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

/// A model of purchases by seconds (mean 10, deviation 2) and kind (a, b or other), and data of two visits.
class Predictions : public testing::Test {
 protected:
  PublishedModel purchases() const {
    Configuration configuration;
    configuration.data.label = "bought";
    configuration.data.merchant = "shop";
    configuration.data.numeric = {"seconds"};
    configuration.data.categorical = {"kind{a|b}"};
    PublishedModel model{.workload = "logistic",
                         .step = 1,
                         .arrays = {{"weights", {4}, {0.5, 1, -2, 0}}, {"intercept", {1}, {0.25}}},
                         .encoding = {},
                         .columns = {},
                         .facts = model_facts(configuration),
                         .privacy = "Nothing is private."};
    publish_encoding({.mean = {10},
                      .deviation = {2},
                      .column_of = {0, 1, 2, 3, 4},
                      .width = 5,
                      .names = {"seconds", "kind=a", "kind=b", "kind=other", "intercept"}},
                     model);
    return model;
  }
  AppliedModel applied(const PublishedModel& model) const {
    write_model(test_folder() / "model", model);
    return read_applied_model(test_folder());
  }
  std::filesystem::path visits(const std::string& text = "seconds,kind\n14,a\n10,b\n") const {
    write_durably(test_folder() / "visits.csv", text);
    return test_folder() / "visits.csv";
  }
  std::string refusal_of(const std::function<void()>& act) const {
    try {
      act();
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return failure.what();
    }
    return "";
  }
};

TEST_F(Predictions, AreProbabilitiesRowByRow) {
  const std::string csv = predictions_csv(applied(purchases()), visits(), {});

  // 0.25 + 0.5 * 2 + 1 = 2.25, and 0.25 - 2 = -1.75.
  char expected[96];
  std::snprintf(expected, sizeof expected, "row,probability\n1,%.9g\n2,%.9g\n", 1 / (1 + std::exp(-2.25)),
                1 / (1 + std::exp(1.75)));
  EXPECT_EQ(csv, expected);
}

TEST_F(Predictions, NeedNoLabelAndNoMerchantButPassOverThem) {
  const AppliedModel model = applied(purchases());

  EXPECT_EQ(predictions_csv(model, visits("shop,bought,kind,seconds\nx,?,a,14\n"), {}),
            predictions_csv(model, visits("seconds,kind\n14,a\n"), {}));
}

TEST_F(Predictions, TellWhatMattersMostWithItsOdds) {
  const std::string csv = predictions_csv(applied(purchases()), visits(), {.own = {}, .explain = 2});

  EXPECT_TRUE(csv.starts_with("row,probability,reason_1,effect_1,odds_1,reason_2,effect_2,odds_2\n")) << csv;
  EXPECT_NE(csv.find(",seconds,1,2.718,kind=a,1,2.718\n"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",kind=b,-2,0.1353,,,\n"), std::string::npos) << csv;
}

TEST_F(Predictions, OfANumberAreInItsUnitsAndTakeTheOwnPartIn) {
  PublishedModel model = purchases();
  model.workload = "linear";
  model.facts["workload.name"] = "linear";
  const AppliedModel linear = applied(model);
  write_durably(test_folder() / "own.json",
                R"({"format":"hanse own part","version":1,"own":"offset","values":[100]})");

  const std::string csv = predictions_csv(linear, visits(), {.own = test_folder() / "own.json"});

  EXPECT_EQ(csv, "row,prediction,prediction_own\n1,2.25,102.25\n2,-1.75,98.25\n");
}

TEST_F(Predictions, OfAFactorizationMachineCountPairs) {
  PublishedModel model = purchases();
  model.workload = model.facts["workload.name"] = "factorization-machine";
  model.facts["workload.task"] = "regression";
  model.arrays.push_back({"factors", {4, 1}, {2, 3, 0, 0}});

  const std::string csv = predictions_csv(applied(model), visits(), {.own = {}, .explain = 1});

  // Seconds and kind=a meet: 2 * 2 * 3 = 12 more.
  EXPECT_NE(csv.find("\n1,14.25,seconds,13\n"), std::string::npos) << csv;
  EXPECT_NE(csv.find("\n2,-1.75,kind=b,-2\n"), std::string::npos) << csv;
}

TEST_F(Predictions, OfManyClassesAreTheMostProbableOne) {
  PublishedModel model = purchases();
  model.workload = model.facts["workload.name"] = "softmax";
  model.facts["data.label"] = "wish{tea|cake}";
  model.arrays = {{"weights", {4, 2}, {0.5, -0.5, 1, -1, -2, 2, 0, 0}}, {"intercepts", {2}, {0, 0.5}}};

  const std::string csv = predictions_csv(applied(model), visits(), {.own = {}, .explain = 1});

  // Tea 0.5 * 2 + 1 = 2 against 0.5 - 2 = -1.5; cake 0.5 + 2 = 2.5 against -2.
  char expected[160];
  std::snprintf(
      expected, sizeof expected,
      "row,class,probability,reason_1,effect_1,odds_1\n1,tea,%.9g,seconds,1,2.718\n2,cake,%.9g,kind=b,2,"
      "7.389\n",
      1 / (1 + std::exp(-3.5)), 1 / (1 + std::exp(-4.5)));
  EXPECT_EQ(csv, expected);
}

TEST_F(Predictions, KeepRowsThatTrainingDropped) {
  PublishedModel model = purchases();
  model.facts["data.clean"] = "missing:drop, duplicates:drop";

  const std::string csv = predictions_csv(applied(model), visits("seconds,kind\n14,a\n14,a\n,a\n"), {});

  EXPECT_EQ(std::ranges::count(csv, '\n'), 4);
}

TEST_F(Predictions, AreRefusedInASentence) {
  PublishedModel items = purchases();
  items.workload = items.facts["workload.name"] = "matrix-factorization";
  items.facts["data.format"] = "ratings";
  PublishedModel old = purchases();
  old.facts = {{"data.numeric", "seconds"}};
  PublishedModel other_words = purchases();
  other_words.facts["data.categorical"] = "kind{a|c}";
  PublishedModel torn = purchases();
  torn.arrays[0].values.pop_back();
  torn.arrays[0].shape = {3};
  const auto refusal = [&](const PublishedModel& model) {
    return refusal_of([&] { predictions_csv(applied(model), visits(), {}); });
  };

  EXPECT_NE(refusal(items).find("use hanse recommend"), std::string::npos);
  EXPECT_NE(refusal(old).find("train it again"), std::string::npos);
  EXPECT_NE(refusal(other_words).find("other columns"), std::string::npos);
  EXPECT_NE(refusal(torn).find("no array 'weights' of 4 values"), std::string::npos);
  const AppliedModel model = applied(purchases());
  EXPECT_NE(refusal_of([&] { predictions_csv(model, visits("seconds\n1\n"), {}); }).find("kind"),
            std::string::npos);
  write_durably(test_folder() / "own.json",
                R"({"format":"hanse own part","version":1,"own":"all","values":[1]})");
  EXPECT_NE(refusal_of([&] {
              predictions_csv(model, visits(), {.own = test_folder() / "own.json"});
            }).find("another model"),
            std::string::npos);
}

}  // namespace
}  // namespace hanse
