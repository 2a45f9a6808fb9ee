// Whole federations whose programs die between any two steps and are started again: coordinator, workers, or the machine
// under all of them, with what was not yet on its disk. Each is a function of its seed. HANSE_RECOVERIES sets how many
// there are (2,000), HANSE_RECOVERY_FROM the first.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "common/base/durable_file.h"
#include "common/base/interrupted.h"
#include "common/base/seeded_generator.h"
#include "common/data/read_dataset.h"
#include "common/transport/simulated_network.h"
#include "coordinator/checkpoint.h"
#include "coordinator/coordinator_run.h"
#include "coordinator/run_files.h"
#include "privacy/ledger/audit.h"
#include "privacy/ledger/ledger_lines.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/simulated_disk.h"
#include "worker/local_work.h"
#include "worker/run_identities.h"

/// The time of day stands still, so that a seed's ledger is the same whenever it is run.
extern "C" std::time_t time(std::time_t* out) noexcept {
  constexpr std::time_t now = 1'800'000'000;
  return out == nullptr ? now : *out = now;
}

namespace hanse {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kNever = ~std::uint64_t{0};
constexpr std::uint64_t kStepsMax =
    20'000;  ///< Of one start: a run that is not disturbed takes some hundred.

SimulatedDisk& disk() {
  return SimulatedDisk::the();
}

// --- what is run ---

/// A small federation; those of one number are the same but for who dies when.
struct Kind {
  std::uint32_t merchants;
  std::uint32_t workers;
  std::uint32_t rounds;
  const char* privacy;  ///< "none", "noise" or "budget".
  const char* encryption;
  const char* others;  ///< Another setting, or nothing.
};

const std::vector<Kind> kKinds = {
    {3, 1, 2, "none", "masked", ""},
    {3, 2, 2, "none", "masked", ""},
    {3, 3, 1, "none", "masked", ""},
    {4, 2, 2, "none", "masked", "server.optimizer=adam"},
    {2, 2, 2, "none", "none", "federation.checkpoint_every=2"},
    {4, 4, 1, "none", "masked", ""},
    {3, 2, 2, "noise", "masked", ""},
    {3, 1, 2, "budget", "masked", ""},
    {4, 2, 3, "none", "none", "privacy.sampling_rate=0.5"},
    {4, 3, 2, "noise", "masked", "federation.cohort=0.75"},
};

/// The folder of all seeds of this process: in memory, where the system has a disk of that kind.
class Home {
 public:
  Home() {
    const fs::path memory = "/dev/shm";
    std::string name =
        ((::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path()) / "hanse-recovery-XXXXXX")
            .string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary folder");
    }
    path_ = name;
    std::string rows = "shop,visits,bought\n";
    SeededGenerator random({1, 2, 3});
    for (std::uint32_t row = 0; row < 4 * 12; ++row) {
      rows += "shop" + std::to_string(1 + row % 4) + "," + std::to_string(random.below(5)) + "," +
              std::to_string(random.below(2)) + "\n";
    }
    for (std::uint32_t shops = 2; shops <= 4; ++shops) {
      std::ofstream file(path_ / ("shops" + std::to_string(shops) + ".csv"));
      std::istringstream all(rows);
      for (std::string line; std::getline(all, line);) {
        if (!line.starts_with("shop") || line[4] == ',' || line[4] - '0' <= static_cast<int>(shops)) {
          file << line << '\n';
        }
      }
    }
    std::ofstream(path_ / "shop.ini") << "[federation]\ndeadline_ms = 20000\n"
                                         "[data]\nmerchant = shop\nlabel = bought\nnumeric = visits[0..4]\n"
                                         "[workload]\nname = logistic\n";
  }
  ~Home() {
    disk().forget();
    std::error_code none;
    fs::remove_all(path_, none);
  }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

Configuration configuration_of(const Home& home, const Kind& kind) {
  std::vector<std::string> settings = {
      "data.path=" + (home / ("shops" + std::to_string(kind.merchants) + ".csv")).string(),
      "output.dir=" + (home / "disk/run").string(), "federation.rounds=" + std::to_string(kind.rounds),
      "aggregation.encryption=" + std::string(kind.encryption)};
  const std::string privacy = kind.privacy;
  if (privacy == "none") {
    settings.push_back("privacy.unit=none");
  } else {
    settings.push_back("privacy.unit=record");
    settings.push_back("privacy.delta=1e-5");
    settings.push_back(privacy == "noise" ? "privacy.noise_multiplier=0.5" : "privacy.epsilon=30");
  }
  if (*kind.others != '\0') {
    settings.push_back(kind.others);
  }
  return read_configuration(home / "shop.ini", settings);
}

// --- what is seen of it, by whoever is not part of it ---

struct Upload {
  std::uint64_t round = 0;
  std::uint32_t merchant = 0;
  auto operator<=>(const Upload&) const = default;
};

struct Seen {
  std::set<std::string> lines;  ///< Of the ledger, that merchants were shown, releases with them.
  std::set<Upload> uploads;     ///< That left a merchant.
  std::map<std::uint64_t, Digest>
      checkpoints;  ///< Lines of the ledger that one was found to follow from, and its tip.
};

// --- its programs ---

/// A worker as hanse-worker makes it.
class Worker {
 public:
  Worker(const Configuration& configuration, const Dataset& data, Peer rank, std::uint64_t seed, Seen& seen)
      : random_(seed) {
    std::vector<std::string> names;
    for (const MerchantRows& merchant : data.merchants) {
      names.push_back(merchant.name);
    }
    identities_.emplace(run_directory(configuration), names, configuration.federation.resume, random_);
    std::vector<SigningKey> keys = identities_->keys();
    std::vector<HostedMerchant> hosted;
    std::vector<LedgerMerchant> listed;
    for (std::size_t i = 0; i < names.size(); ++i) {
      listed.push_back({names[i], keys[i].public_key()});
      hosted.push_back({.name = names[i], .identity = std::move(keys[i])});
    }
    work_.emplace(configuration, data, std::move(listed), std::nullopt, random_);
    WorkerOptions options;
    options.rank = rank;
    options.plan = sha256(bytes_of(shared_text(configuration)));
    options.encryption = encryption_named(configuration.aggregation.encryption);
    options.merchants_min =
        configuration.federation.cohort < 1 && options.encryption != Encryption::none ? 3 : 0;
    options.graph = graph_wishes(configuration);
    node_.emplace(options, std::move(hosted), watched(work_->hooks(), seen), random_);
  }

