// A run from its configuration to its report, by the programs that a user starts.

#include <nlohmann/json.hpp>
#include <set>

#include "privacy/accounting/accountant.h"
#include "privacy/ledger/ledger_state.h"
#include "privacy/ledger/record.h"
#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

struct RunCase {
  const char* name;
  const char* ini;
  std::vector<std::string> privacy;
  std::vector<std::string> arrays;  ///< Files of the model.
};
void PrintTo(const RunCase& run, std::ostream* out) {
  *out << run.name;
}

const std::vector<std::string> kRecordBudget = {"privacy.unit=record", "privacy.epsilon=2",
                                                "privacy.delta=1e-5"};
const std::vector<std::string> kCustomerBudget = {"privacy.unit=customer", "privacy.epsilon=2",
                                                  "privacy.delta=1e-5"};

const std::vector<std::string> kAdaptive = {"privacy.unit=record", "privacy.epsilon=2", "privacy.delta=1e-5",
                                            "privacy.adaptive_clip=true", "privacy.collusion=2"};
const std::vector<std::string> kSurplus = {"privacy.unit=record", "privacy.epsilon=2", "privacy.delta=1e-5",
                                           "privacy.remove_surplus_noise=true", "privacy.collusion=1"};
const std::vector<std::string> kWithinMerchant = {"privacy.unit=customer_at_merchant", "privacy.epsilon=2",
                                                  "privacy.delta=1e-5"};

const std::vector<std::string> kBanded = {"privacy.unit=customer", "privacy.epsilon=2", "privacy.delta=1e-5",
                                          "privacy.turns=2", "privacy.correlated_noise=banded"};

std::vector<std::string> run_words(const char* ini, const std::vector<std::string>& settings,
                                   const std::string& workers = "2") {
  std::vector<std::string> words = {"hanse", "run", ini, "-n", workers};
  words.insert(words.end(), settings.begin(), settings.end());
  return words;
}

void expect_metrics_of_the_design(const fs::path& file) {
  const std::set<std::string> allowed = {"round",          "seconds",
                                         "merchants",      "train_loss",
                                         "test_loss",      "test_auc",
                                         "test_accuracy",  "test_f1",
                                         "test_rmse",      "test_rows",
                                         "test_precision", "test_recall",
                                         "test_mcc",       "test_calibration_error",
                                         "epsilon",        "delta",
                                         "bytes_sent"};
  const auto lines = lines_of(bytes_of_file(file));
  EXPECT_EQ(lines.size(), 3u);
  for (const std::string& line : lines) {
    const nlohmann::json object = nlohmann::json::parse(line);
    for (const auto& [key, value] : object.items()) {
      EXPECT_TRUE(allowed.contains(key)) << key;
      EXPECT_TRUE(value.is_number()) << key;
    }
  }
}

void expect_self_contained(const std::string& page) {
  EXPECT_NE(page.find("<svg"), std::string::npos) << "plots are drawn in the page";
  for (const char* load : {"http://", "https://", "<script src", "<link", "@import", "url(", "<iframe"}) {
    std::size_t at = page.find(load);
    while (at != std::string::npos && page.compare(at, 18, "http://www.w3.org/") == 0) {
      at = page.find(load, at + 1);  // The name of a format, not a place to load from.
    }
    EXPECT_EQ(at, std::string::npos) << load << " in the report";
  }
}

class WholeRun : public testing::TestWithParam<RunCase> {};

