// What is tried of a ledger, and the program as its user meets it.

#include "privacy/empirical/audit_by_experiment.h"

#include <sys/wait.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

#include "common/base/failure.h"
#include "privacy/empirical/gaussian_privacy.h"
#include "tests/support/ledger_fixture.h"

namespace hanse {
namespace {

std::vector<Intent> intents_of(const LedgerFixture& fixture) {
  std::vector<Intent> intents;
  for (const std::string& line : fixture.lines) {
    const Record record = *decode_record(line);
    if (const auto* intent = std::get_if<Intent>(&record.payload)) {
      intents.push_back(*intent);
    }
  }
  return intents;
}

// The fixture: three merchants at least, noise multiplier 2 of four shares; three of them carry z = sqrt(3).
TEST(PlannedExperiment, TriesEverySumWithAsMuchNoiseAsTheLedgerCountsOn) {
  LedgerFixture fixture;
  fixture.plan.epsilon.reset();
  for (PlannedRelease& release : fixture.plan.releases) {
    release.noise_multiplier = 1.7;
  }
  fixture.add(fixture.plan);
  for (std::uint64_t round = 0; round < 4; ++round) {
    Intent intent = fixture.intent(round);
    intent.parameters.shares_min = 3;
    EXPECT_EQ(fixture.add(intent), "");
    EXPECT_EQ(fixture.add(round == 1 ? fixture.abort("a quorum was lost") : fixture.release()), "");
  }

  const PlannedExperiment planned = plan_experiment(fixture.state, intents_of(fixture), {.canaries = 1000});

  EXPECT_EQ(planned.plan.sums.size(), 4u);  // What was aborted counts as spent.
  EXPECT_EQ(planned.plan.merchants, 3u);
  EXPECT_EQ(planned.plan.sums.front().length, 1000u);
  EXPECT_NEAR(claimed_mu(planned.plan), std::sqrt(4 / 3.0), 1e-9);
  EXPECT_EQ(planned.delta, 1e-6);
  ASSERT_TRUE(planned.epsilon_ledger);
  EXPECT_GT(*planned.epsilon_ledger, gdp_epsilon(claimed_mu(planned.plan), 1e-6));
  EXPECT_LT(*planned.epsilon_ledger, 1.15 * gdp_epsilon(claimed_mu(planned.plan), 1e-6));
}

TEST(PlannedExperiment, TriesOfARunOfRecordsThePopulationThatSpentMost) {
  LedgerFixture fixture;
  fixture.plan.unit = Unit::record;
  fixture.run(3);

  const PlannedExperiment planned = plan_experiment(fixture.state, intents_of(fixture), {.canaries = 1000});

  EXPECT_EQ(planned.sums_of_run, 4u);  // Means and three gradients, not the evaluation.
  ASSERT_EQ(planned.notes.size(), 1u);
  EXPECT_NE(planned.notes.front().find("train"), std::string::npos);
}

TEST(PlannedExperiment, StopsWhereNobodyCouldBeMistakenAnyMore) {
  // mu = 1 each: sixteen sums make four.
  const auto sums = [](const ExperimentOptions& options) {
    LedgerFixture fixture;
    fixture.plan.epsilon.reset();
    for (PlannedRelease& release : fixture.plan.releases) {
      release.noise_multiplier = 1;
      release.count = 30;
    }
    fixture.add(fixture.plan);
    for (std::uint64_t round = 0; round < 30; ++round) {
      Intent intent = fixture.intent(round);
      intent.parameters = LedgerFixture::noise(1);
      fixture.add(intent);
      fixture.add(fixture.release());
    }
    return plan_experiment(fixture.state, intents_of(fixture), options).plan.sums.size();
  };

  EXPECT_EQ(sums({.canaries = 1000}), 16u);
  EXPECT_EQ(sums({.canaries = 1000, .rounds = 20}), 20u);
  EXPECT_EQ(sums({.canaries = 1000, .rounds = 100}), 30u);
}

TEST(PlannedExperiment, DrawsItsCanariesAtTheRateOfTheLedger) {
  LedgerFixture fixture;
  fixture.plan.releases[1].sampling_rate = 0.5;
  fixture.add(fixture.plan);
  for (std::uint64_t round = 0; round < 3; ++round) {
    Intent intent = fixture.intent(round);
    intent.sampling_rate = 0.5;
    ASSERT_EQ(fixture.add(intent), "");
    fixture.add(fixture.release());
  }

  const PlannedExperiment planned = plan_experiment(fixture.state, intents_of(fixture), {.canaries = 1000});

  EXPECT_EQ(planned.plan.sampling_rates, (std::vector<double>{0.5, 0.5, 0.5}));
  EXPECT_LT(claimed_epsilon(planned.plan, 1e-6), *planned.epsilon_ledger);
  EXPECT_GT(claimed_epsilon(planned.plan, 1e-6), 0.8 * *planned.epsilon_ledger);
}

TEST(PlannedExperiment, IsRefusedWithoutNoise) {
  LedgerFixture fixture;
  fixture.plan.unit = Unit::none;
  fixture.plan.delta = 0;
  fixture.plan.epsilon.reset();
  fixture.add(fixture.plan);

  EXPECT_THROW(plan_experiment(fixture.state, {}, {}), Failure);
}

TEST(PlannedExperiment, OfThousandsOfMerchantsIsCarriedByEightWithTheSameNoise) {
  const PlannedExperiment planned = plan_experiment(5, 1, 1000, 1e-6, {.canaries = 100, .rounds = 50});

  EXPECT_EQ(planned.plan.merchants, 8u);
  EXPECT_NEAR(claimed_mu(planned.plan), std::sqrt(2.0), 1e-9);
}

TEST(PlannedExperiment, OfVeryMuchNoiseKeepsEachShareWithinTheSampler) {
  const PlannedExperiment planned = plan_experiment(1e5, 1, 1000, 1e-6, {.canaries = 100, .rounds = 1});

  for (const SumParameters& sum : planned.plan.sums) {
    EXPECT_LE(sum.share_variance, std::uint64_t{1} << 62);
    EXPECT_NEAR(sum.noise_multiplier() / 1e5, 1, 1e-6);
  }
}

TEST(PlannedExperiment, PutsACustomerOfVeryManyMerchantsAtAllThatAreTried) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(0);
  intent.parameters.merchants_per_unit = 1'000'000;