  WorkerNode& node() { return *node_; }
  /// The last thing a worker does.
  void end() {
    if (node_->ended() && node_->ended()->code == ExitCode::done) {
      identities_->remove();
    }
  }

 private:
  WorkerHooks watched(WorkerHooks hooks, Seen& seen) {
    save_before_answering(hooks, *identities_);
    hooks.permit = [&seen, before = std::move(hooks.permit)](
                       std::span<const std::string> lines,
                       std::span<const std::uint32_t> merchants) -> Result<HeadToSign> {
      seen.lines.insert(lines.begin(), lines.end());
      return before(lines, merchants);
    };
    hooks.round_ended = [&seen, before = std::move(hooks.round_ended)](ByteView payload, bool released) {
      if (released) {
        seen.lines.insert(std::string(text_of(payload)));
      }
      before(payload, released);
    };
    hooks.before_sealing = [&seen](Bytes& message) {
      const auto envelope = open_envelope(message);
      if (envelope->type == MessageType::upload) {
        seen.uploads.insert({envelope->round, envelope->merchant});
      }
      return true;
    };
    return hooks;
  }

  DeterministicSecureRandom random_;
  std::optional<RunIdentities> identities_;
  std::optional<LocalWork> work_;
  std::optional<WorkerNode> node_;
};

/// The coordinator's end of the network: each call is a step.
class Line final : public Channel {
 public:
  explicit Line(SimulatedNetwork& network) : network_(network) {}
  Peer self() const override { return 0; }
  Peer size() const override { return network_.size(); }
  void send(Peer to, Bytes message) override {
    disk().step();
    network_.send(to, std::move(message));
  }
  std::optional<Incoming> receive(Instant deadline) override {
    disk().step();
    return network_.receive(deadline);
  }
  void flush(Instant deadline) override { network_.flush(deadline); }
  void flush_to(std::uint64_t bytes, Instant deadline) override { network_.flush_to(bytes, deadline); }
  const std::vector<std::pair<Peer, std::string>>& given_up() const override { return network_.given_up(); }
  std::uint64_t bytes_sent() const override { return network_.bytes_sent(); }
  Result<bool> open_sums(Instant deadline) override { return network_.open_sums(deadline); }
  void join_sum(Residues part) override { network_.join_sum(std::move(part)); }
  Result<Residues> take_sum(Instant deadline) override { return network_.take_sum(deadline); }

