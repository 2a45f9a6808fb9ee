#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "privacy/crypto/signature.h"
#include "privacy/ledger/ledger_state.h"

namespace hanse {

/// A made-up coordinator that signs whatever it is told, so that tests can say what no honest one would. Four
/// merchants, three of them at least in every sum; customers; noise multiplier 2; delta 1e-6.
class LedgerFixture {
 public:
  explicit LedgerFixture(std::byte seed = std::byte{7}) : key_(key(seed)) {
    plan.federation = "harbour";
    plan.run_id = "00112233445566778899aabbccddeeff";
    plan.unit = Unit::customer;
    plan.delta = 1e-6;
    plan.epsilon = 8;
    plan.shares_min = 3;
    for (const char* name : {"amsterdam", "bergen", "bruges", "lübeck/old"}) {
      plan.merchants.push_back({name, merchant_key(plan.merchants.size()).public_key()});
    }
    plan.coordinator = key_.public_key();
    plan.encryption = "masked";
    plan.workload = "logistic";
    plan.releases = {{Purpose::statistics, Population::train, 1, 2, 1},
                     {Purpose::update, Population::train, 10, 2, 1},
                     {Purpose::evaluation, Population::test, 1, 2, 1}};
    plan.configuration = sha256(bytes_of("configuration"));
    plan.software = "0.1.0";
    plan.unix_time = 1'700'000'000;
  }

  static SigningKey key(std::byte seed) {
    Secret<32> secret;
    std::fill_n(secret.expose_for_writing().begin(), 32, seed);
    return SigningKey::from_seed(std::move(secret));
  }

  /// Noise of multiplier z from `shares_min` shares: exactly z when z^2 2^40 / shares_min is an integer.
  static SumParameters noise(double z, std::uint32_t shares_min = 4) {
    SumParameters parameters;
    parameters.length = 5;
    parameters.grid_bits = 20;
    parameters.units_max = 1000;
    parameters.share_variance = static_cast<std::uint64_t>(z * z * 0x1p40 / shares_min);
    parameters.shares_min = shares_min;
    parameters.merchants_max = 4;
    return parameters;
  }

  /// Units take turns from now on, with correlated noise: training sums are rows of multiplier 2 a turn.
  static constexpr std::array<std::uint32_t, 3> kCoefficients = {4, 2, 1};
  void take_turns() { plan.coefficients.assign(kCoefficients.begin(), kCoefficients.end()); }

  Intent intent(std::uint64_t round, Purpose purpose = Purpose::update,
                Population population = Population::train) const {
    Intent intent;
    intent.round = round;
    intent.name = purpose == Purpose::update       ? "gradient"
                  : purpose == Purpose::statistics ? "means"
                                                   : "scores";
    intent.purpose = purpose;
    intent.population = population;
    intent.parameters = noise(2);
    if (purpose == Purpose::update && !plan.coefficients.empty()) {
      intent.row = state.rows();
      intent.parameters.share_variance *= 16 + 4 + 1;
      intent.parameters.gain = 4 + 2 + 1;
    }
    intent.model = state.model().value_or(sha256(bytes_of("initial")));
    intent.invited = {0, 1, 2, 3};
    intent.unix_time = 1'700'000'000 + round;
    return intent;
  }

  /// The release of the open intent, or of nothing.
  Release release() const {
    Release release;
    release.round = state.open_intent() ? state.open_intent()->round : 0;
    release.intent = state.intent_line();
    release.merchants = {0, 1, 2, 3};
    release.opened = sha256(bytes_of("opened"));
    release.model = sha256(bytes_of("model " + std::to_string(release.round)));
    return release;
  }

  Release abort(const std::string& reason) const {
    Release release = this->release();
    release.status = Release::Status::aborted;
    release.merchants.clear();
    release.opened = {};
    release.model = state.open_intent()->model;
    release.reason = reason;
    return release;
  }

