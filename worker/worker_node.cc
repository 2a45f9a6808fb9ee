#include "worker/worker_node.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "privacy/merchants_min.h"
#include "privacy/protocol/arbiter_messages.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/protocol/session.h"
#include "worker/merchant_round.h"
#include "worker/session_party.h"

namespace hanse {

struct WorkerNode::Parts : SessionParty {
  Parts() : SessionParty("worker") {}

  WorkerOptions options;
  std::vector<HostedMerchant> merchants;  ///< By increasing name.
  WorkerHooks hooks;
  SecureRandom* random;

  SessionParameters parameters;
  std::vector<X25519Key> session_keys;  ///< Beside merchants; erased after set-up.
  std::vector<Secret<32>> graph_seeds;  ///< Beside merchants; nobody else's until the roster stands.
  std::vector<MerchantHello> hellos;    ///< Beside merchants.
  std::optional<ArbiterHello> arbiter;  ///< Verified.
  std::optional<PaillierEncryptor> encryptor;
  std::vector<MerchantHello> roster;  ///< Verified; from ROSTER to CONFIRM.
  VerifiedSession session;
  std::uint32_t merchants_min = 0;
  SessionView view;
  std::vector<MerchantRound> rounds;  ///< Beside merchants, which are in the order of their ids too.

  /// With a tree: the sealed sums of this worker's merchants that uploaded in a round, added up.
  struct Kept {
    std::uint64_t round = 0;
    SumParameters parameters;
    SealedTotal total;
    MerchantSet merchants;
  };
  std::optional<Kept> kept;
  std::uint64_t reduced = 0;  ///< The latest round whose sum was joined.

  std::optional<std::uint64_t> accepted;  ///< The round that the layer above waits to see ended.

  using Send = std::function<void(Bytes)>;

  void say(const Send& send, Bytes message) {
    if (hooks.before_sealing(message)) {
      send(link->seal(message));
    }
  }
  void fail(const Send& send, ExitCode code, const std::string& sentence) {
    fault = Failure(code, sentence);
    say(send, encode(Fail{static_cast<std::uint8_t>(code), sentence}));
  }
  /// `what` follows on "rank 3".
  void refuse_session(const Send& send, const std::string& what) {
    fail(send, ExitCode::refused, "rank " + std::to_string(options.rank) + what);
  }
  void finish(ExitCode code, std::string sentence) {
    end_round(bytes_of(sentence), false);
    stage = Stage::ended;
    ended = End{code, std::move(sentence)};
    rounds.clear();
    graph_seeds.clear();
    session_keys.clear();
    encryptor.reset();
  }
  void end_round(ByteView payload, bool released) {
    if (accepted) {
      accepted.reset();
      hooks.round_ended(payload, released);
    }
  }
  /// The elements whose `id` is a merchant hosted here, beside the merchants.
  template <class T>
  std::vector<std::vector<T>> by_hosted(const std::vector<T>& all, std::uint32_t T::*id) const {
    std::vector<std::vector<T>> mine(rounds.size());
    for (const T& one : all) {
      const auto hosted = std::lower_bound(view.hosted.begin(), view.hosted.end(), one.*id);
      if (hosted != view.hosted.end() && *hosted == one.*id) {
        mine[static_cast<std::size_t>(hosted - view.hosted.begin())].push_back(one);
      }
    }
    return mine;
  }