 private:
  SimulatedNetwork& network_;
};

struct ActingAs {
  explicit ActingAs(SimulatedDisk::Owner owner) : before(disk().act_as(owner)) {}
  ~ActingAs() { disk().act_as(before); }
  SimulatedDisk::Owner before;
};

// --- one start, from the first message to an end of some kind ---

enum class End {
  finished,     ///< With a model.
  died,         ///< The coordinator, or all.
  interrupted,  ///< The coordinator says that another start may help.
  no_budget     ///< What it had was spent on rounds that came to nothing.
};

struct Start {
  std::uint64_t seed = 0;  ///< Of keys, masks and noise: of few, so that their arithmetic is remembered.
  std::uint64_t last_step = kNever;  ///< Whoever makes this one dies.
  bool machine = false;              ///< And all others with it, and what is not on the disk.
  bool power = false;                ///< Else: whether its own machine loses what is not on its disk.
  std::uint64_t afterwards = 0;      ///< Messages under way that still arrive when the coordinator died.
  SimulatedNetworkOptions network = {};
};

class SmallFederation {
 public:
  SmallFederation(const Home& home, const Kind& kind)
      : kind_(kind), configuration_(configuration_of(home, kind)) {
    for (Peer rank = 1; rank <= kind.workers; ++rank) {
      data_.push_back(read_dataset(configuration_, rank, kind.workers));
    }
  }

  /// On an empty disk.
  void begin() {
    disk().watch(run_directory(configuration_).parent_path(),
                 [this](SimulatedDisk::Owner who) { return is_last(who); });
    configuration_.federation.resume = false;
    seen = {};
  }
  End start(const Start& start) {
    start_ = start;
    steps = 0;
    disk().revive_all();
    disk().act_as(0);
    End end = End::died;
    {
      SimulatedNetwork network(start.network);
      std::deque<std::optional<Worker>> workers;
      try {
        end = coordinate(network, workers);
      } catch (const SimulatedDisk::Died&) {
      } catch (const Failure&) {
        if (!disk().is_dead(0)) {
          throw;
        }
      }
      if (disk().is_dead(0)) {  // What it still said, it did not say.
        end = End::died;
      }
      if (end == End::died && !start.machine) {
        after_its_death(network);
      }
      if (end == End::finished) {
        part(workers);
      }
      for (Peer rank = 0; rank <= kind_.workers; ++rank) {
        disk().kill(rank);  // Nothing reaches the disk while they are taken down.
      }
    }
    lose_what_is_lost();
    disk().revive_all();
    look_at_checkpoints();
    configuration_.federation.resume = true;
    return end;
  }

  Seen seen;
  std::uint64_t steps = 0;
  bool hangs = false;
  /// In the last start.
  bool somebody_died() const { return steps > start_.last_step; }
  const Configuration& configuration() const { return configuration_; }
  fs::path folder() const { return run_directory(configuration_); }
  const Kind& kind() const { return kind_; }

 private:
  /// Asked at each step of each program.
  bool is_last(SimulatedDisk::Owner who) {
    if (++steps > kStepsMax) {
      hangs = true;
    } else if (steps - 1 != start_.last_step) {
      return false;
    }
    who_died_ = who;
    if (start_.machine || hangs) {
      for (Peer rank = 0; rank <= kind_.workers; ++rank) {
        disk().kill(rank);
      }
    }
    return true;
  }

