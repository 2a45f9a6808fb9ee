// make_corpus FOLDER: real inputs for every target, in FOLDER/TARGET/, from a small run. Made anew with each build, so
// that they follow the layouts.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "common/config/configuration.h"
#include "common/transport/frame.h"
#include "coordinator/checkpoint.h"
#include "privacy/ledger/model_certificate.h"
#include "privacy/protocol/arbiter_messages.h"
#include "privacy/protocol/context.h"
#include "privacy/protocol/round_payload.h"
#include "privacy/published/model_file.h"
#include "privacy/published/sealed_file.h"
#include "privacy/secure_sum/roster.h"
#include "tests/fuzz/fixed_federation.h"
#include "tests/fuzz/fixtures.h"
#include "tests/support/ledger_fixture.h"

namespace hanse::fuzz {
namespace {

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, ByteView seed) { add_text(target, text_of(seed)); }
  void add_text(const std::string& target, const std::string& seed) {
    if (seed.size() > 1 << 16 || !seen_[target].insert(seed).second) {
      return;
    }
    std::filesystem::create_directories(folder_ / target);
    std::ofstream file(folder_ / target / ("seed" + std::to_string(seen_[target].size())), std::ios::binary);
    file << seed;
    check(file.good(), "a seed is written");
  }
  bool has(const std::string& target) const { return seen_.contains(target); }

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::set<std::string>> seen_;
};

std::string target_of(MessageType type) {
  switch (type) {
#define HANSE_MESSAGE(name, Message) \
  case MessageType::name:            \
    return "message_" #name;
#include "tests/fuzz/messages.def"
#undef HANSE_MESSAGE
  }
  return {};
}

void add_message(Corpus& corpus, ByteView message) {
  const auto envelope = open_envelope(message);
  if (envelope) {  // Boxes and hails are no envelopes, or by an accident of their first bytes a harmless seed.
    corpus.add("envelope", message);
    corpus.add(target_of(envelope->type), envelope->body);
  }
}

/// A run of two rounds: the second loses the upload of one merchant. What workers send in a round is a seed of the
/// coordinator's round too.
void add_session(Corpus& corpus) {
  RosterMessage roster;
  Ready ready;
  TestFederation::Plan plan = fixed_plan();
  plan.see_message = [&](ByteView message) {
    add_message(corpus, message);
    const auto envelope = open_envelope(message);
    if (!envelope) {
      return;
    }
    if (const auto hello = decode<Hello>(*envelope); hello) {
      roster.merchants.insert(roster.merchants.end(), hello->merchants.begin(), hello->merchants.end());
    } else if (const auto confirm = decode<Confirm>(*envelope); confirm) {
      ready.codes.insert(ready.codes.end(), confirm->codes.begin(), confirm->codes.end());
    }
  };
  TestFederation federation(plan);
  check(federation.join(), "the session stands");
  add_message(corpus, encode(federation.session().parameters()));
  add_message(corpus, encode(roster));
  add_message(corpus, encode(ready));

  for (const bool loses : {false, true}) {
    TestFederation again(loses ? fixed_plan() : fixed_surplus_plan());
    again.tamper_to_worker = [&](ToWorker& message) {
      add_message(corpus, message.message);
      return true;
    };
    check(again.join(), "the session stands");
    ByteWriter records;
    again.tamper_from_worker = [&](FromWorker& message) {
      if (loses && open_envelope(message.message)->type == MessageType::upload &&
          open_envelope(message.message)->merchant == 2) {
        records.put(std::uint8_t{0});
        return false;
      }
      add_message(corpus, message.message);
      // The target turns the rank's byte into a rank.
      records.put(static_cast<std::uint8_t>(message.worker + kFixedWorkers - 1))
          .put(static_cast<std::uint16_t>(message.message.size()))
          .put_bytes(message.message);
      return true;
    };
    SimulatedNetwork network;
    again.attach(network);
    check(again.run(network, loses ? again.request(1) : noisy_request(again)).summed() != nullptr,
          "the round has a sum");
    corpus.add("coordinator_round", records.bytes());
  }
  SimulatedNetwork network;
  federation.attach(network);
  check(federation.run(network, federation.request(1)).summed() != nullptr, "the round has a sum");
}