  void on(const SessionParameters& told, const Send& send);
  void on(const ArbiterHello& told, const Send& send);
  void on(const RosterMessage& told, const Send& send);
  void on(const GraphMessage& told, const Send& send);
  void confirm(const Send& send);
  void on(const Ready& ready, const Send& send);
  void on_permit(std::uint64_t round, const Permit& permit, const Send& send);
  void on(const Recall& recall, const Send& send);
  void on_open(std::uint64_t round, const Open& open, const Send& send);
  void on_start(std::uint64_t round, const Start& start, const Send& send);
  bool accept(const StartView& start, const std::vector<std::size_t>& places, const Send& send);
  SealedSum seal(std::uint32_t merchant, const Seal& how);
  void on_reduce(std::uint64_t round, const Reduce& reduce, const Send& send);
  bool has_exactly(std::uint64_t round, const Reduce& reduce) const;
  void on_set(std::uint64_t round, const SetMessage& set, const Send& send);
  void on_agreed(std::uint64_t round, const AgreedMessage& agreed, const Send& send);
  void on_result(std::uint64_t round, const RoundResult& result, const Send& send);
  void dispatch(const Envelope& envelope, const Send& send);
  void step_one(std::size_t place, const MerchantEvent& event, const Send& send);
};

WorkerNode::WorkerNode(WorkerOptions options, std::vector<HostedMerchant> merchants, WorkerHooks hooks,
                       SecureRandom& random)
    : parts_(std::make_unique<Parts>()) {
  check(hooks.accept_round && hooks.prepare, "a worker node needs the hooks accept_round and prepare");
  check((options.encryption == Encryption::paillier) == options.paillier.has_value(),
        "a modulus has a length where there is one");
  parts_->options = std::move(options);
  parts_->merchants = std::move(merchants);
  std::sort(parts_->merchants.begin(), parts_->merchants.end(),
            [](const HostedMerchant& a, const HostedMerchant& b) { return a.name < b.name; });
  parts_->hooks = std::move(hooks);
  parts_->random = &random;
}

WorkerNode::WorkerNode(WorkerOptions options, Failure failure, SecureRandom& random)
    : parts_(std::make_unique<Parts>()) {
  parts_->options = std::move(options);
  parts_->fault = std::move(failure);
  parts_->random = &random;
}

WorkerNode::~WorkerNode() = default;
WorkerNode::WorkerNode(WorkerNode&&) noexcept = default;
WorkerNode& WorkerNode::operator=(WorkerNode&&) noexcept = default;

Bytes WorkerNode::hail() {
  return parts_->hail(parts_->options.rank, *parts_->random);
}

std::vector<Bytes> WorkerNode::handle(ByteView message) {
  std::vector<Bytes> answers;
  handle(message, [&](Bytes answer) { answers.push_back(std::move(answer)); });
  return answers;
}

void WorkerNode::handle(ByteView message, const std::function<void(Bytes)>& send) {
  Parts& parts = *parts_;
  parts.handle(message, parts.options.coordinator, [&](const Envelope& envelope) {
    try {
      parts.dispatch(envelope, send);
    } catch (const Failure& failure) {  // The layer above found a fault of this worker's user.
      parts.fail(send, failure.code(), failure.what());
    }
  });
}

bool WorkerNode::ready() const {
  return parts_->stage == Parts::Stage::ready;
}
const std::optional<WorkerNode::End>& WorkerNode::ended() const {
  return parts_->ended;
}
const std::vector<std::string>& WorkerNode::refusals() const {
  return parts_->refusals;
}

// --- set-up ---

void WorkerNode::Parts::dispatch(const Envelope& envelope, const Send& send) {
  const auto taken = [&](Stage expected, const auto& message, const auto& handler) {
    take(envelope, expected, message, handler);
  };
  switch (envelope.type) {
    case MessageType::params:
      return taken(Stage::joining, decode<SessionParameters>(envelope),
                   [&](const auto& told) { on(told, send); });
    case MessageType::arbiter:
      return taken(Stage::greeted, decode<ArbiterHello>(envelope), [&](const auto& told) { on(told, send); });
    case MessageType::roster:
      return taken(Stage::greeted, decode<RosterMessage>(envelope),
                   [&](const auto& told) { on(told, send); });
    case MessageType::graph:
      return taken(Stage::opened, decode<GraphMessage>(envelope), [&](const auto& told) { on(told, send); });
    case MessageType::ready:
      return taken(Stage::confirmed, decode<Ready>(envelope), [&](const auto& told) { on(told, send); });
    case MessageType::permit:
      return taken(Stage::ready, decode<Permit>(envelope),
                   [&](const auto& told) { on_permit(envelope.round, told, send); });
    case MessageType::recall:
      return taken(Stage::ready, decode<Recall>(envelope), [&](const auto& told) { on(told, send); });
    case MessageType::open:
      return taken(Stage::ready, decode<Open>(envelope),
                   [&](const auto& told) { on_open(envelope.round, told, send); });
    case MessageType::start:
      return taken(Stage::ready, decode<Start>(envelope),
                   [&](const auto& told) { on_start(envelope.round, told, send); });
    case MessageType::set:
      return taken(Stage::ready, decode<SetMessage>(envelope),
                   [&](const auto& told) { on_set(envelope.round, told, send); });
    case MessageType::agreed:
      return taken(Stage::ready, decode<AgreedMessage>(envelope),
                   [&](const auto& told) { on_agreed(envelope.round, told, send); });
    case MessageType::result:
      return taken(Stage::ready, decode<RoundResult>(envelope),
                   [&](const auto& told) { on_result(envelope.round, told, send); });
    case MessageType::reduce: {
      // Also after a failure of its own: the others' sum waits for this worker.
      const auto reduce = decode<Reduce>(envelope);
      if (!reduce) {
        refuse(reduce.what());
      } else if (stage != Stage::ready || !options.tree || envelope.round <= reduced) {
        refuse("REDUCE where none is waited for");
      } else {
        on_reduce(envelope.round, *reduce, send);
      }
      return;
    }
    case MessageType::stop: {
      const auto stop = decode<Stop>(envelope);
      if (stop) {
        finish(static_cast<ExitCode>(stop->exit_code), stop->sentence);
      } else {
        refuse(stop.what());
      }
      return;
    }
    default:
      refuse(std::string(name_of(envelope.type)) + " is not a message of a coordinator");
  }
}

void WorkerNode::Parts::on(const SessionParameters& told, const Send& send) {
  if (fault) {
    return fail(send, fault->code(), std::string(fault->what()));
  }
  if (told.encryption != options.encryption) {
    return refuse_session(send, " does not take part in sums with aggregation.encryption=" +
                                    std::string(name_of(told.encryption)) + "; its own is " +
                                    std::string(name_of(options.encryption)));
  }
  if (told.paillier_bits != (options.paillier ? options.paillier->bits() : 0)) {
    return refuse_session(send, " was told another aggregation.paillier_bits than its own");
  }
  if (options.plan && *options.plan != told.plan) {
    return refuse_session(send, " read another configuration than the coordinator's");
  }
  if (told.graph != options.graph) {
    return refuse_session(send,
                          " was told another aggregation.threshold, .neighbours, .corrupt or .dropouts, or "
                          "federation.cohort, than its own");
  }
  parameters = told;
  Hello hello{.parameters = told.digest(), .merchants = {}};
  for (const HostedMerchant& merchant : merchants) {
    session_keys.push_back(X25519Key::generate(*random));
    MerchantHello entry{.name = merchant.name,
                        .identity = merchant.identity.public_key(),
                        .key = session_keys.back().public_key(),
                        .nonce = {},
                        .graph_commitment = {},
                        .signature = {}};
    random->fill(entry.nonce);
    random->fill(graph_seeds.emplace_back().expose_for_writing());
    entry.graph_commitment = commit_to_seed(entry.identity, graph_seeds.back());
    entry.signature = merchant.identity.sign(entry.signed_bytes(hello.parameters));
    hello.merchants.push_back(entry);
  }
  hellos = hello.merchants;
  stage = Stage::greeted;
  say(send, encode(hello));
}

/// One key a session: a second one is refused, and so is one that nobody signed.
void WorkerNode::Parts::on(const ArbiterHello& told, const Send& send) {
  if (arbiter || parameters.encryption != Encryption::paillier) {
    return refuse_session(send,
                          std::string(" was told ") +
                              (arbiter ? "a second arbiter's key" : "an arbiter's key where none is needed"));
  }
  auto key = verify_arbiter(told, {.parameters = parameters,
                                   .size = *options.paillier,
                                   .pinned = options.arbiter,
                                   .coordinator = link->coordinator()});
  if (!key) {
    return refuse_session(send, ": " + key.what());
  }
  arbiter = told;
  encryptor.emplace(*key);
}

void WorkerNode::Parts::on(const RosterMessage& told, const Send& send) {
  if (parameters.encryption == Encryption::paillier && !arbiter) {
    return refuse_session(send, " was told a roster before an arbiter's key");
  }
  const RosterRules rules{.parameters = parameters,
                          .identities = options.identities,
                          .own = hellos,
                          .arbiter = arbiter ? &*arbiter : nullptr};
  auto verified = verify_roster(told.merchants, rules);
  if (!verified) {
    return refuse_session(send, ": " + verified.what());
  }
  const auto size = static_cast<std::uint32_t>(told.merchants.size());
  merchants_min = options.merchants_min > 0
                      ? options.merchants_min
                      : (parameters.encryption != Encryption::none ? default_merchants_min(size) : 1);
  if (size < merchants_min) {
    return refuse_session(send, ": the roster has " + std::to_string(size) +
                                    " merchants where this worker's own minimum is " +
                                    std::to_string(merchants_min));
  }
  session = std::move(*verified);
  roster = told.merchants;
  if (!session.needs_seeds) {
    return confirm(send);
  }
  Seeds opening;
  for (const Secret<32>& seed : graph_seeds) {
    opening.seeds.push_back(opening_of(seed));
  }
  stage = Stage::opened;
  say(send, encode(opening));
}

void WorkerNode::Parts::on(const GraphMessage& told, const Send& send) {
  auto drawn = draw_graph(session, roster, told.seeds);
  if (!drawn) {
    return refuse_session(send, ": " + drawn.what());
  }
  session = std::move(*drawn);
  confirm(send);
}

/// Derives the keys of all pairs and sends their codes.
void WorkerNode::Parts::confirm(const Send& send) {
  if (options.remove_surplus && (!parameters.masked() || options.tree ||
                                 !session.graph.complete(static_cast<std::uint32_t>(roster.size())))) {
    // Only there all who reveal anything are proved to speak of one set of merchants.
    return refuse_session(
        send, ": privacy.remove_surplus_noise needs masks, and every merchant to mask with every other");
  }
  view.session_id = session.id;
  for (const MerchantHello& hello : roster) {
    view.names.push_back(hello.name);
  }
  Confirm codes;
  for (std::size_t place = 0; place < merchants.size(); ++place) {
    const auto found = std::lower_bound(view.names.begin(), view.names.end(), merchants[place].name);
    const auto id = static_cast<std::uint32_t>(found - view.names.begin());
    view.hosted.push_back(id);
    MerchantRound merchant;
    merchant.view = {.id = id,
                     .roster_size = static_cast<std::uint32_t>(roster.size()),
                     .masked = parameters.masked(),
                     .tree = options.tree,
                     .surplus = options.remove_surplus,
                     .session_id = session.id,
                     .neighbours = std::move(session.neighbours[id]),
                     .merchants_min = merchants_min,
                     .threshold = session.graph.threshold,
                     .aborts_max = options.aborts_max};
    merchant.pairs.reserve(merchant.view.neighbours.size());
    for (const std::uint32_t neighbour : merchant.view.neighbours) {
      auto pair = PairKeys::derive(session_keys[place], roster[neighbour].key, session.id, id, neighbour);
      if (!pair) {
        return fail(send, ExitCode::refused, "merchant " + view.names[neighbour] + ": " + pair.what());
      }
      codes.codes.push_back({id, neighbour, confirm_code(*pair, id, session.id)});
      merchant.pairs.push_back(std::move(*pair));
    }
    rounds.push_back(std::move(merchant));
  }
  graph_seeds.clear();
  session_keys.clear();  // Forward secrecy: from here on there are only the ratchets.
  roster.clear();
  session.neighbours.clear();
  stage = Stage::confirmed;
  say(send, encode(codes));
}

/// Every merchant here must have the code of each of its neighbours; codes for others are passed over.
void WorkerNode::Parts::on(const Ready& told, const Send& send) {
  std::size_t expected = 0;
  std::vector<std::vector<bool>> seen;
  for (const MerchantRound& merchant : rounds) {
    expected += merchant.view.neighbours.size();
    seen.emplace_back(merchant.view.neighbours.size());
  }
  std::size_t confirmed = 0;
  for (const EdgeCode& edge : told.codes) {
    const auto hosted = std::lower_bound(view.hosted.begin(), view.hosted.end(), edge.receiver);
    if (hosted == view.hosted.end() || *hosted != edge.receiver) {
      continue;
    }
    const auto place = static_cast<std::size_t>(hosted - view.hosted.begin());
    const auto& ids = rounds[place].view.neighbours;
    const auto sender = std::lower_bound(ids.begin(), ids.end(), edge.sender);
    if (sender == ids.end() || *sender != edge.sender) {
      continue;
    }
    const auto pair = static_cast<std::size_t>(sender - ids.begin());
    if (!seen[place][pair] &&
        equal_in_constant_time(confirm_code(rounds[place].pairs[pair], edge.sender, view.session_id),
                               edge.code)) {
      seen[place][pair] = true;
      ++confirmed;
    }
  }
  if (confirmed != expected) {
    return refuse_session(
        send, ": " + std::to_string(expected - confirmed) + " neighbours do not confirm the same roster");
  }
  hooks.session_ready(view);
  stage = Stage::ready;
}

// --- rounds ---

void WorkerNode::Parts::step_one(std::size_t place, const MerchantEvent& event, const Send& send) {
  MerchantStep result = step(std::move(rounds[place]), event, *random);
  rounds[place] = std::move(result.merchant);
  if (result.refused) {
    refuse("merchant " + merchants[place].name + ": " + result.refused->sentence + " (" +
           std::string(name_of(result.refused->reason)) + ")");
  }
  for (Bytes& message : result.messages) {
    say(send, std::move(message));
  }
}

/// Signs for the merchants that are asked, once the layer above has verified and kept the lines.
void WorkerNode::Parts::on_permit(std::uint64_t round, const Permit& permit, const Send& send) {
  if (!hooks.permit || (permit.asked.count() > 0 && permit.asked.roster_size() != view.names.size())) {
    return refuse("PERMIT where none is waited for");
  }
  std::vector<std::uint32_t> ids;
  std::copy_if(view.hosted.begin(), view.hosted.end(), std::back_inserter(ids),
               [&](std::uint32_t id) { return permit.asked.contains(id); });
  const auto head = hooks.permit(permit.lines, ids);
  if (!head) {
    refuse("PERMIT of round " + std::to_string(round) + ": " + head.what() + " (" +
           std::string(name_of(Refusal::policy)) + ")");
    return say(send, encode(Abort{Refusal::policy, kNoMerchant, head.what()}, round));
  }
  if (ids.empty()) {
    return;
  }
  Cosign cosign{.size = head->size, .root = head->root, .signatures = {}};
  for (std::size_t place = 0; place < view.hosted.size(); ++place) {
    if (permit.asked.contains(view.hosted[place])) {
      cosign.signatures.push_back(merchants[place].identity.sign(head->text));
    }
  }
  say(send, encode(cosign, round));
}

void WorkerNode::Parts::on(const Recall& recall, const Send& send) {
  if (!hooks.recall) {
    return refuse("RECALL where none is waited for");
  }
  auto lines = hooks.recall(recall.size, recall.tip);
  if (!lines) {
    refuse("RECALL: " + lines.what() + " (" + std::string(name_of(Refusal::split_view)) + ")");
    return say(send, encode(Abort{Refusal::split_view, kNoMerchant, lines.what()}));
  }
  say(send, encode(Recalled{std::move(*lines)}));
}

void WorkerNode::Parts::on_open(std::uint64_t round, const Open& open, const Send& send) {
  for (std::size_t place = 0; place < rounds.size(); ++place) {
    if (!open.invited.contains(view.hosted[place])) {
      continue;
    }
    if (accepted && round > *accepted) {
      end_round(bytes_of("the coordinator opened another round before this one had a result"), false);
    }
    step_one(place, OpenEvent{round, open.invited}, send);
  }
}

void WorkerNode::Parts::on_start(std::uint64_t round, const Start& start, const Send& send) {
  StartEvent event{.round = round,
                   .parameters = start.parameters,
                   .payload = sha256(start.payload),
                   .participants = start.participants,
                   .boxes = {},
                   .seal = {}};
  std::vector<std::vector<ForwardedBox>> boxes = by_hosted(start.boxes, &ForwardedBox::holder);
  const auto give = [&](std::size_t place) {
    event.boxes = std::move(boxes[place]);
    event.seal = [&, id = view.hosted[place]](const RoundMasks& masks, const RungKey* top) {
      return seal(id, encryptor ? Seal(*encryptor, *random) : Seal(masks, top));
    };
    step_one(place, event, send);
  };
  std::vector<std::size_t> places;
  std::vector<std::uint32_t> ids;
  for (std::size_t place = 0; place < rounds.size(); ++place) {
    const bool waits = rounds[place].waits_for_start(round);
    if (waits && start.participants.contains(view.hosted[place])) {
      places.push_back(place);
      ids.push_back(view.hosted[place]);
    } else if (waits || rounds[place].round == round) {
      give(place);  // Not with it, or told once more: it uploads nothing, and compares.
    }
  }
  if (places.empty() || (accepted && round <= *accepted)) {
    refuse("START of round " + std::to_string(round) + " where none is waited for (out_of_order)");
    return;
  }
  if (accepted) {
    end_round(bytes_of("the coordinator started another round before this one had a result"), false);
  }
  const std::vector<std::uint32_t> participants = start.participants.ids();
  if (!accept(StartView{round, start.parameters, start.payload, ids, participants}, places, send)) {
    return;
  }
  accepted = round;
  if (options.tree) {
    kept = Kept{round, start.parameters, SealedTotal(start.parameters), MerchantSet(view.names.size())};
  }
  for (const std::size_t place : places) {
    give(place);
  }
}

/// Asks the layer above, and leaves the round for all merchants here when it refuses.
bool WorkerNode::Parts::accept(const StartView& start, const std::vector<std::size_t>& places,
                               const Send& send) {
  const auto own = hooks.accept_round(start);
  if (own && *own == start.parameters) {
    return true;
  }
  const Refusal reason = own ? Refusal::wrong_context : Refusal::policy;
  const std::string sentence =
      own ? "the parameters of the sum are not those that follow from its intent" : own.what();
  for (const std::size_t place : places) {
    step_one(place, LeaveEvent{start.round}, send);
  }
  refuse("round " + std::to_string(start.round) + ": " + sentence + " (" + std::string(name_of(reason)) +
         ")");
  say(send, encode(Abort{reason, kNoMerchant, sentence}, start.round));
  if (own) {
    hooks.round_ended(bytes_of(sentence), false);
  }
  return false;
}

/// The merchant's sealed sum; with a tree, into the worker's total as well.
SealedSum WorkerNode::Parts::seal(std::uint32_t merchant, const Seal& how) {
  SealedSum sealed = hooks.prepare(merchant, how);
  if (kept) {
    kept->total.add(sealed);
    kept->merchants.insert(merchant);
  }
  return sealed;
}

/// Whether the total kept here is that of all merchants of this worker in U, and of no other.
bool WorkerNode::Parts::has_exactly(std::uint64_t round, const Reduce& reduce) const {
  if (!kept || kept->round != round || kept->parameters.ring != reduce.ring ||
      kept->parameters.length != reduce.length) {
    return false;
  }
  return std::all_of(view.hosted.begin(), view.hosted.end(), [&](std::uint32_t id) {
    return kept->merchants.contains(id) == reduce.included.contains(id);
  });
}

void WorkerNode::Parts::on_reduce(std::uint64_t round, const Reduce& reduce, const Send& send) {
  const bool exact = has_exactly(round, reduce);
  const bool none = std::none_of(view.hosted.begin(), view.hosted.end(),
                                 [&](std::uint32_t id) { return reduce.included.contains(id); });
  if (!exact && !none) {
    // Zeros all the same: a sum that one does not join never ends.
    const std::string sentence = "the merchants in the sum are not those that uploaded";
    for (std::size_t place = 0; place < rounds.size(); ++place) {
      step_one(place, LeaveEvent{round}, send);
    }
    refuse("REDUCE of round " + std::to_string(round) + ": " + sentence + " (unsummed)");
    say(send, encode(Abort{Refusal::unsummed, kNoMerchant, sentence}, round));
  }
  SealedTotal part = exact ? std::move(kept->total)
                           : SealedTotal(SumParameters{.length = reduce.length, .ring = reduce.ring});
  kept.reset();
  reduced = round;
  hooks.join_sum(std::move(part.residues()));
}

void WorkerNode::Parts::on_set(std::uint64_t round, const SetMessage& set, const Send& send) {
  for (std::size_t place = 0; place < rounds.size(); ++place) {
    const bool uploaded = rounds[place].round == round && rounds[place].uploaded;
    const bool involved = uploaded || set.included.contains(view.hosted[place]);
    if (involved) {
      step_one(place, SetEvent{round, set}, send);
    }
  }
}

void WorkerNode::Parts::on_agreed(std::uint64_t round, const AgreedMessage& agreed, const Send& send) {
  std::vector<std::vector<EdgeCode>> codes = by_hosted(agreed.codes, &EdgeCode::receiver);
  for (std::size_t place = 0; place < rounds.size(); ++place) {
    // Without codes it is not about this merchant, whose AGREE was late: unless it was about it before.
    const bool told = rounds[place].round == round && rounds[place].told.agreed;
    if (told || !codes[place].empty()) {
      step_one(place, AgreedEvent{round, std::move(codes[place]), agreed.next}, send);
    }
  }
}

void WorkerNode::Parts::on_result(std::uint64_t round, const RoundResult& result, const Send& send) {
  for (std::size_t place = 0; place < rounds.size(); ++place) {
    if (rounds[place].round == round) {
      step_one(place, ResultEvent{round, result.released}, send);
    }
  }
  if (accepted == round) {
    end_round(result.payload, result.released);
  }
}

}  // namespace hanse