TEST_P(WholeRun, EndsWellWithAllItsFilesAnAuditThatHoldsAndAReport) {
  const MarketFolder market;

  const Outcome run = run_in(market.path(), run_words(GetParam().ini, GetParam().privacy));
  const Outcome audit = run_in(market.path(), {"hanse", "audit", "run"});
  const Outcome report = run_in(market.path(), {"hanse", "report", "run"});

  EXPECT_EQ(run.code, 0) << run.output << run.errors;
  EXPECT_EQ(audit.code, 0) << audit.output << audit.errors;
  EXPECT_EQ(report.code, 0) << report.output << report.errors;
  std::vector<std::string> files = {"federation.ini",    "ledger.jsonl",     "metrics.jsonl", "log.txt",
                                    "model/model.hanse", "model/model.json", "report.html"};
  for (int shop = 1; shop <= 7; ++shop) {
    files.push_back("merchants/shop" + std::to_string(shop) + "/ledger.jsonl");
  }
  for (const std::string& array : GetParam().arrays) {
    files.push_back("model/" + array + ".npy");
  }
  for (const std::string& file : files) {
    EXPECT_TRUE(fs::is_regular_file(market / "run" / file)) << file;
  }
  expect_metrics_of_the_design(market / "run" / "metrics.jsonl");
  expect_self_contained(bytes_of_file(market / "run" / "report.html"));
  EXPECT_EQ(processes_with(market.path().string()).size(), 0u);
}

TEST_P(WholeRun, SaysNothingInItsLogOfAnyFaultWhenThereIsNone) {
  const MarketFolder market;

  const Outcome run = run_in(market.path(), run_words(GetParam().ini, GetParam().privacy));

  EXPECT_EQ(run.code, 0) << run.output << run.errors;
  EXPECT_EQ(run.errors, "");
  EXPECT_NE(run.output.find("expected: "), std::string::npos) << "what it will cost: " << run.output;
  EXPECT_EQ(bytes_of_file(market / "run" / "log.txt"), "");
}

INSTANTIATE_TEST_SUITE_P(
    EveryWorkload, WholeRun,
    testing::Values(
        RunCase{"logistic", "shop.ini", kRecordBudget, {"weights", "intercept"}},
        RunCase{"matrix_factorization", "ratings.ini", kCustomerBudget, {"item_factors", "item_biases"}},
        RunCase{"adaptive_clip", "shop.ini", kAdaptive, {"weights", "intercept", "clip_norm"}},
        RunCase{"surplus_noise", "shop.ini", kSurplus, {"weights", "intercept"}},
        RunCase{"banded", "ratings.ini", kBanded, {"item_factors", "item_biases"}},
        RunCase{"customer_at_merchant", "ratings.ini", kWithinMerchant, {"item_factors", "item_biases"}}),
    [](const auto& one) { return std::string(one.param.name); });

/// All lines of a ledger, verified one by one.
LedgerState state_of(const fs::path& file) {
  LedgerState state;
  for (const std::string& line : lines_of(bytes_of_file(file))) {
    const auto record = state.accept(line);
    EXPECT_TRUE(record) << record.what();
  }
  return state;
}

TEST(PrivateRun, ClaimsTheEpsilonThatItsOwnIntentsGiveAndNoMoreThanItsBudget) {
  const MarketFolder market;
  const Outcome run = run_in(market.path(), run_words("shop.ini", kRecordBudget));
  ASSERT_EQ(run.code, 0) << run.output << run.errors;

  std::map<Population, RdpAccountant> accountants;
  for (const std::string& line : lines_of(bytes_of_file(market / "run" / "ledger.jsonl"))) {
    const auto record = decode_record(line);
    ASSERT_TRUE(record) << record.what();
    if (const Intent* intent = std::get_if<Intent>(&record->payload)) {
      accountants[intent->population].compose({.noise = NoiseLaw::discrete_gaussian,
                                               .noise_multiplier = intent->parameters.noise_multiplier(),
                                               .sampling_rate = intent->sampling_rate,
                                               .count = 1});
    }
  }

  const LedgerState state = state_of(market / "run" / "ledger.jsonl");
  ASSERT_TRUE(state.claim().has_value());
  ASSERT_EQ(state.claim()->rows.size(), 2u);
  for (const SpentRow& row : state.claim()->rows) {
    const Population population = row.population == "test" ? Population::test : Population::train;
    EXPECT_NEAR(row.epsilon, accountants[population].epsilon(1e-5).epsilon, 1e-6) << row.population;
    EXPECT_LE(row.epsilon, 2.0);
    EXPECT_GT(row.epsilon, 1.5) << "a calibrated run spends what it may";
    EXPECT_EQ(row.without_noise, 0u);
  }
}