void add_arbiter(Corpus& corpus) {
  TestFederation::Plan plan = fixed_plan();
  plan.encryption = Encryption::paillier;
  TestFederation federation(plan);
  check(federation.join(), "the session stands");
  SimulatedNetwork network;
  federation.attach(network);
  federation.tamper_to_worker = [&](ToWorker& message) {
    add_message(corpus, message.message);
    return true;
  };
  federation.tamper_from_worker = [&](FromWorker& message) {
    add_message(corpus, message.message);
    return true;
  };
  check(federation.run(network, federation.request(1)).summed() != nullptr, "the round has a sum");
  add_message(corpus, encode(federation.session().parameters()));
  add_message(corpus,
              encode(ArbiterHello{.identity = {}, .key = federation.session().encryptor()->key().wire()}));
}

/// Messages that a run as small as this one, all in a star, has no use for.
void add_others(Corpus& corpus) {
  add_message(corpus, encode(Reduce{Ring::bits32, 6, MerchantSet::of(4, {0, 1, 3})}, 1));
  add_message(corpus, encode(Seeds{{Bytes32{std::byte{1}}, Bytes32{std::byte{2}}}}));
  add_message(corpus, encode(GraphMessage{{Bytes32{std::byte{1}}, Bytes32{std::byte{2}}, Bytes32{}}}));
  add_message(corpus, encode(Fail{2, "rows.csv, line 3: a number was expected"}));
  add_message(corpus, encode(Permit{MerchantSet::of(4, {0, 1, 3}), {"{}", "a line"}}, 1));
  add_message(corpus, encode(Recall{2, Digest{std::byte{1}}}));
  add_message(corpus, encode(Recalled{{"{}", "a line"}}));
  add_message(corpus, encode(Cosign{2, Digest{std::byte{1}}, {Signature{}, Signature{std::byte{2}}}}, 1));
  add_message(corpus, encode(Stop{0, "done"}));
  add_message(corpus,
              encode(Abort{Refusal::split_view, 2, "merchant 2 does not confirm the same set"}, 1, 3));
}

void add_links(Corpus& corpus) {
  DeterministicSecureRandom random = fixed_random();
  const LinkRequest request = fixed_request();
  const auto answer = answer_link(request.message(), 1, fixed_identity(), random);
  corpus.add("link_hail", request.message());
  corpus.add("link_answer", answer->message);
  corpus.add("link_handshake", request.message());
  corpus.add("link_handshake", answer->message);
  corpus.add("link_box", Bytes(64));
  corpus.add("link_box", request.message());
  corpus.add("share_box", fixed_share_box());
  corpus.add("share_box", Bytes(96));
}

void add_sums(Corpus& corpus) {
  ByteWriter writer;
  write_parameters(writer, LedgerFixture::noise(2));
  MerchantSet::of(20, {0, 1, 2, 19}).write(writer);
  corpus.add("sum_parameters", writer.bytes());
  corpus.add("round_payload", encode(RoundPayload{.ledger_lines = {"{}", "a line"},
                                                  .preparation = {.step = 1, .parameters = {0.5}},
                                                  .model = {.step = 2, .parameters = {1, -2, 3e-9}}}));
}

void add_frames(Corpus& corpus) {
  const Bytes message(kChunkSize + 10);
  ByteWriter writer;
  const auto put = [&](const FrameHeader& header, std::size_t size) {
    const Bytes frame = write_frame(header, ByteView(message).first(size));
    corpus.add("frame", frame);
    writer.put(static_cast<std::uint16_t>(size)).put_bytes(ByteView(frame).first(kFrameHeaderSize));
  };
  put({.sequence = 0, .message_length = 3, .chunk = 0}, 3);
  corpus.add("frames", writer.bytes());
  put({.sequence = 1, .message_length = message.size(), .chunk = 0}, kChunkSize);
  put({.sequence = 2, .message_length = message.size(), .chunk = 1}, message.size() - kChunkSize);
  corpus.add("frames", writer.bytes());
  put({.type = FrameHeader::acknowledgement, .sequence = 1}, 0);
  corpus.add("frames", writer.bytes());
}

void add_paillier(Corpus& corpus) {
  const PaillierPrivateKey key = fixed_paillier();
  const PaillierEncryptor encryptor(key.public_key());
  DeterministicSecureRandom random = fixed_random();
  corpus.add("paillier_key", key.public_key().wire());
  const PaillierSize size = small_paillier();
  Bytes plaintext(size.plaintext_bytes());
  Bytes ciphertexts(2 * size.ciphertext_bytes());
  for (std::size_t i = 0; i < 2; ++i) {
    plaintext[i] = std::byte{7};
    encryptor.encrypt(plaintext, random,
                      std::span(ciphertexts).subspan(i * size.ciphertext_bytes(), size.ciphertext_bytes()));
  }
  corpus.add("ciphertexts", ciphertexts);
  corpus.add("paillier_sum", ciphertexts);
  const Packing packing(packed_parameters(), kPackedBits);
  corpus.add("packing", packing.pack(std::vector<std::int64_t>{0, 1, -1, 1 << 20, -(1 << 20), 5, 6, 7, 8}));
}

