// A federation that dies at once, with all its processes, between any two steps: its ledgers never say less than was
// released, and continued it ends with the model of a run that was never interrupted. HANSE_CRASHES sets how many deaths
// are tried (20, and 6 of each kind that is continued).

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "common/base/interrupted.h"
#include "common/base/seeded_generator.h"
#include "common/data/read_dataset.h"
#include "common/transport/simulated_network.h"
#include "coordinator/coordinator_run.h"
#include "coordinator/run_files.h"
#include "privacy/ledger/audit.h"
#include "privacy/ledger/ledger_lines.h"
#include "privacy/ledger/ledger_writer.h"
#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"
#include "tests/support/deterministic_random.h"
#include "worker/local_work.h"

namespace hanse {
namespace {

/// Counts the steps of the process that is to die: every message, and every write to the disk and every wait for it, before
/// and after. A write at which it dies may be cut in the middle.
struct Steps {
  bool counting = false;
  std::uint64_t taken = 0;
  std::uint64_t last = ~std::uint64_t{0};  ///< The step it does not survive.

  bool is_last() { return counting && taken++ == last; }
  static void die() { ::kill(::getpid(), SIGKILL); }
  void take() {
    if (is_last()) {
      die();
    }
  }
};
Steps steps;

}  // namespace
}  // namespace hanse

extern "C" ssize_t write(int descriptor, const void* bytes, std::size_t size) {
  if (hanse::steps.is_last()) {
    (void)::syscall(SYS_write, descriptor, bytes, size / 2);
    hanse::Steps::die();
  }
  const ssize_t written = ::syscall(SYS_write, descriptor, bytes, size);
  hanse::steps.take();
  return written;
}
extern "C" int fsync(int descriptor) {
  const int result = static_cast<int>(::syscall(SYS_fsync, descriptor));
  hanse::steps.take();
  return result;
}
extern "C" int fdatasync(int descriptor) {
  const int result = static_cast<int>(::syscall(SYS_fdatasync, descriptor));
  hanse::steps.take();
  return result;
}

namespace hanse {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kWorkers = 2;
constexpr std::uint64_t kCoordinatorSeed = 11;

bool claims_are_signed = true;

/// A worker of the real run that notes, in a file of its own, each round for which an upload leaves it.
struct NotingWorker {
  NotingWorker(const Configuration& configuration, Peer rank, int notes) : random(100 + rank) {
    Dataset data = read_dataset(configuration, rank, kWorkers);
    std::vector<HostedMerchant> hosted;
    std::vector<LedgerMerchant> listed;
    for (const MerchantRows& merchant : data.merchants) {
      hosted.push_back({.name = merchant.name, .identity = SigningKey::generate(random)});
      listed.push_back({merchant.name, hosted.back().identity.public_key()});
    }
    work =
        std::make_unique<LocalWork>(configuration, std::move(data), std::move(listed), std::nullopt, random);
    WorkerHooks hooks = work->hooks();
    hooks.before_sealing = [notes](Bytes& message) {
      const auto envelope = open_envelope(message);
      if (envelope->type == MessageType::upload) {
        const std::string line = std::to_string(envelope->round) + "\n";
        (void)::syscall(SYS_write, notes, line.data(), line.size());
      }
      return true;
    };
    hooks.permit = [before = std::move(hooks.permit)](
                       std::span<const std::string> lines,
                       std::span<const std::uint32_t> merchants) -> Result<HeadToSign> {
      const auto last = lines.empty() ? Result<Record>(Error{"none"}) : decode_record(lines.back());
      if (!claims_are_signed && last && std::holds_alternative<Claim>(last->payload)) {
        return Error{"not now"};
      }
      return before(lines, merchants);
    };
    WorkerOptions options;
    options.rank = rank;
    options.plan = sha256(bytes_of(shared_text(configuration)));
    options.graph = graph_wishes(configuration);
    node = std::make_unique<WorkerNode>(options, std::move(hosted), std::move(hooks), random);
  }

