#include "coordinator/coordinator_session.h"

#include <algorithm>
#include <set>
#include <utility>

#include "privacy/protocol/arbiter_messages.h"
#include "privacy/protocol/link.h"
#include "privacy/protocol/session.h"

namespace hanse {

struct CoordinatorSession::Parts {
  SessionOptions options;
  const SigningKey* identity;
  SecureRandom* random;
  SessionParameters parameters;

  enum class Stage { joining, opening, confirming, ready, refused } stage = Stage::joining;
  std::map<Peer, Link> links;
  std::map<Peer, std::vector<MerchantHello>> hellos;
  std::set<Peer> opened;
  std::vector<Bytes32> seeds;  ///< By id.
  std::set<Peer> confirmed;
  std::map<Peer, Ready> codes;  ///< By the worker they are for.
  std::optional<ArbiterHello> arbiter;
  std::optional<PaillierEncryptor> encryptor;

  std::vector<MerchantHello> roster;
  std::vector<std::string> names;
  std::vector<Peer> hosts;
  VerifiedSession session;
  std::optional<Refused> refusal;
  std::vector<std::string> refusals;

  void note(Peer from, const std::string& what) {
    refusals.push_back("rank " + std::to_string(from) + ": " + what);
  }
  bool is_peer(Peer peer) const {
    return peer >= 1 && peer <= options.workers + (options.arbiter_rank() ? 1 : 0);
  }

  std::vector<Outgoing> seal(const std::vector<ToWorker>& messages) {
    std::vector<Outgoing> sealed;
    for (const ToWorker& one : messages) {
      const auto link = links.find(one.worker);
      check(link != links.end(), "messages go to linked workers");
      sealed.push_back({one.worker, link->second.seal(one.message)});
    }
    return sealed;
  }
  std::vector<Outgoing> to_all(const Bytes& message) {
    std::vector<ToWorker> messages;
    for (const auto& [worker, link] : links) {
      messages.push_back({worker, message});
    }
    return seal(messages);
  }
  std::vector<Outgoing> to_workers(const Bytes& message) {
    std::vector<ToWorker> messages;
    for (Peer worker = 1; worker <= options.workers; ++worker) {
      messages.push_back({worker, message});
    }
    return seal(messages);
  }
  std::vector<Outgoing> refuse(ExitCode code, std::string sentence) {
    stage = Stage::refused;
    const Bytes stop = encode(Stop{static_cast<std::uint8_t>(code), sentence});
    refusal = Refused{code, std::move(sentence)};
    return to_all(stop);
  }