  void make_workers(SimulatedNetwork& network, std::deque<std::optional<Worker>>& workers) {
    for (Peer rank = 1; rank <= kind_.workers; ++rank) {
      const ActingAs worker(rank);
      std::optional<Worker>& made = workers.emplace_back();
      made.emplace(configuration_, data_[rank - 1], rank, split_mix(start_.seed + rank), seen);
      network.add_worker([this, &network, &made, rank](ByteView message) {
        hear(network, made, rank, message);
        return std::vector<Bytes>();
      });
    }
    for (Peer rank = 1; rank <= kind_.workers; ++rank) {
      network.send_from(rank, workers[rank - 1]->node().hail());
    }
  }

  /// Answers leave one by one, as worker_loop sends them.
  void hear(SimulatedNetwork& network, std::optional<Worker>& worker, Peer rank, ByteView message) {
    const ActingAs itself(rank);
    try {
      disk().step();
      worker->node().handle(message, [&](Bytes answer) {
        disk().step();
        network.send_from(rank, std::move(answer));
      });
      disk().step();
    } catch (const SimulatedDisk::Died&) {
      worker.reset();
      network.crash(rank);
      if (disk().is_dead(0)) {
        throw;  // All at once.
      }
    }
  }

  End coordinate(SimulatedNetwork& network, std::deque<std::optional<Worker>>& workers) {
    make_workers(network, workers);
    std::FILE* nowhere = std::fopen("/dev/null", "w");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> closes(nowhere, std::fclose);
    Progress progress(nowhere, false, network);
    DeterministicSecureRandom random(split_mix(start_.seed));
    Line line(network);
    try {
      (void)run_coordinator(configuration_, line, network, random, progress);
      return End::finished;
    } catch (const Interrupted&) {
      return End::interrupted;
    } catch (const Failure& failure) {
      if (std::string(failure.what()).starts_with("the run ended before its first round")) {
        return End::no_budget;
      }
      throw;
    }
  }

  static void part(std::deque<std::optional<Worker>>& workers) {
    for (Peer rank = 1; rank <= workers.size(); ++rank) {
      const ActingAs worker(rank);
      if (workers[rank - 1]) {
        workers[rank - 1]->end();  // Its calls to the disk are steps, and do not throw.
      }
    }
  }

  /// Workers hear what was under way, before they too are ended.
  void after_its_death(SimulatedNetwork& network) {
    for (std::uint64_t i = 0; i < start_.afterwards; ++i) {
      (void)network.receive(network.now() + Milliseconds(1));
    }
  }

  void lose_what_is_lost() {
    SeededGenerator random({start_.network.seed, start_.seed});
    std::set<SimulatedDisk::Owner> all;
    for (Peer rank = 0; rank <= kind_.workers; ++rank) {
      all.insert(rank);
    }
    if (!somebody_died()) {
      return;
    }
    if (start_.machine) {
      disk().cut_power(all, true, random);
    } else if (start_.power) {
      disk().cut_power({who_died_}, false, random);
    }
  }

  void look_at_checkpoints() {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder() / "checkpoints", none)) {
      if (entry.path().extension() == ".hanse") {
        const Checkpoint checkpoint = decode_checkpoint(read_file(entry.path()), entry.path().string());
        seen.checkpoints[checkpoint.ledger_lines] = checkpoint.ledger_tip;
      }
    }
  }

  Kind kind_;
  Configuration configuration_;
  std::vector<Dataset> data_;
  Start start_;
  SimulatedDisk::Owner who_died_ = 0;
};

// --- what must hold in the end ---

/// What a ledger's lines say, one after the other.
struct Told {
  std::set<std::string> lines;
  std::vector<Digest> hashes;
  std::map<std::uint64_t, Intent> announced;
  std::map<std::uint64_t, std::vector<std::uint32_t>> permitted;  ///< By round.
  bool without_somebody = false;  ///< A sum that was released lacks a merchant.
  LedgerState state;
};

