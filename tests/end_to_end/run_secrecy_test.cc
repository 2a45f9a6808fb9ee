// What a whole run shows: every byte on the wire, everything the coordinator reads once decrypted, every file
// it leaves. A run without masks, in which the same search finds everything, proves that the search is not
// blind.

#include <algorithm>
#include <bit>
#include <cstring>
#include <ctime>
#include <deque>
#include <map>
#include <set>
#include <unordered_set>

#include "common/data/read_dataset.h"
#include "common/transport/simulated_network.h"
#include "coordinator/coordinator_run.h"
#include "coordinator/coordinator_session.h"
#include "privacy/protocol/round_payload.h"
#include "privacy/secure_sum/masks.h"
#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"
#include "tests/support/deterministic_random.h"
#include "worker/local_work.h"
#include "worker/worker_node.h"

/// Time stands still in this program, so that two runs can be compared byte for byte.
extern "C" std::time_t time(std::time_t* into) noexcept {
  constexpr std::time_t kNow = 1'800'000'000;
  if (into != nullptr) {
    *into = kNow;
  }
  return kNow;
}

namespace hanse {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kWorkers = 2;
constexpr std::uint64_t kCoordinatorSeed = 11;

/// A channel that keeps what is received.
class RecordingChannel final : public Channel {
 public:
  explicit RecordingChannel(Channel& channel) : channel_(channel) {}
  Peer self() const override { return channel_.self(); }
  Peer size() const override { return channel_.size(); }
  void send(Peer to, Bytes message) override { channel_.send(to, std::move(message)); }
  std::optional<Incoming> receive(Instant deadline) override {
    auto incoming = channel_.receive(deadline);
    if (incoming) {
      received.push_back(*incoming);
    }
    return incoming;
  }
  void flush(Instant deadline) override { channel_.flush(deadline); }
  void flush_to(std::uint64_t bytes, Instant deadline) override { channel_.flush_to(bytes, deadline); }
  const std::vector<std::pair<Peer, std::string>>& given_up() const override { return channel_.given_up(); }
  std::uint64_t bytes_sent() const override { return channel_.bytes_sent(); }
  Result<bool> open_sums(Instant deadline) override { return channel_.open_sums(deadline); }
  void join_sum(Residues part) override { channel_.join_sum(std::move(part)); }
  Result<Residues> take_sum(Instant deadline) override { return channel_.take_sum(deadline); }

  std::vector<Incoming> received;

 private:
  Channel& channel_;
};

/// All that a run showed, and what it must not show.
struct Exposure {
  std::vector<Bytes> wire;           ///< Every message, as it travelled.
  std::vector<Bytes> read;           ///< Every message to the coordinator, decrypted.
  std::set<std::uint64_t> residues;  ///< Large entries of single merchants' unmasked sums.
  std::vector<std::string> cells;    ///< Cells of the data, as they stand in the file.
  std::vector<float> numbers;        ///< The same as numbers.
  std::size_t uploads = 0;
};

/// Sentinels: values with seven digits that nothing else in a run has.
std::string sentinel_market(Exposure& exposure) {
  SeededGenerator random({99});
  std::string text = MarketFolder::kHeader;
  for (int row = 0; row < 120; ++row) {
    std::string cells[2];
    for (std::string& cell : cells) {
      cell = std::to_string(1 + random.below(3)) + "." + std::to_string(1'000'001 + random.below(8'000'000));
      exposure.cells.push_back(cell);
      exposure.numbers.push_back(std::stof(cell));
    }
    text += "shop" + std::to_string(row % 5) + "," + cells[0] + "," + cells[1] + "," + "ABC"[row % 3] +
            (cells[0] > cells[1] ? ",1," : ",0,") + (row % 4 == 0 ? "test\n" : "train\n");
  }
  return text;
}

/// Whether an entry is a number that nothing else has: large, and no round count such as 2^18, which the
/// bytes of two neighbouring header fields spell as well.
bool is_telling(std::uint64_t residue) {
  const std::uint64_t magnitude = std::min(residue, 0 - residue);
  return magnitude > (1 << 16) && std::popcount(magnitude) >= 6;
}

/// A worker of the real run, whose prepare() also notes the sum that it would have sent without masks.
struct TestWorker {
  TestWorker(const Configuration& configuration, Peer rank, bool masked, Exposure& exposure)
      : random(100 + rank) {
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
    hooks.prepare = [&exposure, prepare = hooks.prepare](std::uint32_t merchant, const Seal& seal) {
      const SealedSum bare = prepare(merchant, RoundMasks());
      std::visit(
          [&](const auto& entries) {
            for (std::size_t i = 0; i + kCanaries.size() < entries.size(); ++i) {
              if (is_telling(entries[i])) {
                exposure.residues.insert(entries[i]);
              }
            }
          },
          bare.residues());
      ++exposure.uploads;
      return prepare(merchant, seal);
    };
    WorkerOptions options;
    options.rank = rank;
    options.plan = sha256(bytes_of(shared_text(configuration)));
    options.encryption = masked ? Encryption::masked : Encryption::none;
    node = std::make_unique<WorkerNode>(options, std::move(hosted), std::move(hooks), random);
  }