  std::vector<Outgoing> greet(Peer from, ByteView message);
  bool all_joined() const {
    return hellos.size() == options.workers && arbiter.has_value() == options.arbiter_rank().has_value();
  }
  std::vector<Outgoing> take_hello(Peer from, Hello hello);
  std::vector<Outgoing> take_arbiter(Peer from, ArbiterHello hello);
  std::vector<Outgoing> make_roster();
  std::vector<Outgoing> take_seeds(Peer from, const Seeds& told);
  std::vector<Outgoing> take_confirm(Peer from, const Confirm& confirm);
};

CoordinatorSession::CoordinatorSession(SessionOptions options, const SigningKey& identity,
                                       SecureRandom& random)
    : parts_(std::make_unique<Parts>()) {
  parts_->options = std::move(options);
  parts_->identity = &identity;
  parts_->random = &random;
  check((parts_->options.encryption == Encryption::paillier) == parts_->options.paillier.has_value(),
        "a modulus has a length where there is one");
  parts_->parameters = {.encryption = parts_->options.encryption,
                        .paillier_bits = parts_->options.paillier ? parts_->options.paillier->bits() : 0,
                        .graph = parts_->options.graph,
                        .plan = parts_->options.plan,
                        .nonce = {}};
  random.fill(parts_->parameters.nonce);
}

CoordinatorSession::~CoordinatorSession() = default;
CoordinatorSession::CoordinatorSession(CoordinatorSession&&) noexcept = default;
CoordinatorSession& CoordinatorSession::operator=(CoordinatorSession&&) noexcept = default;

std::vector<Outgoing> CoordinatorSession::handle(Peer from, ByteView message) {
  Parts& parts = *parts_;
  if (!parts.is_peer(from)) {
    parts.note(from, "a message of a rank that is no worker");
    return {};
  }
  if (!parts.links.contains(from)) {
    return parts.greet(from, message);
  }
  if (parts.stage == Parts::Stage::refused) {
    return {};  // It has been told, or is about to be.
  }
  const auto opened = open(from, message);
  if (!opened) {
    return {};
  }
  const auto envelope = open_envelope(opened->message);
  if (!envelope) {
    parts.note(from, envelope.what());
    return {};
  }
  const auto taken = [&](auto body, const auto& handler) -> std::vector<Outgoing> {
    if (!body) {
      parts.note(from, body.what());
      return {};
    }
    return handler(std::move(*body));
  };
  const bool of_arbiter = parts.options.arbiter_rank() == from;
  if (envelope->type == MessageType::fail) {
    return taken(decode<Fail>(*envelope), [&](const Fail& fail) {
      return parts.refuse(static_cast<ExitCode>(fail.exit_code), fail.sentence);
    });
  }
  if (envelope->type == MessageType::arbiter && parts.stage == Parts::Stage::joining && of_arbiter) {
    return taken(decode<ArbiterHello>(*envelope),
                 [&](ArbiterHello&& hello) { return parts.take_arbiter(from, std::move(hello)); });
  }
  if (envelope->type == MessageType::hello && parts.stage == Parts::Stage::joining && !of_arbiter) {
    return taken(decode<Hello>(*envelope),
                 [&](Hello&& hello) { return parts.take_hello(from, std::move(hello)); });
  }
  if (envelope->type == MessageType::seeds && parts.stage == Parts::Stage::opening) {
    return taken(decode<Seeds>(*envelope), [&](const Seeds& seeds) { return parts.take_seeds(from, seeds); });
  }
  if (envelope->type == MessageType::confirm && parts.stage == Parts::Stage::confirming) {
    return taken(decode<Confirm>(*envelope),
                 [&](const Confirm& confirm) { return parts.take_confirm(from, confirm); });
  }
  parts.note(from, std::string(name_of(envelope->type)) + " where none is waited for");
  return {};
}

std::vector<Outgoing> CoordinatorSession::Parts::greet(Peer from, ByteView message) {
  auto answer = answer_link(message, from, *identity, *random);
  if (!answer) {
    note(from, answer.what());
    return {};
  }
  std::vector<Outgoing> messages{{from, std::move(answer->message)}};
  links.emplace(from, std::move(answer->link));
  const Bytes next = refusal ? encode(Stop{static_cast<std::uint8_t>(refusal->code), refusal->sentence})
                             : encode(parameters);  // Who comes late to a refused session still learns why.
  for (Outgoing& sealed : seal({{from, next}})) {
    messages.push_back(std::move(sealed));
  }
  return messages;
}

std::vector<Outgoing> CoordinatorSession::Parts::take_hello(Peer from, Hello hello) {
  if (hellos.contains(from)) {
    note(from, "a second HELLO");
    return {};
  }
  if (hello.parameters != parameters.digest()) {
    note(from, "a HELLO for another session");
    return {};
  }
  if (hello.merchants.empty()) {
    return refuse(ExitCode::bad_input,
                  "rank " + std::to_string(from) +
                      " has no merchant: there are more workers than merchants; start fewer workers");
  }
  hellos.emplace(from, std::move(hello.merchants));
  return all_joined() ? make_roster() : std::vector<Outgoing>{};
}

/// The arbiter's key goes on to the workers before the roster, which is bound to it.
std::vector<Outgoing> CoordinatorSession::Parts::take_arbiter(Peer from, ArbiterHello hello) {
  if (arbiter) {
    note(from, "a second ARBITER");
    return {};
  }
  auto key = verify_arbiter(hello, {.parameters = parameters,
                                    .size = *options.paillier,
                                    .pinned = options.arbiter,
                                    .coordinator = identity->public_key()});
  if (!key) {
    return refuse(ExitCode::refused, key.what());
  }
  encryptor.emplace(*key);
  arbiter = std::move(hello);
  return all_joined() ? make_roster() : std::vector<Outgoing>{};
}

std::vector<Outgoing> CoordinatorSession::Parts::make_roster() {
  std::vector<std::pair<MerchantHello, Peer>> entries;
  for (auto& [worker, merchants] : hellos) {
    for (MerchantHello& hello : merchants) {
      entries.emplace_back(std::move(hello), worker);
    }
  }
  hellos.clear();
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.name, a.second) < std::tie(b.first.name, b.second);
  });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].first.name == entries[i - 1].first.name) {
      return refuse(ExitCode::bad_input, "merchant " + entries[i].first.name + " is at rank " +
                                             std::to_string(entries[i - 1].second) + " and at rank " +
                                             std::to_string(entries[i].second) +
                                             ": a merchant's data must be at one worker");
    }
  }
  if (parameters.encryption != Encryption::none && entries.size() < 3) {
    return refuse(ExitCode::bad_input,
                  (entries.size() == 1 ? std::string("there is 1 merchant")
                                       : "there are " + std::to_string(entries.size()) + " merchants") +
                      ": a merchant hides among at least 3; add merchants, or set "
                      "aggregation.encryption=none for a simulation");
  }
  if (entries.size() > kMerchantsMax) {
    return refuse(ExitCode::bad_input, "there are " + std::to_string(entries.size()) +
                                           " merchants; at most " + std::to_string(kMerchantsMax) +
                                           " can take part");
  }
  if (parameters.masked()) {
    if (const auto graph = plan_graph(static_cast<std::uint32_t>(entries.size()), parameters.graph); !graph) {
      return refuse(ExitCode::bad_input, graph.what());
    }
  }
  for (auto& [hello, worker] : entries) {
    names.push_back(hello.name);
    hosts.push_back(worker);
    roster.push_back(std::move(hello));
  }
  auto verified = verify_roster(roster, {.parameters = parameters,
                                         .identities = options.identities,
                                         .own = {},
                                         .arbiter = arbiter ? &*arbiter : nullptr});
  if (!verified) {
    return refuse(ExitCode::refused, verified.what());
  }
  session = std::move(*verified);
  stage = session.needs_seeds ? Stage::opening : Stage::confirming;
  seeds.resize(session.needs_seeds ? roster.size() : 0);
  std::vector<Outgoing> messages;
  if (arbiter) {
    messages = to_workers(encode(*arbiter));
  }
  for (Outgoing& outgoing : to_all(encode(RosterMessage{roster}))) {
    messages.push_back(std::move(outgoing));
  }
  return messages;
}