  /// The payload as the next line, properly chained and signed; not taken.
  std::string line(Payload payload) const {
    return line(std::move(payload), state.next_seq(), state.tip(), key_);
  }
  static std::string line(Payload payload, std::uint64_t seq, const Digest& prev, const SigningKey& signer) {
    Record record{.seq = seq, .prev = prev, .payload = std::move(payload), .signature = {}};
    record.signature = signer.sign(bytes_of(signed_text(record)));
    return encode(record);
  }

  /// The key of a merchant of the plan.
  static SigningKey merchant_key(std::size_t id) { return key(static_cast<std::byte>(id + 50)); }
  /// The head over all lines so far, signed by these merchants, or by all.
  Head head(const std::vector<std::uint32_t>& merchants = {0, 1, 2, 3}) const {
    Head head{.size = state.tree().size(),
              .root = state.tree().root(),
              .cosignatures = {},
              .unix_time = state.unix_time()};
    for (const std::uint32_t id : merchants) {
      head.cosignatures.push_back({id, merchant_key(id).sign(state.to_cosign())});
    }
    return head;
  }

  /// Has all four merchants sign what a writer wrote last.
  template <class Writer>
  static void write_head(Writer& writer) {
    std::vector<Cosignature> signatures;
    for (std::uint32_t id = 0; id < 4; ++id) {
      signatures.push_back({id, merchant_key(id).sign(writer.state().to_cosign())});
    }
    writer.write_head(std::move(signatures), 0);
  }

  /// Makes the next line and takes it; the reason of a refusal, or nothing. A plan, an intent and a claim get their head,
  /// signed by all whom they concern.
  std::string add(Payload payload) {
    const std::string why = add_alone(std::move(payload));
    if (!why.empty() || !state.awaits_head()) {
      return why;
    }
    return add_alone(state.open_intent() ? head(state.open_intent()->invited) : head());
  }
  /// The same, without a head behind it.
  std::string add_alone(Payload payload) {
    std::string next = line(std::move(payload));
    const auto taken = state.accept(next);
    if (!taken) {
      return taken.what();
    }
    lines.push_back(std::move(next));
    return {};
  }

  /// The plan of a ledger that continues another one, whose last line is `previous`.
  std::string add_first(const Plan& first, const Digest& previous) {
    lines.push_back(line(first, 0, previous, key_));
    const auto taken = state.accept(lines.back());
    return taken ? add_alone(head()) : taken.what();
  }

  /// Why the payload would be refused as the next line, or nothing.
  std::string refusal(Payload payload) const {
    LedgerState copy = state;
    const auto taken = copy.accept(line(std::move(payload)));
    return taken ? "" : taken.what();
  }

  /// A whole small run: statistics, `rounds` updates of which the second is aborted, an evaluation, the
  /// claim.
  void run(std::uint64_t rounds = 3) {
    if (state.empty()) {
      add(plan);
    }
    add(intent(0, Purpose::statistics));
    add(release());
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      add(intent(round));
      add(round == 2 ? abort("a quorum was lost") : release());
    }
    add(intent(rounds + 1, Purpose::evaluation, Population::test));
    add(release());
    add(state.claim_for(sha256(bytes_of("published"))));
  }
  static LedgerFixture of_run(std::uint64_t rounds = 3, bool in_turns = false) {
    LedgerFixture fixture;
    if (in_turns) {
      fixture.take_turns();
    }
    fixture.run(rounds);
    return fixture;
  }

  static std::string text(const std::vector<std::string>& lines) {
    std::string content;
    for (const std::string& line : lines) {
      content += line + "\n";
    }
    return content;
  }

  const SigningKey& signer() const { return key_; }

  Plan plan;
  LedgerState state;
  std::vector<std::string> lines;

 private:
  SigningKey key_;
};

/// A folder of its own for one test, empty at its start and gone at its end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "hanse-ledger-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary folder");
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code none;
    std::filesystem::remove_all(path_, none);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Writes a file of this folder, with its folders.
  void write(const std::filesystem::path& name, const std::string& content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace hanse