  DeterministicSecureRandom random;
  std::unique_ptr<LocalWork> work;
  std::unique_ptr<WorkerNode> node;
};

/// Decrypts what the coordinator received: a second session with the same keys, told the same.
std::vector<Bytes> decrypted(const Configuration& configuration, bool masked,
                             const std::vector<Incoming>& received) {
  DeterministicSecureRandom random(kCoordinatorSeed);
  const SigningKey identity = SigningKey::generate(random);
  CoordinatorSession session({.workers = kWorkers,
                              .encryption = masked ? Encryption::masked : Encryption::none,
                              .plan = sha256(bytes_of(shared_text(configuration)))},
                             identity, random);
  std::vector<Bytes> read;
  for (const Incoming& incoming : received) {
    if (!session.ready()) {
      (void)session.handle(incoming.from, incoming.message);
      continue;
    }
    auto message = session.open(incoming.from, incoming.message);
    EXPECT_TRUE(message) << message.what();
    if (message) {
      read.push_back(std::move(message->message));
    }
  }
  return read;
}

/// Runs the federation in this process; gives what the coordinator received, as it travelled.
std::vector<Incoming> run_federation(const Configuration& configuration, Exposure& exposure) {
  const bool masked = configuration.aggregation.encryption == "masked";
  SimulatedNetwork network;
  network.set_tap(
      [&](Peer, Peer, ByteView message) { exposure.wire.emplace_back(message.begin(), message.end()); });
  std::deque<TestWorker> workers;
  for (Peer rank = 1; rank <= kWorkers; ++rank) {
    WorkerNode* node = workers.emplace_back(configuration, rank, masked, exposure).node.get();
    network.add_worker([node](ByteView message) { return node->handle(message); });
  }
  for (Peer rank = 1; rank <= kWorkers; ++rank) {
    network.send_from(rank, workers[rank - 1].node->hail());
  }
  RecordingChannel channel(network);
  DeterministicSecureRandom random(kCoordinatorSeed);
  std::FILE* nowhere = std::fopen("/dev/null", "w");
  Progress progress(nowhere, false, network);

  const RunSummary summary = *run_coordinator(configuration, channel, network, random, progress);

  std::fclose(nowhere);
  EXPECT_EQ(summary.rounds, 3u);
  EXPECT_EQ(summary.rounds_aborted, 0u);
  return std::move(channel.received);
}

Exposure run_on_sentinels(const MarketFolder& market, bool masked) {
  Exposure exposure;
  market.write("shop.csv", sentinel_market(exposure));
  const Configuration configuration = read_configuration(
      market / "shop.ini", {"output.dir=" + (market / "run").string(),
                            std::string("aggregation.encryption=") + (masked ? "masked" : "none")});
  exposure.read = decrypted(configuration, masked, run_federation(configuration, exposure));
  return exposure;
}

/// How many of the residues stand anywhere in these messages, at any byte.
std::size_t residues_found(const Exposure& exposure, const std::vector<Bytes>& messages) {
  const std::unordered_set<std::uint64_t> wanted(exposure.residues.begin(), exposure.residues.end());
  std::set<std::uint64_t> found;
  for (const Bytes& message : messages) {
    for (std::size_t at = 0; at + 8 <= message.size(); ++at) {
      std::uint64_t word = 0;
      std::memcpy(&word, message.data() + at, 8);
      if (wanted.contains(word)) {
        found.insert(word);
      }
    }
  }
  return found.size();
}

TEST(RunSecrecy, NoMerchantsUnmaskedSumIsOnTheWireOrInAnythingTheCoordinatorReads) {
  const MarketFolder market(1, 1);

  const Exposure exposure = run_on_sentinels(market, true);

  EXPECT_EQ(exposure.uploads, 5u * 8)
      << "contributors and moments, then gradient and scores three times, of five merchants";
  EXPECT_GT(exposure.residues.size(), 50u);
  EXPECT_GT(exposure.read.size(), 100u);
  EXPECT_EQ(residues_found(exposure, exposure.read), 0u);
  EXPECT_EQ(residues_found(exposure, exposure.wire), 0u);
}

TEST(RunSecrecy, TheSearchFindsEverySumOfARunWithoutMasks) {
  const MarketFolder market(1, 1);

  const Exposure exposure = run_on_sentinels(market, false);

  EXPECT_EQ(residues_found(exposure, exposure.read), exposure.residues.size());
  EXPECT_EQ(residues_found(exposure, exposure.wire), 0u) << "links are sealed even so";
}

TEST(RunSecrecy, NoFileOfARunHoldsACellOfTheData) {
  const MarketFolder market(1, 1);

  const Exposure exposure = run_on_sentinels(market, true);

  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(market / "run")) {
    if (!entry.is_regular_file()) {
      continue;
    }
    ++files;
    const std::string content = bytes_of_file(entry.path());
    for (std::size_t i = 0; i < exposure.cells.size(); ++i) {
      const double wide = exposure.numbers[i];
      const std::string narrow_bytes(reinterpret_cast<const char*>(&exposure.numbers[i]), 4);
      const std::string wide_bytes(reinterpret_cast<const char*>(&wide), 8);
      EXPECT_EQ(content.find(exposure.cells[i]), std::string::npos) << entry.path();
      EXPECT_EQ(content.find(narrow_bytes), std::string::npos) << entry.path();
      EXPECT_EQ(content.find(wide_bytes), std::string::npos) << entry.path();
    }
  }
  EXPECT_GE(files, 10u);
}

