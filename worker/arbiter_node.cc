#include "worker/arbiter_node.h"

#include <algorithm>
#include <utility>

#include "privacy/merchants_min.h"
#include "privacy/packing.h"
#include "privacy/protocol/arbiter_messages.h"
#include "privacy/protocol/session.h"
#include "worker/session_party.h"

namespace hanse {

struct ArbiterNode::Parts : SessionParty {
  ArbiterOptions options;
  std::optional<SigningKey> identity;
  SecureRandom* random;

  SessionParameters parameters;
  std::optional<PaillierPrivateKey> key;  ///< From PARAMS to the end of the session; in no file.
  ArbiterHello hello;
  std::uint32_t merchants = 0;      ///< Of the roster.
  std::uint32_t merchants_min = 0;  ///< Nothing that the coordinator says lowers it.
  std::uint64_t round = 0;          ///< The latest round that a decryption was asked for.

  using Send = std::function<void(Bytes)>;

  Parts(ArbiterOptions of, SecureRandom& source)
      : SessionParty("arbiter"), options(std::move(of)), random(&source) {}

  void say(const Send& send, const Bytes& message) { send(link->seal(message)); }
  void fail(const Send& send, ExitCode code, const std::string& sentence) {
    fault = Failure(code, sentence);
    key.reset();
    say(send, encode(Fail{static_cast<std::uint8_t>(code), sentence}));
  }
  void refuse_session(const Send& send, const std::string& what) {
    fail(send, ExitCode::refused, "the arbiter (rank " + std::to_string(options.rank) + ") " + what);
  }

