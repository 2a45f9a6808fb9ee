// The built programs hanse-epsilon and hanse-calibrate, as their user meets them.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

namespace hanse {
namespace {

struct Outcome {
  int exit_code = -1;
  std::string output;  // Both streams.
};

Outcome run(const std::string& command) {
  Outcome outcome;
  std::FILE* pipe = popen((HANSE_BIN_DIR "/" + command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) {
    return outcome;
  }
  std::array<char, 256> piece{};
  while (std::fgets(piece.data(), static_cast<int>(piece.size()), pipe) != nullptr) {
    outcome.output += piece.data();
  }
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

const std::string kPlan = " --sampling-rate 0.04 --steps 2250 --delta 1e-5";

TEST(EpsilonProgram, PrintsTheReferenceValueWithWhatItDependsOn) {
  const Outcome outcome = run("hanse-epsilon --noise-multiplier 1.5" + kPlan);

  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("7.329111"), std::string::npos) << outcome.output;
  for (const char* fact : {"gaussian", "zero-out", "add/remove", "1e-05", "RDP", "order", "3.9", "2250"}) {
    EXPECT_NE(outcome.output.find(fact), std::string::npos) << fact << " in " << outcome.output;
  }
}

TEST(EpsilonProgram, PrintsOneJsonObject) {
  const Outcome outcome =
      run("hanse-epsilon --json --mechanism discrete-gaussian --noise-multiplier 4 --sampling-rate 0.5 "
          "--steps 100 --delta 1e-5");

  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto object = nlohmann::json::parse(outcome.output);
  EXPECT_NEAR(object.at("epsilon").get<double>(), 6.391293, 1e-6);
  EXPECT_EQ(object.at("order"), 4);
  EXPECT_EQ(object.at("mechanism"), "discrete-gaussian");
  EXPECT_EQ(object.at("steps"), 100);
  EXPECT_EQ(object.at("delta"), 1e-5);
  EXPECT_TRUE(object.contains("adjacency"));
  EXPECT_TRUE(object.contains("method"));
}

TEST(CalibrateProgram, FindsNoiseThatTheEpsilonProgramConfirms) {
  const Outcome calibrated = run("hanse-calibrate --epsilon 3 --json" + kPlan);

  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.output;
  const auto object = nlohmann::json::parse(calibrated.output);
  const std::string z = object.at("noise_multiplier").dump();
  const Outcome confirmed = run("hanse-epsilon --json --noise-multiplier " + z + kPlan);
  const double epsilon = nlohmann::json::parse(confirmed.output).at("epsilon").get<double>();
  EXPECT_LE(epsilon, 3);
  EXPECT_NEAR(epsilon, 3, 1e-7);
}

TEST(EpsilonProgram, BracketsEpsilonByPrivacyLossDistributions) {
  const Outcome outcome = run("hanse-epsilon --accountant pld --json --noise-multiplier 1.5" + kPlan);

  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto object = nlohmann::json::parse(outcome.output);
  EXPECT_NEAR(object.at("epsilon").get<double>(), 6.76878, 5e-4);
  EXPECT_EQ(object.at("epsilon"), object.at("pld").at("upper"));
  EXPECT_LE(object.at("pld").at("lower").get<double>(), 6.76879);
  EXPECT_NEAR(object.at("rdp").at("epsilon").get<double>(), 7.32911117149, 1e-6);
  for (const char* error : {"discretisation", "aliasing", "round_off", "truncation"}) {
    EXPECT_TRUE(object.at("pld").at("errors").contains(error)) << error;
  }
  for (const char* fact : {"unit", "adjacency", "adversary", "method", "delta"}) {
    EXPECT_TRUE(object.contains(fact)) << fact;
  }
}

TEST(EpsilonProgram, KnowsTreesCoinsAndReplacedUnits) {
  const auto epsilon_of = [](const std::string& options) {
    const Outcome outcome = run("hanse-epsilon --json --accountant pld " + options);
    return outcome.exit_code == 0 ? nlohmann::json::parse(outcome.output).at("epsilon").get<double>() : -1;
  };

  EXPECT_NEAR(
      epsilon_of("--mechanism tree --noise-multiplier 7 --steps 2000 --participations 6 --separation 313 "
                 "--delta 1e-10"),
      8.526093, 1e-5);
  EXPECT_NEAR(
      epsilon_of(
          "--mechanism tree-restart --noise-multiplier 10 --steps 100 --participations 5 --delta 1e-5"),
      2.406499, 1e-5);
  EXPECT_NEAR(epsilon_of("--noise-multiplier 1.0335 --sampling-rate 0.02 --steps 500 --coins 2 --delta 1e-6"),
              2.16687, 1e-3);
  EXPECT_NEAR(
      epsilon_of(
          "--noise-multiplier 4 --sampling-rate 0.1 --steps 1000 --adjacency replace-one --delta 1e-6"),
      8.282506, 1e-3);
  EXPECT_NEAR(
      epsilon_of("--mechanism discrete-gaussian-1d --sensitivity-steps 1 --noise-multiplier 1 --steps 1 "
                 "--delta 1e-6"),
      4.499591, 1e-5);
  EXPECT_NEAR(
      epsilon_of("--mechanism banded --bands 20 --noise-multiplier 1.5 --sampling-rate 0.04 --steps 45000 "
                 "--delta 1e-5"),
      6.76878, 1e-3);
  EXPECT_GT(epsilon_of("--mechanism square-root --noise-multiplier 5 --steps 100 --delta 1e-5"), 0);
}

TEST(CalibrateProgram, FindsLessNoiseByPrivacyLossDistributions) {
  const Outcome calibrated = run(
      "hanse-calibrate --epsilon 3 --accountant pld --json --sampling-rate 0.02 --steps 500 --delta 1e-6");

  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.output;
  const auto object = nlohmann::json::parse(calibrated.output);
  EXPECT_NEAR(object.at("noise_multiplier").get<double>(), 1.03345, 5e-4);
  EXPECT_LE(object.at("epsilon").get<double>(), 3);
}

struct Refusal {
  std::string command;
  std::string says;
};

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.command;
}

class Refusals : public testing::TestWithParam<Refusal> {};

TEST_P(Refusals, AreOneSentenceAndExitCodeTwo) {
  const Outcome outcome = run(GetParam().command);

  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
  EXPECT_NE(outcome.output.find(GetParam().says), std::string::npos) << outcome.output;
}

INSTANTIATE_TEST_SUITE_P(
    Programs, Refusals,
    testing::Values(
        Refusal{"hanse-epsilon --noise-multiplier -1" + kPlan, "noise-multiplier"},
        Refusal{"hanse-epsilon --noise-multiplier 0" + kPlan, "noise-multiplier"},
        Refusal{"hanse-epsilon --noise-multiplier nan" + kPlan, "noise-multiplier"},
        Refusal{"hanse-epsilon --noise-multiplier 1e-300" + kPlan, "too small"},
        Refusal{"hanse-epsilon" + kPlan, "noise-multiplier"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --steps 1 --delta 1e-5 --sampling-rate 0",
                "sampling-rate"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --steps 1 --delta 1e-5 --sampling-rate 1.1",
                "sampling-rate"},
        Refusal{"hanse-epsilon --sampling-rate 1 --steps 1 --delta 1e-5", "noise-multiplier"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --steps 0 --delta 1e-5 --sampling-rate 1", "steps"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --steps 1.5 --delta 1e-5 --sampling-rate 1", "steps"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --steps 1 --delta 0 --sampling-rate 1", "delta"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --steps 1 --delta 1 --sampling-rate 1", "delta"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --sigma 1" + kPlan, "sigma"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --mechanism laplace" + kPlan, "laplace"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --accountant gdp" + kPlan, "gdp"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --coins 0" + kPlan, "coins"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --adjacency add-remove" + kPlan, "add-remove"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --bands 3" + kPlan, "bands"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --mechanism tree" + kPlan, "sampling-rate"},
        Refusal{"hanse-epsilon --noise-multiplier 1 --mechanism discrete-gaussian-1d" + kPlan,
                "sensitivity-steps"},
        Refusal{
            "hanse-epsilon --noise-multiplier 1 --mechanism tree --steps 9 --participations 10 --delta 1e-5",
            "participations"},
        Refusal{"hanse-calibrate --epsilon 0" + kPlan, "epsilon"},
        Refusal{"hanse-calibrate --epsilon 1e-9" + kPlan, "epsilon"},
        Refusal{"hanse-calibrate" + kPlan, "epsilon"}));

}  // namespace
}  // namespace hanse
