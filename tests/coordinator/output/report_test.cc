#include "coordinator/output/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "privacy/ledger/ledger_writer.h"
#include "privacy/pipeline.h"
#include "privacy/surplus_noise.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

struct MadeUpRun {
  std::string name = "purchase";
  Unit unit = Unit::customer;
  std::string encryption = "masked";
  std::uint32_t merchants = 20;
  std::uint64_t rounds = 40;
  std::uint64_t aborted_round = 17;
  double noise_multiplier = 10;
  std::string merchant_prefix = "shop-";
  bool removes_surplus = false;
};

SumParameters parameters_of(const MadeUpRun& run, std::uint64_t length, double clip) {
  SumRequest request;
  request.length = length;
  request.clip_norm = clip;
  request.units_max = 1024;
  request.merchants = run.merchants;
  request.shares_min = 14;
  request.noise_multiplier = run.noise_multiplier;
  return choose_parameters(request);
}

SigningKey merchant_key(std::uint32_t id) {
  DeterministicSecureRandom random(1000 + id);
  return SigningKey::generate(random);
}

Plan plan_of(const MadeUpRun& run) {
  Plan plan;
  plan.federation = run.name;
  plan.run_id = "00112233445566778899aabbccddeeff";
  plan.unit = run.unit;
  plan.shares_min = 14;
  plan.removes_surplus = run.removes_surplus;
  if (run.unit != Unit::none) {
    plan.delta = 1e-5;
    plan.epsilon = 4;
  }
  for (std::uint32_t m = 0; m < run.merchants; ++m) {
    const std::string number = std::to_string(m + 1);
    plan.merchants.push_back(
        {run.merchant_prefix + (m < 9 ? "0" : "") + number, merchant_key(m).public_key()});
  }
  plan.encryption = run.encryption;
  plan.workload = "logistic";
  plan.releases = {{Purpose::statistics, Population::train, 1, run.noise_multiplier, 1},
                   {Purpose::update, Population::train, run.rounds, run.noise_multiplier, 1},
                   {Purpose::evaluation, Population::test, 1, run.noise_multiplier, 1}};
  plan.software = HANSE_VERSION;
  plan.unix_time = 1795000000;
  return plan;
}

class MadeUpLedger {
 public:
  MadeUpLedger(const std::filesystem::path& folder, const MadeUpRun& run)
      : run_(run),
        writer_(LedgerWriter::create(folder / "ledger.jsonl", SigningKey::generate(random_), plan_of(run))) {
    write_head();
  }

  void sum(std::uint64_t round, const char* name, Purpose purpose, std::uint64_t length, double clip) {
    Intent intent;
    intent.round = round;
    intent.name = name;
    intent.purpose = purpose;
    intent.population = purpose == Purpose::evaluation ? Population::test : Population::train;
    intent.parameters = parameters_of(run_, length, clip);
    intent.model = model_;
    for (std::uint32_t m = 0; m < run_.merchants; ++m) {
      intent.invited.push_back(m);
    }
    intent.unix_time = 1795000000 + round;
    writer_.write(intent);
    write_head();
    if (purpose == Purpose::update && round == run_.aborted_round) {
      writer_.abort_open("quorum lost: 9 of 20 merchants answered in time, 14 are needed <b>");
      return;
    }
    Release release;
    for (std::uint32_t m = 0; m < run_.merchants; ++m) {
      if ((m + round) % 11 != 0) {
        release.merchants.push_back(m);
      }
    }
    release.opened = sha256(bytes_of("opened" + std::to_string(round)));
    if (purpose == Purpose::update) {
      model_ = sha256(bytes_of("model" + std::to_string(round)));
    }
    release.model = model_;
    const auto included = static_cast<std::uint32_t>(release.merchants.size());
    const SumParameters& p = intent.parameters;
    if (run_.removes_surplus && rung_to_open(p, included)) {
      const NoiseLadder ladder{p.share_variance, p.shares_min, 0};
      release.surplus = {ladder.left(included), p.shares_min, included - 1, release.merchants};
    }
    writer_.write(release);
  }
  void claim() {
    writer_.write(writer_.state().claim_for(model_));
    write_head();
  }
  double epsilon() const { return writer_.state().epsilon_spent(); }

 private:
  void write_head() {
    std::vector<Cosignature> signatures;
    for (std::uint32_t m = 0; m < run_.merchants; ++m) {
      signatures.push_back({m, merchant_key(m).sign(writer_.state().to_cosign())});
    }
    writer_.write_head(signatures, 1795000000);
  }

  DeterministicSecureRandom random_{5};
  MadeUpRun run_;
  LedgerWriter writer_;
  Digest model_ = sha256(bytes_of("first"));
};

RoundMetrics metrics_of(std::uint64_t round, bool last) {
  RoundMetrics metrics;
  metrics.round = round;
  metrics.seconds = 0.31 * static_cast<double>(round);
  metrics.merchants = 19;
  const auto t = static_cast<double>(round);
  metrics.figures["train_loss"] = 0.42 + 0.27 * std::exp(-t / 9) + 0.004 * std::sin(t * 5);
  if (round % 5 == 0 || last) {
    metrics.figures["test_loss"] = 0.43 + 0.26 * std::exp(-t / 9);
    metrics.figures["test_auc"] = 0.79 - 0.25 * std::exp(-t / 7);
    metrics.figures["test_accuracy"] = 0.83 - 0.1 * std::exp(-t / 5);
  }
  metrics.bytes_sent = 310000;
  return metrics;
}