  void dispatch(const Envelope& envelope, const Send& send);
  void on(const SessionParameters& told, const Send& send);
  void on(const RosterMessage& told, const Send& send);
  void on(std::uint64_t asked_round, const DecryptRequest& request, const Send& send);
};

ArbiterNode::ArbiterNode(ArbiterOptions options, SigningKey identity, SecureRandom& random)
    : parts_(std::make_unique<Parts>(std::move(options), random)) {
  parts_->identity = std::move(identity);
}

ArbiterNode::ArbiterNode(ArbiterOptions options, Failure failure, SecureRandom& random)
    : parts_(std::make_unique<Parts>(std::move(options), random)) {
  parts_->fault = std::move(failure);
}

ArbiterNode::~ArbiterNode() = default;
ArbiterNode::ArbiterNode(ArbiterNode&&) noexcept = default;
ArbiterNode& ArbiterNode::operator=(ArbiterNode&&) noexcept = default;

Bytes ArbiterNode::hail() {
  return parts_->hail(parts_->options.rank, *parts_->random);
}

std::vector<Bytes> ArbiterNode::handle(ByteView message) {
  std::vector<Bytes> answers;
  handle(message, [&](Bytes answer) { answers.push_back(std::move(answer)); });
  return answers;
}

void ArbiterNode::handle(ByteView message, const std::function<void(Bytes)>& send) {
  Parts& parts = *parts_;
  parts.handle(message, parts.options.coordinator,
               [&](const Envelope& envelope) { parts.dispatch(envelope, send); });
}

bool ArbiterNode::ready() const {
  return parts_->stage == Parts::Stage::ready;
}
const std::optional<ArbiterNode::End>& ArbiterNode::ended() const {
  return parts_->ended;
}
const std::vector<std::string>& ArbiterNode::refusals() const {
  return parts_->refusals;
}

// --- set-up ---

void ArbiterNode::Parts::dispatch(const Envelope& envelope, const Send& send) {
  const auto taken = [&](Stage expected, const auto& message, const auto& handler) {
    take(envelope, expected, message, handler);
  };
  switch (envelope.type) {
    case MessageType::params:
      return taken(Stage::joining, decode<SessionParameters>(envelope),
                   [&](const auto& told) { on(told, send); });
    case MessageType::roster:
      return taken(Stage::greeted, decode<RosterMessage>(envelope),
                   [&](const auto& told) { on(told, send); });
    case MessageType::ready:
      return taken(Stage::confirmed, decode<Ready>(envelope), [&](const auto&) { stage = Stage::ready; });
    case MessageType::decrypt:
      return taken(Stage::ready, decode<DecryptRequest>(envelope),
                   [&](const auto& asked) { on(envelope.round, asked, send); });
    case MessageType::stop: {
      const auto stop = decode<Stop>(envelope);
      if (!stop) {
        return refuse(stop.what());
      }
      key.reset();
      stage = Stage::ended;
      ended = End{static_cast<ExitCode>(stop->exit_code), stop->sentence};
      return;
    }
    default:
      refuse(std::string(name_of(envelope.type)) + " is not a message for an arbiter");
  }
}

void ArbiterNode::Parts::on(const SessionParameters& told, const Send& send) {
  if (fault) {
    return fail(send, fault->code(), std::string(fault->what()));
  }
  if (told.encryption != Encryption::paillier || told.paillier_bits != options.size.bits()) {
    return refuse_session(
        send, "was told another aggregation.encryption or aggregation.paillier_bits than its own");
  }
  if (options.plan && *options.plan != told.plan) {
    return refuse_session(send, "read another configuration than the coordinator's");
  }
  if (identity->public_key() == link->coordinator()) {
    return refuse_session(send, "has the coordinator's identity: who adds up must not be able to decrypt");
  }
  parameters = told;
  key = PaillierPrivateKey::generate(options.size, *random);
  hello = {.identity = identity->public_key(), .key = key->public_key().wire(), .signature = {}};
  hello.signature = identity->sign(hello.signed_bytes(told.digest()));
  stage = Stage::greeted;
  say(send, encode(hello));
}

void ArbiterNode::Parts::on(const RosterMessage& told, const Send& send) {
  const auto session = verify_roster(
      told.merchants,
      {.parameters = parameters, .identities = options.identities, .own = {}, .arbiter = &hello});
  if (!session) {
    return refuse_session(send, "refuses the roster: " + session.what());
  }
  merchants = static_cast<std::uint32_t>(told.merchants.size());
  merchants_min = options.merchants_min > 0 ? options.merchants_min : default_merchants_min(merchants);
  if (merchants < merchants_min) {
    return refuse_session(send, "has a minimum of " + std::to_string(merchants_min) +
                                    " merchants where the roster has " + std::to_string(merchants));
  }
  stage = Stage::confirmed;
  say(send, encode(Confirm{}));
}

// --- rounds ---

void ArbiterNode::Parts::on(std::uint64_t asked_round, const DecryptRequest& asked, const Send& send) {
  const auto leave = [&](Refusal reason, const std::string& sentence) {
    refuse("DECRYPT of round " + std::to_string(asked_round) + ": " + sentence + " (" +
           std::string(name_of(reason)) + ")");
    say(send, encode(Abort{reason, kNoMerchant, sentence}, asked_round));
  };
  if (asked_round <= round) {
    return leave(Refusal::wrong_round, "a sum of this round, or of a later one, was decrypted already");
  }
  if (asked.parameters.merchants_max != merchants) {
    return leave(Refusal::wrong_context, "the sum is of another number of merchants than the roster's");
  }
  if (!asked.parameters.has_headroom()) {
    return leave(Refusal::malformed, "the parameters of the sum leave no headroom");
  }
  const Packing packing(asked.parameters, options.size.bits());
  auto plaintexts = key->decrypt(asked.ciphertexts, packing.plaintexts());
  if (!plaintexts) {
    return leave(Refusal::malformed, plaintexts.what());
  }
  round = asked_round;  // From here on this round has had its decryption, whatever comes of it.
  const auto sum = packing.unpack(*plaintexts);
  if (!sum) {
    return leave(Refusal::sum_invalid, sum.what());
  }
  const std::uint32_t fewest = std::max(merchants_min, asked.parameters.shares_min);
  if (sum->merchants < fewest) {
    return leave(Refusal::cohort, "the sum holds " + std::to_string(sum->merchants) +
                                      " merchants where the arbiter decrypts one of at least " +
                                      std::to_string(fewest));
  }
  say(send, encode(Decrypted{*plaintexts}, asked_round));
}

}  // namespace hanse