/// A run of two workers with files of their own: merchants a, b, c and merchants d, e.
struct Conversation {
  std::vector<Incoming> sealed;  ///< All that the coordinator received, as it travelled.
  std::vector<Bytes> read;       ///< The last of it, from the session's end of set-up on, decrypted.
};

class Conversations {
 public:
  explicit Conversations(std::vector<std::string> settings) : settings_(std::move(settings)) {}

  /// `rows` of each merchant, without the merchant's name.
  Conversation hold(const std::map<std::string, std::vector<std::string>>& rows) {
    for (const std::string worker : {"1", "2"}) {
      std::string text = MarketFolder::kHeader;
      for (const auto& [merchant, lines] : rows) {
        for (const std::string& line :
             (merchant < "d") == (worker == "1") ? lines : std::vector<std::string>()) {
          text += merchant + "," + line + "\n";
        }
      }
      market_.write("own" + worker + ".csv", text);
    }
    fs::remove_all(market_ / "run");
    std::vector<std::string> settings = settings_;
    settings.push_back("output.dir=" + (market_ / "run").string());
    settings.push_back("data.path=" + (market_ / "own{worker}.csv").string());
    const Configuration configuration = read_configuration(market_ / "shop.ini", settings);
    Exposure unused;
    Conversation held{.sealed = run_federation(configuration, unused), .read = {}};
    held.read = decrypted(configuration, true, held.sealed);
    return held;
  }

 private:
  MarketFolder market_{1, 1};
  std::vector<std::string> settings_;
};

std::vector<std::string> made_up_rows(std::size_t count, std::uint64_t seed, const std::string& kinds) {
  SeededGenerator random({seed});
  std::vector<std::string> rows;
  for (std::size_t row = 0; row < count; ++row) {
    rows.push_back(std::to_string(random.below(4)) + "." + std::to_string(random.below(1000)) + "," +
                   std::to_string(random.below(4)) + "," + kinds[random.below(kinds.size())] + "," +
                   std::to_string(random.below(2)) + (row % 4 == 1 ? ",test" : ",train"));
  }
  return rows;
}