void write_run(const std::filesystem::path& folder, const MadeUpRun& run) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  MadeUpLedger ledger(folder, run);
  MetricsLog log(folder / "metrics.jsonl", 0);
  ledger.sum(0, "moments", Purpose::statistics, 11, 3);
  for (std::uint64_t round = 1; round <= run.rounds; ++round) {
    ledger.sum(round, "gradient", Purpose::update, 24, 1);
    RoundMetrics metrics = metrics_of(round, round == run.rounds);
    if (run.unit != Unit::none) {
      metrics.epsilon = ledger.epsilon();
      metrics.delta = 1e-5;
    }
    if (round != run.aborted_round) {
      log.append(metrics);
    }
  }
  ledger.sum(run.rounds, "test scores", Purpose::evaluation, 128, 1);
  ledger.claim();
  write_durably(folder / "federation.ini", "[federation]\nname = " + run.name + "\nrounds = 40\n");
}

std::string page_of(const std::filesystem::path& folder) {
  return report_html(read_report_data(folder));
}

bool has(const std::string& page, const std::string& text) {
  return page.find(text) != std::string::npos;
}

class Report : public testing::Test {
 protected:
  std::filesystem::path folder_ = test_folder() / "hanse_report";
};

TEST_F(Report, TellsAPrivateRunInFull) {
  write_run(folder_, {});

  const std::string page = page_of(folder_);

  EXPECT_TRUE(has(page, "<h1>purchase</h1>"));
  EXPECT_TRUE(has(page, "differentially private for each customer"));
  EXPECT_TRUE(has(page, "Sums encrypted (masked)"));
  EXPECT_TRUE(has(page, "budget 4"));
  EXPECT_TRUE(has(page, "fewest allowed: 14"));
  EXPECT_TRUE(has(page, "quorum lost: 9 of 20"));
  EXPECT_TRUE(has(page, "test scores"));
  EXPECT_TRUE(has(page, "shop-20"));
  EXPECT_TRUE(has(page, "name = purchase"));
  EXPECT_FALSE(has(page, "Not differentially private"));
}

TEST_F(Report, SaysThatNoiseForDropOutsWasTakenOutAgain) {
  write_run(folder_, {.removes_surplus = true});
  const std::string with = page_of(folder_);
  write_run(folder_, {});
  const std::string without = page_of(folder_);

  EXPECT_TRUE(has(with, "was taken out of 41 sums again")) << "all but the aborted one of 42";
  EXPECT_FALSE(has(without, "was taken out of"));
}

TEST_F(Report, NeedsNothingFromOutside) {
  write_run(folder_, {});

  const std::string page = page_of(folder_);

  for (const char* word : {"http://", "https://", "<script", "src=", "@import", "url("}) {
    EXPECT_FALSE(has(page, word)) << word;
  }
  EXPECT_FALSE(has(page, "nan"));
}

TEST_F(Report, IsHonestWhenNothingIsPrivate) {
  MadeUpRun run;
  run.unit = Unit::none;
  run.encryption = "none";
  run.noise_multiplier = 0;
  write_run(folder_, run);

  const std::string page = page_of(folder_);

  EXPECT_TRUE(has(page, "Not differentially private"));
  EXPECT_TRUE(has(page, "Nothing is promised about any customer"));
  EXPECT_TRUE(has(page, "saw the vector of every single merchant"));
  EXPECT_FALSE(has(page, "class=\"good\">ε"));
}

TEST_F(Report, EscapesWhatMerchantsAndRunsCallThemselves) {
  MadeUpRun run;
  run.name = "<img src=x onerror=alert(1)>";
  run.merchant_prefix = "<script>alert(1)</script>";
  write_run(folder_, run);

  const std::string page = page_of(folder_);

  EXPECT_FALSE(has(page, "<img"));
  EXPECT_FALSE(has(page, "<script"));
  EXPECT_FALSE(has(page, "are needed <b>"));
  EXPECT_TRUE(has(page, "&lt;script&gt;"));
}

TEST_F(Report, ShowsALedgerThatWasTamperedWith) {
  write_run(folder_, {});
  std::string ledger = read_file(folder_ / "ledger.jsonl");
  const std::size_t line = ledger.find("\"gradient\"");
  ASSERT_NE(line, std::string::npos);
  ledger[line + 1] = 'G';
  write_durably(folder_ / "ledger.jsonl", ledger);

  const std::string page = page_of(folder_);

  EXPECT_TRUE(has(page, "The ledger does not hold."));
  EXPECT_TRUE(has(page, "class=\"bad\">Audit: "));
  EXPECT_TRUE(has(page, "no promise about this run can be relied on"));
  EXPECT_FALSE(has(page, "differentially private for each"));
}

TEST_F(Report, ARunThatHasJustBegunIsARun) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  write_durably(folder_ / "metrics.jsonl", "");

  const std::string page = page_of(folder_);

  EXPECT_TRUE(has(page, "Nothing was recorded."));
  EXPECT_TRUE(has(page, "No ledger"));
  EXPECT_TRUE(has(page, "No model has been published yet."));
}

TEST_F(Report, RefusesWhatIsNoRunDirectory) {
  std::filesystem::remove_all(folder_);
  EXPECT_THROW(read_report_data(folder_), Failure);

  std::filesystem::create_directories(folder_);
  EXPECT_THROW(read_report_data(folder_), Failure);

  write_durably(folder_ / "metrics.jsonl", "round 1\n");
  try {
    read_report_data(folder_);
    FAIL() << "malformed metrics were read";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    EXPECT_TRUE(has(failure.what(), "metrics.jsonl:1"));
  }
}

}  // namespace
}  // namespace hanse