  const PlannedExperiment planned = plan_experiment(fixture.state, {intent}, {.canaries = 100});

  EXPECT_EQ(planned.plan.merchants, 8u);
  EXPECT_EQ(planned.plan.sums.front().merchants_per_unit, 8u);
}

TEST(PlannedExperiment, RefusesMoreCanariesThanASumHasRoomFor) {
  LedgerFixture fixture;
  fixture.add(fixture.plan);
  Intent intent = fixture.intent(0);
  intent.parameters.grid_bits = 40;
  intent.parameters.share_variance = std::uint64_t{1} << 60;

  EXPECT_THROW(plan_experiment(fixture.state, {intent}, {.canaries = 1'000'000}), Failure);
}

// --- the program ---

struct Outcome {
  int exit_code = -1;
  std::string output;  // Both streams.
};

Outcome run(const std::string& command) {
  Outcome outcome;
  std::FILE* pipe = popen((HANSE_BIN_DIR "/hanse-audit " + command + " 2>&1").c_str(), "r");
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

// The program's noise has no seed: a false alarm comes with a probability of 1e-9, as asked for.
TEST(AuditProgram, TriesTheMechanismWithTheNoiseOfALedger) {
  const TemporaryFolder folder;
  folder.write("ledger.jsonl", LedgerFixture::text(LedgerFixture::of_run().lines));

  const Outcome outcome = run(folder.path().string() + " --empirical --canaries 2000 --significance 1e-9");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  for (const char* part : {"The audit holds.", "5 of 5 sums", "Clopper-Pearson", "no more than is claimed"}) {
    EXPECT_NE(outcome.output.find(part), std::string::npos) << outcome.output;
  }
}

TEST(AuditProgram, PrintsAuditAndExperimentAsOneJsonObject) {
  const TemporaryFolder folder;
  folder.write("ledger.jsonl", LedgerFixture::text(LedgerFixture::of_run().lines));

  const Outcome outcome =
      run(folder.path().string() + " --empirical --canaries 2000 --significance 1e-9 --json");

  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto object = nlohmann::json::parse(outcome.output);
  EXPECT_TRUE(object.at("holds"));
  const auto& experiment = object.at("empirical");
  EXPECT_TRUE(experiment.at("holds"));
  EXPECT_EQ(experiment.at("canaries"), 2000);
  EXPECT_EQ(experiment.at("bounds").size(), 4u);
  EXPECT_LE(experiment.at("bounds").at(0).at("epsilon").get<double>(),
            experiment.at("epsilon").get<double>());
}

// Wherever it is broken: before the first sum nothing is tried, after it what was announced until then.
TEST(AuditProgram, AnExperimentDoesNotHealALedger) {
  const std::vector<std::string> whole = LedgerFixture::of_run().lines;
  for (const std::size_t broken : {std::size_t{0}, std::size_t{1}, whole.size() - 1}) {
    const TemporaryFolder folder;
    std::vector<std::string> lines = whole;
    lines[broken].back() = ' ';
    folder.write("ledger.jsonl", LedgerFixture::text(lines));

    const Outcome outcome = run(folder.path().string() + " --empirical --canaries 1000 --significance 1e-9");

    EXPECT_EQ(outcome.exit_code, 1) << outcome.output;
    EXPECT_NE(outcome.output.find("FINDING"), std::string::npos) << outcome.output;
    EXPECT_EQ(outcome.output.find("Experiment") != std::string::npos, broken > 1) << outcome.output;
  }
}

TEST(AuditProgram, TriesGivenNoiseWithoutALedger) {
  const Outcome outcome =
      run("--empirical --noise-multiplier 2 --rounds 4 --merchants 2 --canaries 2000 --significance 1e-9");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("4.887"), std::string::npos) << outcome.output;
}

TEST(AuditProgram, TriesGivenNoiseWithDrawnCustomers) {
  const Outcome outcome =
      run("--empirical --noise-multiplier 2 --sampling-rate 0.3 --rounds 9 --canaries 2000 --significance "
          "1e-9 --json");

  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto experiment = nlohmann::json::parse(outcome.output).at("empirical");
  EXPECT_TRUE(experiment.at("sampled"));
  EXPECT_TRUE(experiment.at("mu").is_null());
  EXPECT_EQ(experiment.at("bounds").size(), 2u);
}

struct Refusal {
  std::string arguments;
  std::string says;
};
void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.arguments;
}
class AuditRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(AuditRefusal, IsOneSentenceAndExitCodeTwo) {
  const Outcome outcome = run(GetParam().arguments);

  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
  EXPECT_NE(outcome.output.find(GetParam().says), std::string::npos) << outcome.output;
}

INSTANTIATE_TEST_SUITE_P(
    Program, AuditRefusal,
    testing::Values(Refusal{"", "RUN_DIR"}, Refusal{"--empirical", "noise-multiplier"},
                    Refusal{"--noise-multiplier 1", "RUN_DIR"}, Refusal{"/nowhere --empirical", "/nowhere"},
                    Refusal{"--empirical --noise-multiplier 0", "noise-multiplier"},
                    Refusal{"--empirical --noise-multiplier 1 --sampling-rate 2", "sampling-rate"},
                    Refusal{"--empirical --noise-multiplier 1 --canaries 1", "canaries"},
                    Refusal{"--empirical --noise-multiplier 1 --significance 0", "significance"},
                    Refusal{"--empirical --noise-multiplier 1 --rounds 0", "rounds"},
                    Refusal{"--empirical --noise-multiplier 1 --merchants 0", "merchants"},
                    Refusal{"--empirical --noise-multiplier 1 --delta 0", "delta"}));

}  // namespace
}  // namespace hanse