/// Both conversations have the same messages of the same sizes, and the same bytes but for the residues of uploads;
/// those of rounds after `last_round` are not looked at. Gives the number of uploads whose residues differ.
std::size_t differing_uploads(const Conversation& one, const Conversation& other, std::uint64_t last_round) {
  std::size_t differing = 0;
  const std::size_t set_up = one.sealed.size() - one.read.size();
  EXPECT_EQ(other.sealed.size() - other.read.size(), set_up);
  for (std::size_t i = 0; i < std::min(one.sealed.size(), other.sealed.size()); ++i) {
    const Incoming& first = one.sealed[i];
    const Incoming& second = other.sealed[i];
    EXPECT_EQ(first.from, second.from);
    EXPECT_EQ(first.message.size(), second.message.size());
    if (i < set_up) {
      EXPECT_EQ(first.message, second.message);
      continue;
    }
    const auto envelope = open_envelope(one.read[i - set_up]);
    const auto twin = open_envelope(other.read[i - set_up]);
    EXPECT_EQ(envelope->type, twin->type);
    if (envelope->round > last_round) {
      return differing;
    }
    if (envelope->type != MessageType::upload) {
      EXPECT_EQ(first.message, second.message) << name_of(envelope->type) << " of round " << envelope->round;
      continue;
    }
    const auto upload = decode<Upload>(*envelope);
    const auto twin_upload = decode<Upload>(*twin);
    EXPECT_EQ(envelope->merchant, twin->merchant);
    EXPECT_EQ(upload->fingerprints, twin_upload->fingerprints);
    EXPECT_EQ(upload->residues.size(), twin_upload->residues.size());
    differing += std::ranges::equal(upload->residues, twin_upload->residues) ? 0u : 1u;
  }
  EXPECT_EQ(one.sealed.size(), other.sealed.size());
  return differing;
}

const std::vector<std::string> kRecordPrivacy = {"privacy.unit=record", "privacy.epsilon=4",
                                                 "privacy.delta=1e-5"};

/// Two merchants exchange their data: all sums, hence all models and announcements, stay the same. Whatever else a worker
/// says of a merchant (its rows, its weights, its losses, which categories it has) would show.
void expect_residues_alone_differ(const std::vector<std::string>& settings, std::size_t sums) {
  Conversations conversations(settings);
  std::map<std::string, std::vector<std::string>> rows = {{"a", made_up_rows(80, 1, "AB")},
                                                          {"b", made_up_rows(20, 2, "ABC")},
                                                          {"c", made_up_rows(20, 3, "A")},
                                                          {"d", made_up_rows(7, 4, "C")},
                                                          {"e", made_up_rows(20, 5, "AC")}};
  const Conversation before = conversations.hold(rows);
  std::swap(rows["a"], rows["d"]);

  const Conversation after = conversations.hold(rows);

  EXPECT_EQ(differing_uploads(before, after, ~std::uint64_t{0}), 2 * sums) << "of a and d, in every sum";
}

TEST(RunSecrecy, OnlyTheResiduesOfUploadsDependOnAMerchantsData) {
  expect_residues_alone_differ({}, 8);
}

TEST(RunSecrecy, WithNoiseOnlyTheResiduesOfUploadsDependOnAMerchantsData) {
  expect_residues_alone_differ(kRecordPrivacy, 5);  // Moments, three updates, one evaluation.
}

TEST(RunSecrecy, WhateverAMerchantsDataAreTheFirstRoundSoundsTheSame) {
  for (const auto& settings : {std::vector<std::string>{}, kRecordPrivacy}) {
    Conversations conversations(settings);
    std::map<std::string, std::vector<std::string>> rows;
    for (const char* merchant : {"a", "b", "c", "d", "e"}) {
      rows[merchant] = made_up_rows(12, 6, "ABC");
    }
    const Conversation usual = conversations.hold(rows);
    const std::vector<std::vector<std::string>> others = {{"1,1,A,1,train"},
                                                          {"1,1,A,1,test"},
                                                          {",,A,0,train", ",,B,1,test"},
                                                          {"1e30,-1e30,C,0,train", "-1e30,1e30,C,1,test"},
                                                          made_up_rows(500, 7, "C")};
    for (const std::vector<std::string>& other : others) {
      rows["d"] = other;

      EXPECT_EQ(differing_uploads(usual, conversations.hold(rows), 1), 1u) << other.front();
    }
  }
}

}  // namespace
}  // namespace hanse