TEST(PrivateRun, TakesTheNoiseOutThatAllItsMerchantsTogetherDoNotNeed) {
  const MarketFolder market;

  const Outcome run = run_in(market.path(), run_words("shop.ini", kSurplus));

  ASSERT_EQ(run.code, 0) << run.output << run.errors;
  std::optional<Intent> intent;
  for (const std::string& line : lines_of(bytes_of_file(market / "run" / "ledger.jsonl"))) {
    const auto record = decode_record(line);
    ASSERT_TRUE(record) << record.what();
    if (const Intent* announced = std::get_if<Intent>(&record->payload)) {
      intent = *announced;
    } else if (const Release* release = std::get_if<Release>(&record->payload)) {
      const SumParameters& p = intent->parameters;
      EXPECT_EQ(p.shares_min, 5u);
      ASSERT_TRUE(release->surplus.has_value());
      EXPECT_EQ(release->surplus->merchants.size(), 7u);
      EXPECT_EQ(release->surplus->left, (4 * p.share_variance + 5) / 6)
          << "four of five honest merchants' shares, carried by six of seven";
    }
  }
}

/// Three rows of two turns: the first unit spends (256^2 + 128^2 + 256^2) / (256^2 + 128^2) = 1.8 turns. Recomputed from the
/// integers of the ledger, and from nothing else.
TEST(PrivateRun, WithCorrelatedNoiseClaimsTheTurnsThatItsRowsGive) {
  const MarketFolder market;
  const Outcome run = run_in(market.path(), run_words("ratings.ini", kBanded));
  ASSERT_EQ(run.code, 0) << run.output << run.errors;
  const Outcome audit = run_in(market.path(), {"hanse", "audit", "run"});

  RdpAccountant accountant;
  std::vector<std::uint64_t> rows;
  for (const std::string& line : lines_of(bytes_of_file(market / "run" / "ledger.jsonl"))) {
    const auto record = decode_record(line);
    ASSERT_TRUE(record) << record.what();
    if (const Plan* plan = std::get_if<Plan>(&record->payload)) {
      EXPECT_EQ(plan->coefficients, (std::vector<std::uint32_t>{256, 128}));
    } else if (const Intent* intent = std::get_if<Intent>(&record->payload)) {
      double shown = 1;
      if (intent->row) {
        EXPECT_EQ(intent->parameters.gain, 384u);
        rows.push_back(*intent->row);
        shown = *intent->row % 2 == 0 ? 256 : 128;
      }
      accountant.compose({.noise_multiplier = intent->parameters.noise_multiplier() / shown});
    }
  }

  const LedgerState state = state_of(market / "run" / "ledger.jsonl");
  ASSERT_TRUE(state.claim().has_value());
  EXPECT_EQ(rows, (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_NEAR(state.claim()->rows.at(0).epsilon, accountant.epsilon(1e-5).epsilon, 1e-6);
  EXPECT_LE(state.claim()->rows.at(0).epsilon, 2.0);
  EXPECT_GT(state.claim()->rows.at(0).epsilon, 1.99) << "a calibrated run spends what it may";
  EXPECT_NE(audit.output.find("each was in one of 2 training sums in a row, 2 times in 3"), std::string::npos)
      << audit.output;
}

TEST(PrivateRun, DrawsFreshNoiseEveryTime) {
  const MarketFolder market;
  std::set<std::string> models;

  for (const char* folder : {"output.dir=first", "output.dir=second"}) {
    std::vector<std::string> settings = kRecordBudget;
    settings.emplace_back(folder);
    const Outcome run = run_in(market.path(), run_words("shop.ini", settings));
    EXPECT_EQ(run.code, 0) << run.output << run.errors;
    models.insert(bytes_of_file(market / std::string(folder).substr(11) / "model" / "weights.npy"));
  }

  EXPECT_EQ(models.size(), 2u);
}

TEST(WholeRunEdges, AMerchantWithoutTrainingRowsTakesPartWithNothing) {
  const MarketFolder market(5, 20);
  std::string rows = MarketFolder::kHeader + market.rows_of("");
  rows += "late,1.0,1.0,A,1,test\nlate,2.0,1.0,B,0,test\n";
  market.write("shop.csv", rows);

  const Outcome run = run_in(market.path(), run_words("shop.ini", {}));
  const Outcome audit = run_in(market.path(), {"hanse", "audit", "run"});

  EXPECT_EQ(run.code, 0) << run.output << run.errors;
  EXPECT_EQ(audit.code, 0) << audit.output << audit.errors;
  EXPECT_TRUE(fs::exists(market / "run" / "merchants" / "late" / "ledger.jsonl"));
}

double first_loss(const fs::path& run) {
  return nlohmann::json::parse(lines_of(bytes_of_file(run / "metrics.jsonl")).front())
      .at("train_loss")
      .get<double>();
}

TEST(WarmStart, BeginsWhereAPublishedModelEndedOnOtherRowsToo) {
  const MarketFolder market;
  for (const char* ini : {"shop.ini", "ratings.ini"}) {
    const std::string cold = std::string("cold-") + ini, warm = std::string("warm-") + ini;
    ASSERT_EQ(
        run_in(market.path(), {"hanse", "run", ini, "-n", "2", "federation.rounds=10", "output.dir=" + cold})
            .code,
        0);

    const Outcome run =
        run_in(market.path(), {"hanse", "run", ini, "-n", "2", "federation.rounds=1", "data.test=hash:0.4",
                               "federation.start=" + cold, "output.dir=" + warm});

    ASSERT_EQ(run.code, 0) << run.output << run.errors;
    EXPECT_LT(first_loss(market / warm), 0.9 * first_loss(market / cold)) << ini;
    EXPECT_EQ(run_in(market.path(), {"hanse", "audit", warm}).code, 0);
  }

  const Outcome other =
      run_in(market.path(), {"hanse", "run", "ratings.ini", "federation.start=cold-shop.ini"});
  const Outcome none = run_in(market.path(), {"hanse", "run", "shop.ini", "federation.start=nowhere"});
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.errors.find("is of workload logistic"), std::string::npos) << other.errors;
  EXPECT_EQ(none.code, 2);
}

TEST(CrossValidation, TestsEveryFoldOnWhatTheOthersTrainedAndAddsUpTheBudget) {
  const MarketFolder market;

  const Outcome run = run_in(
      market.path(), {"hanse", "crossvalidate", "shop.ini", "-k", "3", "-n", "2", "federation.rounds=2",
                      "privacy.unit=record", "privacy.epsilon=2", "privacy.delta=1e-5", "output.dir=cv"});

  ASSERT_EQ(run.code, 0) << run.output << run.errors;
  const auto json = nlohmann::json::parse(bytes_of_file(market / "cv" / "crossvalidation.json"));
  const auto folds = json.at("figures").at("test_accuracy").at("folds").get<std::vector<double>>();
  ASSERT_EQ(folds.size(), 3u);
  EXPECT_NEAR(json.at("figures").at("test_accuracy").at("mean").get<double>(),
              (folds[0] + folds[1] + folds[2]) / 3, 1e-12);
  EXPECT_GT(json.at("epsilon").get<double>(), 2);
  EXPECT_LT(json.at("epsilon").get<double>(), 3 * 2);
  EXPECT_EQ(run_in(market.path(), {"hanse", "audit", "cv/fold-3", "--previous", "cv/fold-2,cv/fold-1"}).code,
            0);
}

TEST(CrossValidation, EndsWithTheCodeOfAFoldThatCannotRun) {
  const MarketFolder market;

  const Outcome run =
      run_in(market.path(), {"hanse", "crossvalidate", "shop.ini", "-k", "2", "data.path=nothing.csv"});

  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.errors.find("nothing.csv"), std::string::npos) << run.errors;
}

}  // namespace
}  // namespace hanse
