// Classifiers of many classes on real data: messages to customer service, and pictures of products.

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/insights_run.h"
#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

class InsightsOfClasses : public InsightsRun {
 protected:
  std::vector<std::string> intents() const {
    return {path_of("free/banking77/train.csv"),
            "data.test=path:" + (data_ / "free/banking77/test.csv").string()};
  }
};

TEST_F(InsightsOfClasses, IntentsOfMessagesAreToldAtMerchantsWithQuiteDifferentOnes) {
  ASSERT_NO_FATAL_FAILURE(run("service_intents/federation.ini", intents()));

  std::printf("test accuracy %.4f, F1 %.4f, MCC %.4f\n", last_figure("test_accuracy"), last_figure("test_f1"),
              last_figure("test_mcc"));
  EXPECT_GE(last_figure("test_accuracy"), 0.85);
  EXPECT_GE(last_figure("test_f1"), 0.85);
  EXPECT_GE(last_figure("test_mcc"), 0.85);
  EXPECT_EQ(table_of(insights(), "classes").rows.size(), 77u);
  EXPECT_FALSE(table_of(insights(), "confusions").rows.empty());
  EXPECT_EQ(audit(), 0);
}

TEST_F(InsightsOfClasses, IntentsHaveTheSameBytesForAnyNumberOfWorkers) {
  std::vector<std::string> settings = intents();
  settings.insert(settings.end(),
                  {"federation.rounds=2", "data.text=text#512", "federation.evaluate_every=2"});

  expect_same_bytes("service_intents/federation.ini", settings);
}

TEST_F(InsightsOfClasses, ProductsAreToldByTheirPictures) {
  if (!fs::exists("/usr/share/datasets/fashion-mnist")) {
    GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
  }

  ASSERT_NO_FATAL_FAILURE(run("product_images/federation.ini", {}));

  std::printf("test accuracy %.4f, F1 %.4f\n", last_figure("test_accuracy"), last_figure("test_f1"));
  EXPECT_GE(last_figure("test_accuracy"), 0.88);
  EXPECT_EQ(table_of(insights(), "classes").rows.size(), 10u);
  EXPECT_EQ(audit(), 0);
}

TEST_F(InsightsOfClasses, ProductsAreToldByWeightsOfTheirPixelsToo) {
  if (!fs::exists("/usr/share/datasets/fashion-mnist")) {
    GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
  }

  ASSERT_NO_FATAL_FAILURE(run("product_images/softmax.ini", {}));

  std::printf("test accuracy %.4f, F1 %.4f\n", last_figure("test_accuracy"), last_figure("test_f1"));
  EXPECT_GE(last_figure("test_accuracy"), 0.84);
}

TEST(Reviews, TellWhoIsSatisfiedAlmostAsWellAsTheTruthDoes) {
  const MarketFolder folder(1, 1);
  ASSERT_EQ(run_in(folder.path(), {"hanse", "market", "market"}).code, 0);

  const Outcome run = run_in(folder.path(), {"hanse", "run", "market/reviews.ini", "-n", "2",
                                             "privacy.unit=none", "privacy.epsilon=", "output.dir=run"});

  ASSERT_EQ(run.code, 0) << run.output << run.errors;
  const auto truth = nlohmann::json::parse(bytes_of_file(folder / "market/truth.json"));
  const auto lines = lines_of(bytes_of_file(folder / "run/metrics.jsonl"));
  const double auc = nlohmann::json::parse(lines.back()).at("test_auc").get<double>();
  std::printf("reviews: AUC %.4f, of the truth %.4f\n", auc,
              truth.at("reviews").at("bayes_auc").get<double>());
  EXPECT_GT(auc, truth.at("reviews").at("bayes_auc").get<double>() - 0.03);
}

}  // namespace
}  // namespace hanse