std::vector<Outgoing> CoordinatorSession::Parts::take_seeds(Peer from, const Seeds& told) {
  if (opened.contains(from)) {
    note(from, "a second SEEDS");
    return {};
  }
  std::size_t next = 0;
  for (std::size_t id = 0; id < hosts.size(); ++id) {
    if (hosts[id] != from) {
      continue;
    }
    if (next == told.seeds.size() || !opens(roster[id], told.seeds[next])) {
      return refuse(ExitCode::refused, "rank " + std::to_string(from) + ": merchant " + names[id] +
                                           " does not open the graph seed that it committed to");
    }
    seeds[id] = told.seeds[next++];
  }
  if (next != told.seeds.size()) {
    return refuse(ExitCode::refused,
                  "rank " + std::to_string(from) + " opens graph seeds of merchants that it does not host");
  }
  opened.insert(from);
  if (opened.size() < options.workers) {
    return {};
  }
  auto drawn = draw_graph(std::move(session), roster, seeds);
  check(drawn.ok(), "seeds that were checked one by one give a graph");
  session = std::move(*drawn);
  stage = Stage::confirming;
  return to_all(encode(GraphMessage{std::move(seeds)}));
}

std::vector<Outgoing> CoordinatorSession::Parts::take_confirm(Peer from, const Confirm& confirm) {
  if (!confirmed.insert(from).second) {
    note(from, "a second CONFIRM");
    return {};
  }
  for (const EdgeCode& edge : confirm.codes) {
    if (edge.sender >= hosts.size() || hosts[edge.sender] != from ||
        !std::ranges::binary_search(session.neighbours[edge.sender], edge.receiver)) {
      return refuse(ExitCode::refused,
                    "rank " + std::to_string(from) +
                        " confirms for a merchant that it does not host, or to one that is no neighbour");
    }
    codes[hosts[edge.receiver]].codes.push_back(edge);
  }
  if (confirmed.size() < options.workers + (arbiter ? 1 : 0)) {
    return {};
  }
  std::vector<ToWorker> messages;
  for (const auto& [worker, link] : links) {
    messages.push_back({worker, encode(codes[worker])});
  }
  codes.clear();
  stage = Stage::ready;
  return seal(messages);
}