void add_ledger(Corpus& corpus) {
  LedgerFixture fixture = LedgerFixture::of_run(2);
  for (const std::string& line : fixture.lines) {
    corpus.add_text("ledger_line", line);
  }
  corpus.add_text("certificate", encode(certificate_of(fixture.state, fixture.lines)));
  for (const char* target : {"ledger_lines", "ledger", "audit"}) {
    corpus.add_text(target, LedgerFixture::text(fixture.lines));
    corpus.add_text(target, LedgerFixture::text({fixture.lines[0], fixture.lines[1]}) + "{\"torn");
  }
}

void add_files(Corpus& corpus) {
  const std::string roster =
      roster_text(sign_roster("harbour", LedgerFixture::key(std::byte{1}).public_key(),
                              {{"bergen", LedgerFixture::key(std::byte{2}).public_key()},
                               {"lübeck", LedgerFixture::key(std::byte{3}).public_key()}},
                              LedgerFixture::key(std::byte{4})),
                  "roster.json");
  corpus.add_text("roster", roster);
  corpus.add_text("roster_file", roster);
  const std::string model =
      encode_model({.workload = "logistic",
                    .step = 3,
                    .arrays = {{.name = "weights", .shape = {2, 2}, .values = {1, 2, 3, 4}}},
                    .encoding = {{.name = "means", .shape = {1}, .values = {0.5}}},
                    .columns = {"amount"},
                    .facts = {{"data.numeric", "amount"}},
                    .privacy = "nothing is promised"});
  corpus.add_text("model_file", model);
  corpus.add_text("model_file",
                  model.substr(kSealedHeader));  // The payload: the target makes a header for it.
  const std::string checkpoint =
      encode_checkpoint({.ledger_lines = 7,
                         .preparation = {.step = 1, .parameters = {0.5}},
                         .model = {.step = 2, .parameters = {1, -2, 3e-9}, .server_state = {4}},
                         .sums = 3,
                         .training_rounds = 2,
                         .round_open = true,
                         .figures = {{"test_auc", 0.5}},
                         .evaluation = {1, 0},
                         .included = 12,
                         .seconds = 1.25});
  corpus.add_text("checkpoint", checkpoint);
  corpus.add_text("checkpoint", checkpoint.substr(kSealedHeader));
}

/// What people write by hand or export.
void add_tables(Corpus& corpus) {
  corpus.add_text("csv", "shop,amount,bought\nbergen,1.5,1\n\"L\"\"beck, old town\",-2e3,0\n");
  corpus.add_text("csv",
                  "\xEF\xBB\xBF"
                  "a;b,c\r\n\"two\r\nlines\",\r\n\r\n");
  corpus.add_text("libsvm", "+1 1:0.5 7:-2e3 1000:1 # a comment\n0\n-1 3:4\n");
  corpus.add_text(
      "configuration",
      "# a shop\n[federation]\nrounds = 3\n[data]\npath = shop.csv\nnumeric = log1p:seconds[0..10], amount\n"
      "[workload]\nl2 = 1e-4\n[privacy]\nunit = none\n");
  corpus.add_text("configuration", canonical_text({}));
}

}  // namespace
}  // namespace hanse::fuzz

int main(int count, char** arguments) {
  using namespace hanse::fuzz;
  if (count != 2) {
    std::cerr << "usage: make_corpus FOLDER\n";
    return 2;
  }
  Corpus corpus(arguments[1]);
  add_session(corpus);
  add_arbiter(corpus);
  add_others(corpus);
  add_links(corpus);
  add_sums(corpus);
  add_frames(corpus);
  add_paillier(corpus);
  add_ledger(corpus);
  add_files(corpus);
  add_tables(corpus);
#define HANSE_MESSAGE(name, Message) \
  hanse::check(corpus.has("message_" #name), "a small run has a message of each type: " #name);
#include "tests/fuzz/messages.def"
#undef HANSE_MESSAGE
  return 0;
}