Told told_by(const fs::path& file, std::uint32_t merchants) {
  Told told;
  const std::string content = read_file(file);
  for (const std::string_view line : split_lines(content).lines) {
    const auto record = told.state.accept(line, Signatures::trust);  // The audit has verified them.
    EXPECT_TRUE(record) << record.what();
    if (!record) {
      break;
    }
    told.lines.insert(std::string(line));
    told.hashes.push_back(told.state.tip());
    if (const auto* intent = std::get_if<Intent>(&record->payload)) {
      told.announced.emplace(intent->round, *intent);
    }
    if (!told.state.permitted_by().empty()) {
      told.permitted[told.state.open_intent()->round] = told.state.permitted_by();
    }
    if (const auto* release = std::get_if<Release>(&record->payload)) {
      told.without_somebody |=
          release->status == Release::Status::released && release->merchants.size() < merchants;
    }
  }
  return told;
}

/// Epsilon of the rounds for which something left a merchant, by the accountant alone.
double epsilon_of(const std::set<Upload>& uploads, const Told& told, Population population) {
  std::set<std::uint64_t> rounds;
  for (const Upload& upload : uploads) {
    rounds.insert(upload.round);
  }
  RdpAccountant accountant;
  for (const std::uint64_t round : rounds) {
    const auto intent = told.announced.find(round);
    if (intent != told.announced.end() && intent->second.population == population) {
      accountant.compose(event_of(intent->second, 0));
    }
  }
  return accountant.epsilon(1e-5).epsilon;
}

/// What a run leaves that nobody disturbed.
struct Undisturbed {
  std::uint64_t steps = 0;
  std::string model;
};

struct Tally {
  std::uint64_t starts = 0;
  std::uint64_t coordinators = 0;  ///< That died alone.
  std::uint64_t workers = 0;       ///< That died alone.
  std::uint64_t machines = 0;
  std::uint64_t interrupted = 0;
  std::uint64_t no_budget = 0;
  std::uint64_t same_models = 0;  ///< Compared with that of the undisturbed run.
  std::uint64_t uploads = 0;
};

void expect_nothing_lost(const SmallFederation& federation, End end, const Undisturbed& undisturbed,
                         Tally& tally) {
  const fs::path folder = federation.folder();
  const Seen& seen = federation.seen;
  const AuditReport report = audit(folder);
  ASSERT_NE(report.verdict(), AuditReport::Verdict::broken) << text_of(report);
  ASSERT_TRUE(end != End::finished || report.holds()) << text_of(report);
  const Told told = told_by(folder / "ledger.jsonl", federation.kind().merchants);

  for (const std::string& line : seen.lines) {
    ASSERT_TRUE(told.lines.contains(line)) << "a merchant was shown a line that is lost: " << line;
  }
  for (const auto& [lines, tip] : seen.checkpoints) {
    ASSERT_TRUE(lines <= told.hashes.size() && told.hashes[lines - 1] == tip)
        << "a checkpoint follows from a ledger that is lost";
  }
  tally.uploads += seen.uploads.size();
  for (const Upload& upload : seen.uploads) {
    const auto permitted = told.permitted.find(upload.round);
    ASSERT_TRUE(permitted != told.permitted.end() &&
                std::ranges::binary_search(permitted->second, upload.merchant))
        << "merchant " << upload.merchant << " sent what it had not permitted, in round " << upload.round;
  }
  if (federation.configuration().privacy.unit != Unit::none) {
    ASSERT_GE(told.state.epsilon_spent(), std::max(epsilon_of(seen.uploads, told, Population::train),
                                                   epsilon_of(seen.uploads, told, Population::test)));
  } else if (!told.without_somebody) {
    ASSERT_EQ(end, End::finished);
    ASSERT_EQ(read_file(folder / "model" / "model.hanse"), undisturbed.model) << "another model";
    ++tally.same_models;
  }
  ASSERT_TRUE(end != End::finished || federation.somebody_died() || !fs::exists(folder / "coordinator.key"));
}

// --- the seeds ---