std::vector<Outgoing> CoordinatorSession::deadline_passed() {
  Parts& parts = *parts_;
  if (parts.stage == Parts::Stage::ready || parts.stage == Parts::Stage::refused) {
    return {};
  }
  std::string missing;
  for (Peer worker = 1; worker <= parts.options.workers; ++worker) {
    const bool there = parts.stage == Parts::Stage::joining   ? parts.hellos.contains(worker)
                       : parts.stage == Parts::Stage::opening ? parts.opened.contains(worker)
                                                              : parts.confirmed.contains(worker);
    if (!there) {
      missing += (missing.empty() ? "rank " : ", rank ") + std::to_string(worker);
    }
  }
  if (const auto rank = parts.options.arbiter_rank();
      rank &&
      !(parts.stage == Parts::Stage::joining ? parts.arbiter.has_value() : parts.confirmed.contains(*rank))) {
    missing +=
        (missing.empty() ? "the arbiter (rank " : ", the arbiter (rank ") + std::to_string(*rank) + ")";
  }
  return parts.refuse(ExitCode::could_not_finish, missing + " did not join the session before the deadline");
}

bool CoordinatorSession::ready() const {
  return parts_->stage == Parts::Stage::ready;
}
const std::optional<CoordinatorSession::Refused>& CoordinatorSession::refused() const {
  return parts_->refusal;
}
const std::vector<std::string>& CoordinatorSession::names() const {
  return parts_->names;
}
std::vector<PublicKey> CoordinatorSession::identities() const {
  std::vector<PublicKey> identities;
  for (const MerchantHello& hello : parts_->roster) {
    identities.push_back(hello.identity);
  }
  return identities;
}
const std::vector<Peer>& CoordinatorSession::hosts() const {
  return parts_->hosts;
}
const Digest& CoordinatorSession::session_id() const {
  return parts_->session.id;
}
const std::vector<std::vector<std::uint32_t>>& CoordinatorSession::neighbours() const {
  return parts_->session.neighbours;
}
const ThresholdRule& CoordinatorSession::threshold() const {
  return parts_->session.graph.threshold;
}
const SessionParameters& CoordinatorSession::parameters() const {
  return parts_->parameters;
}
std::optional<Peer> CoordinatorSession::arbiter() const {
  return parts_->options.arbiter_rank();
}
const PaillierEncryptor* CoordinatorSession::encryptor() const {
  return parts_->encryptor ? &*parts_->encryptor : nullptr;
}
SecureRandom& CoordinatorSession::random() const {
  return *parts_->random;
}
bool CoordinatorSession::tree() const {
  return parts_->options.tree;
}
bool CoordinatorSession::removes_surplus() const {
  return parts_->options.remove_surplus;
}
std::uint32_t CoordinatorSession::workers() const {
  return parts_->options.workers;
}
const std::vector<std::string>& CoordinatorSession::refusals() const {
  return parts_->refusals;
}

Result<FromWorker> CoordinatorSession::open(Peer from, ByteView message) {
  const auto link = parts_->links.find(from);
  if (link == parts_->links.end()) {
    parts_->note(from, "a message of an unknown peer");
    return Error{"a message of an unknown peer"};
  }
  auto plain = link->second.open(message);
  if (!plain) {
    parts_->note(from, plain.what());
    return plain.error();
  }
  return FromWorker{from, std::move(*plain)};
}

std::vector<Outgoing> CoordinatorSession::seal(const std::vector<ToWorker>& messages) {
  return parts_->seal(messages);
}

std::vector<Outgoing> CoordinatorSession::stop(ExitCode code, const std::string& sentence) {
  return parts_->to_all(encode(Stop{static_cast<std::uint8_t>(code), sentence}));
}

}  // namespace hanse