  DeterministicSecureRandom random;
  std::unique_ptr<LocalWork> work;
  std::unique_ptr<WorkerNode> node;
};

using Settings = std::vector<std::string>;
const Settings kWithBudget = {"privacy.unit=record", "privacy.epsilon=2", "privacy.delta=1e-5",
                              "federation.rounds=2"};

Settings with(Settings settings, const std::string& another) {
  settings.push_back(another);
  return settings;
}

Configuration configuration_of(const MarketFolder& market, const Settings& settings) {
  return read_configuration(market / "shop.ini",
                            with(with(settings, "output.dir=" + (market / "run").string()),
                                 "data.path=" + (market / "shop.csv").string()));
}

void run_federation(const MarketFolder& market, const Settings& settings, int notes) {
  const Configuration configuration = configuration_of(market, settings);
  SimulatedNetwork network;
  network.set_tap([](Peer, Peer, ByteView) { steps.take(); });
  std::deque<NotingWorker> workers;
  for (Peer rank = 1; rank <= kWorkers; ++rank) {
    WorkerNode* node = workers.emplace_back(configuration, rank, notes).node.get();
    network.add_worker([node](ByteView message) { return node->handle(message); });
  }
  for (Peer rank = 1; rank <= kWorkers; ++rank) {
    network.send_from(rank, workers[rank - 1].node->hail());
  }
  DeterministicSecureRandom random(kCoordinatorSeed);
  std::FILE* nowhere = std::fopen("/dev/null", "w");
  Progress progress(nowhere, false, network);
  (void)run_coordinator(configuration, network, network, random, progress);
  std::fclose(nowhere);
}

constexpr std::uint64_t kNever = ~std::uint64_t{0};

/// Runs the federation, or what is left of one, in a process of its own that dies at step `last`; how many steps it took
/// when it lived to its end.
std::optional<std::uint64_t> go_until(const MarketFolder& market, const Settings& settings,
                                      std::uint64_t last) {
  std::error_code none;
  fs::remove(market / "steps", none);
  const pid_t child = ::fork();
  if (child == 0) {
    const int notes = ::open((market / "uploads").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    steps = {.counting = true, .taken = 0, .last = last};
    try {
      run_federation(market, settings, notes);
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "%s\n", failure.what());
      ::_exit(1);
    }
    steps.counting = false;
    market.write("steps", std::to_string(steps.taken));
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    return std::nullopt;
  }
  EXPECT_EQ(status, 0);
  return std::stoull(bytes_of_file(market / "steps"));
}

/// The same for a new one.
std::optional<std::uint64_t> run_until(const MarketFolder& market, const Settings& settings,
                                       std::uint64_t last) {
  std::error_code none;
  fs::remove_all(market / "run", none);
  fs::remove(market / "uploads", none);
  return go_until(market, settings, last);
}

/// The rounds for which an upload left a merchant.
std::set<std::uint64_t> uploaded_rounds(const MarketFolder& market) {
  std::set<std::uint64_t> rounds;
  if (fs::exists(market / "uploads")) {
    for (const std::string& line : lines_of(bytes_of_file(market / "uploads"))) {
      rounds.insert(std::stoull(line));
    }
  }
  return rounds;
}

/// What a ledger says: its rounds, those that merchants permitted, and the state that its complete lines give.
struct Told {
  std::map<std::uint64_t, Intent> announced;
  std::set<std::uint64_t> permitted;
  LedgerState state;
};
Told told_by(const fs::path& file) {
  Told told;
  if (!fs::exists(file)) {
    return told;
  }
  const std::string content = bytes_of_file(file);
  for (const std::string_view line : split_lines(content).lines) {
    const auto record = told.state.accept(line);
    EXPECT_TRUE(record) << record.what();
    if (record && std::holds_alternative<Intent>(record->payload)) {
      const Intent& intent = std::get<Intent>(record->payload);
      told.announced.emplace(intent.round, intent);
    }
    if (!told.state.permitted_by().empty()) {
      told.permitted.insert(told.state.open_intent()->round);
    }
  }
  return told;
}

/// Epsilon of these rounds alone, by the accountant.
double epsilon_of(const std::set<std::uint64_t>& rounds, const Told& told, Population population) {
  RdpAccountant accountant;
  for (const std::uint64_t round : rounds) {
    const auto intent = told.announced.find(round);
    if (intent != told.announced.end() && intent->second.population == population) {
      accountant.compose(event_of(intent->second, 0));
    }
  }
  return accountant.epsilon(1e-5).epsilon;
}

void expect_no_less_than_was_released(const MarketFolder& market) {
  const std::set<std::uint64_t> uploaded = uploaded_rounds(market);
  const fs::path ledger = market / "run" / "ledger.jsonl";
  if (!fs::exists(ledger)) {
    EXPECT_TRUE(uploaded.empty());
    return;
  }
  const AuditReport report = audit(market / "run");
  const Told told = told_by(ledger);

  EXPECT_NE(report.verdict(), AuditReport::Verdict::broken) << text_of(report);
  for (const std::uint64_t round : uploaded) {
    EXPECT_TRUE(told.announced.contains(round)) << "round " << round << " is in no ledger";
    EXPECT_TRUE(told.permitted.contains(round)) << "nobody had permitted round " << round;
  }
  const double released =
      std::max(epsilon_of(uploaded, told, Population::train), epsilon_of(uploaded, told, Population::test));
  const bool promises = !told.state.empty() && told.state.plan().unit != Unit::none;
  EXPECT_TRUE(!promises || told.state.epsilon_spent() >= released);
  for (int shop = 1; shop <= 4; ++shop) {
    const Told copy =
        told_by(market / "run" / "merchants" / ("shop" + std::to_string(shop)) / "ledger.jsonl");
    for (const std::uint64_t round : uploaded) {
      EXPECT_TRUE(copy.announced.contains(round)) << "round " << round << " is not in a copy of shop" << shop;
    }
  }
  // And it goes on from there, no cheaper.
  if (!told.state.empty()) {
    DeterministicSecureRandom random(kCoordinatorSeed);
    LedgerWriter writer = LedgerWriter::resume(ledger, SigningKey::generate(random));
    writer.abort_open("the coordinator was started again");
    EXPECT_TRUE(!promises || writer.state().epsilon_spent() >= released);
  }
}

int crashes(int usual = 20) {
  const char* wished = std::getenv("HANSE_CRASHES");
  return wished != nullptr ? std::atoi(wished) : usual;
}

TEST(LedgerCrash, BetweenAnyTwoStepsLeavesALedgerThatClaimsNoLessThanWasReleased) {
  const MarketFolder market(4, 12);
  const auto all_steps = run_until(market, kWithBudget, kNever);
  ASSERT_TRUE(all_steps.has_value());
  ASSERT_TRUE(audit(market / "run").holds());
  ASSERT_EQ(uploaded_rounds(market).size(), 4u) << "moments, two gradients, scores at the end";
  SeededGenerator random({2026});

  for (int crash = 0; crash < crashes(); ++crash) {
    const std::uint64_t last = random.below(*all_steps);
    SCOPED_TRACE("seed " + std::to_string(crash) + ", step " + std::to_string(last) + " of " +
                 std::to_string(*all_steps));
    (void)run_until(market, kWithBudget, last);
    expect_no_less_than_was_released(market);
  }
}

// --- continued ---

struct Continued {
  const char* name;
  Settings settings;
  bool same_model = true;  ///< Without noise.
};
void PrintTo(const Continued& one, std::ostream* out) {
  *out << one.name;
}

class ContinuedRun : public testing::TestWithParam<Continued> {};

/// Every second death is followed by another one in the part that continues.
TEST_P(ContinuedRun, EndsAsIfItHadNeverDied) {
  const MarketFolder market(4, 12);
  const Settings& settings = GetParam().settings;
  const Settings resumed = with(settings, "federation.resume=true");
  const auto all_steps = run_until(market, settings, kNever);
  ASSERT_TRUE(all_steps.has_value());
  const auto undisturbed = model_files(market / "run");
  const std::string metrics = bytes_of_file(market / "run" / "metrics.jsonl");
  SeededGenerator random({2027});

  for (int crash = 0; crash < crashes(6); ++crash) {
    const std::uint64_t last = random.below(*all_steps);
    SCOPED_TRACE("seed " + std::to_string(crash) + ", step " + std::to_string(last) + " of " +
                 std::to_string(*all_steps));
    (void)run_until(market, settings, last);
    if (crash % 2 == 1) {
      (void)go_until(market, resumed, random.below(*all_steps));
    }
    ASSERT_TRUE(go_until(market, resumed, kNever).has_value());

    expect_no_less_than_was_released(market);
    EXPECT_TRUE(audit(market / "run").holds()) << text_of(audit(market / "run"));
    if (GetParam().same_model) {
      EXPECT_TRUE(undisturbed == model_files(market / "run")) << "another model";
    }
    EXPECT_EQ(lines_of(bytes_of_file(market / "run" / "metrics.jsonl")).size(), lines_of(metrics).size());
    EXPECT_FALSE(fs::exists(market / "run" / "coordinator.key")) << "the run is finished";
    EXPECT_TRUE(fs::exists(market / "run" / "model" / "certificate.json"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    EveryKind, ContinuedRun,
    testing::Values(Continued{"WithoutNoise", {}},
                    Continued{"WithSamplingCohortsAdamAndAClipNormThatAdapts",
                              {"privacy.sampling_rate=0.5", "federation.cohort=0.75", "server.optimizer=adam",
                               "privacy.adaptive_clip=true", "privacy.clip=0.5",
                               "federation.checkpoint_every=2", "federation.rounds=5"}},
                    Continued{"WithNoise",
                              {"privacy.unit=record", "privacy.noise_multiplier=2", "privacy.delta=1e-5"},
                              false},
                    Continued{"WithTurnsAndCorrelatedNoise",
                              {"privacy.unit=record", "privacy.noise_multiplier=2", "privacy.delta=1e-5",
                               "privacy.turns=2", "privacy.correlated_noise=banded"},
                              false}),
    [](const auto& one) { return std::string(one.param.name); });

/// A run that died in its second half, and its ledger.
struct DeadRun {
  DeadRun() {
    const auto all_steps = run_until(market, {}, kNever);
    EXPECT_TRUE(all_steps.has_value());
    undisturbed = model_files(market / "run");
    EXPECT_FALSE(run_until(market, {}, *all_steps * 2 / 3).has_value());
  }
  fs::path file() const { return market / "run" / "ledger.jsonl"; }
  /// Without its last `count` lines.
  void lose_lines(std::size_t count) const {
    std::vector<std::string> lines = lines_of(bytes_of_file(file()));
    lines.resize(lines.size() - count);
    std::string text;
    for (const std::string& line : lines) {
      text += line + "\n";
    }
    market.write("run/ledger.jsonl", text);
  }
  /// Why it cannot be continued, or nothing.
  std::string refusal() const {
    try {
      run_federation(market, {"federation.resume=true"}, -1);
    } catch (const Failure& failure) {
      return std::to_string(static_cast<int>(failure.code())) + ": " + failure.what();
    }
    return "";
  }
  std::string log() const { return bytes_of_file(market / "run" / "log.txt"); }

  const MarketFolder market{4, 12};
  std::map<std::string, std::string> undisturbed;
};

TEST(ContinuedRunsLedger, TakesBackLinesThatOnlyMerchantsStillHave) {
  const DeadRun run;
  run.lose_lines(4);

  EXPECT_EQ(run.refusal(), "");

  EXPECT_NE(run.log().find("lines that merchants have; they are back in it"), std::string::npos) << run.log();
  EXPECT_TRUE(audit(run.market / "run").holds()) << text_of(audit(run.market / "run"));
  EXPECT_TRUE(run.undisturbed == model_files(run.market / "run"));
}

TEST(ContinuedRunsLedger, ThatTakesBackWhatMerchantsSawIsRefused) {
  const DeadRun run;
  run.lose_lines(6);
  DeterministicSecureRandom random(kCoordinatorSeed);
  {
    LedgerWriter writer = LedgerWriter::resume(run.file(), SigningKey::generate(random));
    writer.abort_open("another history");
    if (!writer.state().open_intent() && writer.state().next_seq() < 8) {
      ADD_FAILURE() << "too short a ledger for this test";
    }
    Intent intent;  // Anything that merchants have not seen at this place.
    for (const std::string& line : writer.lines_from(0)) {
      const auto record = decode_record(line);
      if (std::holds_alternative<Intent>(record->payload)) {
        intent = std::get<Intent>(record->payload);
      }
    }
    intent.round += 1000;
    intent.model = *writer.state().model();
    writer.write(std::move(intent));
  }

  EXPECT_NE(run.refusal().find("4: the run cannot continue: the merchants of worker"), std::string::npos)
      << run.refusal();
  EXPECT_NE(run.refusal().find("the ledger forks"), std::string::npos) << run.refusal();
}

TEST(ContinuedRunsLedger, IsNotBegunAnewWhereMerchantsHaveOne) {
  const DeadRun run;
  fs::remove(run.file());

  EXPECT_NE(run.refusal().find("4: merchants have a ledger of this run and the coordinator has none"),
            std::string::npos)
      << run.refusal();

  // As the sentence says: a merchant's copy is as good.
  fs::copy_file(run.market / "run" / "merchants" / "shop1" / "ledger.jsonl", run.file());
  EXPECT_EQ(run.refusal(), "");
  EXPECT_TRUE(run.undisturbed == model_files(run.market / "run"));
}

TEST(ContinuedRunsLedger, ThatWasAlteredIsRefused) {
  const DeadRun run;
  std::string text = bytes_of_file(run.file());
  text[text.find("\"round\":") + 8] ^= 1;
  run.market.write("run/ledger.jsonl", text);

  EXPECT_EQ(run.refusal().substr(0, 3), "4: ") << run.refusal();
}

TEST(ContinuedRunsKeys, AreNeeded) {
  const DeadRun run;
  fs::remove(run.market / "run" / "coordinator.key");

  // The worker programs of this test make their keys from a seed, the coordinator too: another seed.
  const Configuration configuration = configuration_of(run.market, {"federation.resume=true"});
  EXPECT_EQ(check_run_start(configuration), RunStart::continued);
  DeterministicSecureRandom other(kCoordinatorSeed + 1);
  try {
    (void)LedgerWriter::resume(run.file(), SigningKey::generate(other));
    FAIL() << "continued by a stranger";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::refused);
  }
}

TEST(ContinuedRunsCheckpoints, FallBackToTheOneBeforeAndToTheBeginning) {
  const DeadRun run;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(run.market / "run" / "checkpoints")) {
    files.push_back(entry.path());
  }
  ASSERT_GE(files.size(), 2u);
  std::sort(files.begin(), files.end());
  fs::resize_file(files.back(), 100);

  EXPECT_EQ(run.refusal(), "");

  EXPECT_NE(run.log().find("is torn, and the one before it is tried"), std::string::npos) << run.log();
  EXPECT_TRUE(run.undisturbed == model_files(run.market / "run"));

  const DeadRun another;
  fs::remove_all(another.market / "run" / "checkpoints");
  EXPECT_EQ(another.refusal(), "");
  EXPECT_NE(another.log().find("continues from its beginning"), std::string::npos) << another.log();
  EXPECT_TRUE(another.undisturbed == model_files(another.market / "run"));
}

/// The last release is on the disk and its model is lost; the budget has nothing left to repeat it.
TEST(ContinuedRunsClaim, IsOfTheModelThatIsPublished) {
  const MarketFolder market(4, 12);
  ASSERT_TRUE(run_until(market, kWithBudget, kNever).has_value());
  std::vector<fs::path> checkpoints;
  for (const auto& entry : fs::directory_iterator(market / "run" / "checkpoints")) {
    checkpoints.push_back(entry.path());
  }
  std::sort(checkpoints.begin(), checkpoints.end());
  std::for_each(checkpoints.begin() + 1, checkpoints.end(), [](const fs::path& file) { fs::remove(file); });
  fs::remove_all(market / "run" / "model");
  std::vector<Digest> models;  // Of the releases: moments, two gradients.
  std::string kept;
  for (const std::string& line : lines_of(bytes_of_file(market / "run" / "ledger.jsonl"))) {
    const auto record = decode_record(line);
    if (models.size() < 3) {
      kept += line + "\n";
    }
    if (const auto* release = std::get_if<Release>(&record->payload)) {
      models.push_back(release->model);
    }
  }
  market.write("run/ledger.jsonl", kept);
  for (int shop = 1; shop <= 4; ++shop) {
    market.write("run/merchants/shop" + std::to_string(shop) + "/ledger.jsonl", kept);
  }

  ASSERT_TRUE(go_until(market, with(kWithBudget, "federation.resume=true"), kNever).has_value());

  const AuditReport report = audit(market / "run");
  EXPECT_TRUE(report.holds()) << text_of(report);
  ASSERT_TRUE(report.state.claim().has_value());
  EXPECT_EQ(report.state.claim()->model, models[1]) << "the second update is lost";
  EXPECT_NE(bytes_of_file(market / "run" / "model" / "model.json").find(hex(models[1])), std::string::npos);
}

TEST(ContinuedRunsClaim, IsSignedLaterWhenNobodySignedItAtFirst) {
  const MarketFolder market(4, 12);
  claims_are_signed = false;
  EXPECT_THROW(run_federation(market, {}, -1), Interrupted);
  EXPECT_TRUE(fs::exists(market / "run" / "coordinator.key")) << "it signs the head that is missing";
  claims_are_signed = true;

  run_federation(market, {"federation.resume=true"}, -1);

  EXPECT_TRUE(audit(market / "run").holds()) << text_of(audit(market / "run"));
  EXPECT_FALSE(fs::exists(market / "run" / "coordinator.key")) << "the run is finished";
}

/// The coordinator's process alone, in a real run.
TEST(LedgerCrash, OfTheCoordinatorAloneLeavesAnUnfinishedRunThatHolds) {
  const MarketFolder market(4, 20);
  StartedProgram started(
      {"hanse", "run", (market / "shop.ini").string(), "-n", "2", "privacy.unit=record", "privacy.epsilon=2",
       "privacy.delta=1e-5", "federation.rounds=5000", "federation.restarts=0", "output.dir=run"},
      market.path());
  std::vector<pid_t> coordinator;
  for (int tries = 0; tries < 1500; ++tries) {
    std::error_code none;
    if (fs::exists(market / "run" / "metrics.jsonl") &&
        fs::file_size(market / "run" / "metrics.jsonl", none) > 0) {
      coordinator = processes_with((market / "shop.ini").string(), HANSE_BIN_DIR "/hanse-coordinator ");
      break;
    }
    ::usleep(20000);
  }
  ASSERT_EQ(coordinator.size(), 1u);

  ::kill(coordinator[0], SIGKILL);
  for (const pid_t worker : processes_with((market / "shop.ini").string(), HANSE_BIN_DIR "/hanse-worker ")) {
    ::kill(worker, SIGKILL);  // They would wait for the coordinator for minutes.
  }
  const Outcome run = started.wait();
  const Outcome audit = run_in(market.path(), {"hanse", "audit", "run"});

  EXPECT_NE(run.code, 0);
  EXPECT_EQ(audit.code, 3) << audit.output << audit.errors;
  EXPECT_NE(audit.output.find("The run is unfinished."), std::string::npos) << audit.output;
}

}  // namespace
}  // namespace hanse
