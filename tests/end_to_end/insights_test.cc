// What the examples tell people, on real data: figures against plain references, the same bytes however many workers, audited.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/config/configuration.h"
#include "common/data/read_dataset.h"
#include "coordinator/output/insights_file.h"
#include "privacy/published/model_file.h"
#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"
#include "tests/reference/markov_reference.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

class InsightsOfExamples : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("HANSE_DATA");
    if (folder == nullptr || *folder == '\0') {
      GTEST_SKIP() << "HANSE_DATA is not set";
    }
    data_ = folder;
  }

  static std::string ini_of(const std::string& example) {
    return std::string(HANSE_SOURCE_DIR) + "/examples/" + example;
  }
  std::string path_of(const std::string& file) const { return "data.path=" + (data_ / file).string(); }

  /// Runs an example with these settings, which come first, into the folder `dir`.
  void run(const std::string& example, const std::vector<std::string>& settings,
           const std::string& dir = "run", const std::string& workers = "2") {
    std::vector<std::string> words = {"hanse", "run", ini_of(example), "-n", workers, "output.dir=" + dir};
    words.insert(words.end(), settings.begin(), settings.end());
    StartedProgram started(words, folder_.path());
    const Outcome outcome = started.wait(std::chrono::seconds(120));
    ASSERT_EQ(outcome.code, 0) << outcome.output << outcome.errors;
    output_ = outcome.output;
  }
  void expect_audit_holds(const std::string& dir = "run") {
    const Outcome audit = run_in(folder_.path(), {"hanse", "audit", dir});
    EXPECT_EQ(audit.code, 0) << audit.output << audit.errors;
  }
  /// Settings decide the model's bytes, and the number of workers does not.
  void expect_same_bytes(const std::string& example, const std::vector<std::string>& settings) {
    ASSERT_NO_FATAL_FAILURE(run(example, settings, "one", "1"));
    const auto one = model_files(folder_ / "one");
    ASSERT_TRUE(one.contains("model.hanse"));
    for (const char* workers : {"2", "5"}) {
      ASSERT_NO_FATAL_FAILURE(run(example, settings, std::string("w") + workers, workers));
      EXPECT_TRUE(one == model_files(folder_ / (std::string("w") + workers))) << workers << " workers";
    }
  }

  /// A figure in the last line of metrics.jsonl.
  double figure(const std::string& key, const std::string& dir = "run") const {
    const auto lines = lines_of(bytes_of_file(folder_ / dir / "metrics.jsonl"));
    return lines.empty() ? std::nan("") : nlohmann::json::parse(lines.back()).value(key, std::nan(""));
  }
  Insights insights(const std::string& dir = "run") const {
    return decode_insights(bytes_of_file(folder_ / dir / "model" / "insights.json"), dir);
  }

  fs::path data_;
  MarketFolder folder_{1, 1};
  std::string output_;
};

/// The training sequences of the only word column: one a customer at a merchant.
std::vector<std::vector<std::size_t>> sequences_of(const Dataset& data) {
  std::vector<std::vector<std::size_t>> sequences;
  for (const MerchantRows& merchant : data.merchants) {
    for (std::size_t i = merchant.train_begin; i < merchant.train_end; ++i) {
      if (i == merchant.train_begin || data.train.customers[i] != data.train.customers[i - 1]) {
        sequences.emplace_back();
      }
      sequences.back().push_back(data.train.features.row(i).columns[0]);
    }
  }
  return sequences;
}

TEST_F(InsightsOfExamples, BrandSwitchingIsTheChainOfThePooledPurchases) {
  const std::string path = path_of("free/margarine/choices.csv");
  const Configuration configuration = read_configuration(ini_of("behaviour/federation.ini"), {path});

  // With switches that only one merchant has seen, as the pooled purchases have them.
  ASSERT_NO_FATAL_FAILURE(run("behaviour/federation.ini", {path, "privacy.min_contributors=1"}));

  const reference::Matrix expected =
      reference::markov_chain(sequences_of(read_dataset(configuration, 1, 1)), 10, 0.1, false);
  const std::vector<double> shares = reference::stationary(expected);
  const PublishedModel model = read_model(folder_ / "run");
  for (std::size_t i = 0; i < 10; ++i) {
    for (std::size_t j = 0; j < 10; ++j) {
      EXPECT_NEAR(model.find("transitions")->values[i * 10 + j], expected[i][j], 1e-12);
    }
    EXPECT_NEAR(model.find("stationary")->values[i], shares[i], 1e-9);
  }
  std::printf("next brand foreseen %.3f, by the commonest %.3f\n", figure("test_accuracy"),
              figure("test_accuracy_base"));
  EXPECT_GT(figure("test_accuracy"), figure("test_accuracy_base") + 0.1);
  EXPECT_NE(output_.find("steps to 4"), std::string::npos);
  expect_audit_holds();
}

TEST_F(InsightsOfExamples, BrandSwitchingHasTheSameBytesForAnyNumberOfWorkers) {
  expect_same_bytes("behaviour/federation.ini", {path_of("free/margarine/choices.csv")});
}

TEST_F(InsightsOfExamples, BrandSwitchingWithPrivacyStaysNearTheTruth) {
  const std::string path = path_of("free/margarine/choices.csv");
  const Configuration configuration = read_configuration(ini_of("behaviour/federation_private.ini"), {path});

  ASSERT_NO_FATAL_FAILURE(run("behaviour/federation_private.ini", {path}));

  const reference::Matrix exact =
      reference::markov_chain(sequences_of(read_dataset(configuration, 1, 1)), 6, 0.1, false);
  const std::vector<double> shares = reference::stationary(exact);
  const PublishedModel model = read_model(folder_ / "run");
  double distance = 0;  // Total variation of the next brand, in the mean of all purchases.
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < 6; ++j) {
      distance += shares[i] * std::abs(model.find("transitions")->values[i * 6 + j] - exact[i][j]) / 2;
    }
  }
  std::printf("epsilon 3: mean total variation of the next brand %.3f\n", distance);
  EXPECT_LT(distance, 0.16);  // Between 0.06 and 0.09 as a rule.
  expect_audit_holds();
}

}  // namespace
}  // namespace hanse