/// The first start dies somewhere; the second every second time, the third every fourth; then nobody dies any more.
Start start_of(std::uint64_t seed, std::uint64_t number, std::uint64_t steps) {
  SeededGenerator random({seed, number, 0x5265});
  Start start{.seed = split_mix(seed / kKinds.size() % 8 * 64 + number)};
  if (number < 6 && random.below(std::uint64_t{1} << number) == 0) {
    start.last_step = random.below(steps);
  }
  start.machine = random.below(3) == 0;
  start.power = random.below(2) == 0;
  start.afterwards = random.below(2) * random.below(12);
  start.network.seed = split_mix(seed);
  start.network.delay_max = Milliseconds(random.below(2) * 5);
  if (number < 6 && random.below(16) == 0) {
    start.network.loss = 0.02;
  }
  return start;
}

void run_seed(SmallFederation& federation, std::uint64_t seed, const Undisturbed& undisturbed, Tally& tally) {
  federation.begin();
  End end = End::died;
  for (std::uint64_t number = 0; number < 10; ++number) {
    const Start start = start_of(seed, number, undisturbed.steps);
    SCOPED_TRACE("start " + std::to_string(number) + ", last step " + std::to_string(start.last_step) +
                 (start.machine ? ", of all"
                  : start.power ? ", with its machine"
                                : ""));
    ++tally.starts;
    try {
      end = federation.start(start);
    } catch (const Failure& failure) {
      FAIL() << failure.what();
    }
    ASSERT_FALSE(federation.hangs);
    if (federation.somebody_died()) {
      ++(start.machine ? tally.machines : end == End::died ? tally.coordinators : tally.workers);
    }
    tally.interrupted += end == End::interrupted ? 1 : 0;
    tally.no_budget += end == End::no_budget ? 1 : 0;
    if (end == End::finished || end == End::no_budget) {
      break;
    }
  }
  ASSERT_TRUE(end == End::finished || end == End::no_budget) << "not finished after ten starts";
  expect_nothing_lost(federation, end, undisturbed, tally);
}

std::uint64_t number_from(const char* name, std::uint64_t usual) {
  const char* wished = std::getenv(name);
  return wished != nullptr ? std::strtoull(wished, nullptr, 10) : usual;
}

TEST(Recovery, LosesNoAcknowledgedRoundAndNoSpentBudgetWhereverProgramsDie) {
  const Home home;
  std::deque<SmallFederation> federations;
  std::vector<Undisturbed> undisturbed;
  for (const Kind& kind : kKinds) {
    SmallFederation& federation = federations.emplace_back(home, kind);
    federation.begin();
    ASSERT_EQ(federation.start({.seed = 7}), End::finished);
    undisturbed.push_back({federation.steps, read_file(federation.folder() / "model" / "model.hanse")});
    Tally none;
    expect_nothing_lost(federation, End::finished, undisturbed.back(), none);
    ASSERT_FALSE(HasFatalFailure());
  }
  const std::uint64_t first = number_from("HANSE_RECOVERY_FROM", 0);
#ifdef HANSE_SANITIZED
  constexpr std::uint64_t usual = 200;
#else
  constexpr std::uint64_t usual = 2000;
#endif
  const std::uint64_t count = number_from("HANSE_RECOVERIES", usual);
  Tally tally;

  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::size_t kind = seed % kKinds.size();
    run_seed(federations[kind], seed, undisturbed[kind], tally);
    if (HasFatalFailure()) {
      return;
    }
  }

  const auto tell = [](const char* what, std::uint64_t number) {
    std::printf("%10llu %s\n", static_cast<unsigned long long>(number), what);
  };
  tell("federations, each finished or out of budget, with nothing lost", count);
  tell("starts", tally.starts);
  tell("deaths of a coordinator alone", tally.coordinators);
  tell("deaths of a worker alone", tally.workers);
  tell("power cuts of all at once", tally.machines);
  tell("starts that ended for lack of workers", tally.interrupted);
  tell("federations out of budget before their first round", tally.no_budget);
  tell("contributions that left a merchant, all in the ledger", tally.uploads);
  tell("models with the bytes of the undisturbed run", tally.same_models);
  // All ways are well walked.
  EXPECT_GT(tally.coordinators, count / 4);
  EXPECT_GT(tally.workers, count / 8);
  EXPECT_GT(tally.machines, count / 4);
  EXPECT_GT(tally.same_models, count / 4);
}

}  // namespace
}  // namespace hanse
