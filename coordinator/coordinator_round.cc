#include "coordinator/coordinator_round.h"

#include <algorithm>
#include <map>
#include <utility>

#include "privacy/protocol/context.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/masks.h"
#include "privacy/secure_sum/neighbours.h"

namespace hanse {

namespace {

using Ids = std::vector<std::uint32_t>;

/// What the merchants published about their secrets, by dealer.
using Escrow = std::map<std::uint32_t, ShareMessage>;

struct CollectShares {
  Escrow escrow;
};

struct CollectInputs {
  Escrow escrow;
  MerchantSet participants;  ///< R.
  Digest context{};
  SealedTotal total;
  std::map<std::uint32_t, std::vector<Bytes16>>
      fingerprints;  ///< By uploader, beside its participating neighbours.
};

struct AgreeOnSet {
  CollectInputs inputs;
  MerchantSet included;                                  ///< U.
  std::map<std::uint32_t, std::vector<EdgeCode>> codes;  ///< By receiver.
  MerchantSet agreed;
};

struct HolderShare {
  std::uint32_t holder = 0;
  Share share{};
};

struct Unmask {
  AgreeOnSet before;
  std::map<std::uint32_t, std::vector<HolderShare>> shares;  ///< By dealer: of b if it is in U, else of u.
};

struct Summed {
  OpenedSum sum;
};

std::string plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

struct CoordinatorRound::Parts {
  const CoordinatorSession* session;
  RoundRequest request;
  MerchantSet invited;
  std::vector<Ids> neighbours;  ///< Invited neighbours of each invited merchant, by id.
  std::variant<CollectShares, CollectInputs, AgreeOnSet, Unmask, Summed, RoundFailure> state =
      CollectShares{};
  MerchantSet left;     ///< Merchants that aborted: nothing more comes from them.
  MerchantSet awaited;  ///< Merchants whose answer in this phase is still to come.
  int phase = 0;
  std::vector<DroppedMerchant> dropped;
  std::vector<std::string> refusals;
  std::optional<Failure> worker_failure;

  bool masked() const { return session->parameters().masked; }
  std::size_t roster_size() const { return session->names().size(); }
  const std::string& name(std::uint32_t merchant) const { return session->names()[merchant]; }
  Peer host(std::uint32_t merchant) const { return session->hosts()[merchant]; }

  std::uint32_t threshold(std::uint32_t merchant) const {
    return holder_threshold(holders_among(neighbours[merchant]), session->threshold());
  }
  Ids neighbours_in(std::uint32_t merchant, const MerchantSet& set) const {
    Ids inside;
    std::copy_if(neighbours[merchant].begin(), neighbours[merchant].end(), std::back_inserter(inside),
                 [&](std::uint32_t id) { return set.contains(id); });
    return inside;
  }
  std::size_t holders_in(std::uint32_t merchant, const MerchantSet& set) const {
    return neighbours_in(merchant, set).size() + (set.contains(merchant) ? 1 : 0);
  }
  std::size_t merchants_min() const {
    return std::max<std::size_t>(request.parameters.shares_min, masked() ? 3 : 1);
  }

  /// The invited merchants that a message of `worker` about `merchant` is about: that one, if the worker
  /// hosts it, or with kNoMerchant all that it hosts.
  Ids spoken_for(Peer worker, std::uint32_t merchant) const {
    const auto hosted = [&](std::uint32_t id) { return invited.contains(id) && host(id) == worker; };
    if (merchant != kNoMerchant) {
      return hosted(merchant) ? Ids{merchant} : Ids{};
    }
    Ids all;
    for (const std::uint32_t id : invited.ids()) {
      if (hosted(id)) {
        all.push_back(id);
      }
    }
    return all;
  }

  void await(const MerchantSet& merchants) {
    awaited = merchants;
    for (const std::uint32_t id : left.ids()) {
      awaited.erase(id);
    }
    ++phase;
  }
  void answered(std::uint32_t merchant) { awaited.erase(merchant); }
  void refuse(const FromWorker& message, std::uint32_t merchant, Refusal reason, const std::string& what) {
    std::string who = "rank " + std::to_string(message.worker);
    if (merchant < roster_size()) {
      who += ", merchant " + name(merchant);
    }
    refusals.push_back(who + ": " + what + " (" + std::string(name_of(reason)) + ": " +
                       std::string(meaning_of(reason)) + ")");
  }
  void drop(std::uint32_t merchant, Refusal reason, std::string sentence) {
    const bool known = std::any_of(dropped.begin(), dropped.end(),
                                   [&](const DroppedMerchant& one) { return one.merchant == merchant; });
    if (!known) {
      dropped.push_back({merchant, reason, std::move(sentence)});
    }
  }
  /// All of `before` that are not in `after` dropped out, for the lack of an answer unless they said why.
  void drop_missing(const MerchantSet& before, const MerchantSet& after, const std::string& what) {
    for (const std::uint32_t id : before.ids()) {
      if (!after.contains(id)) {
        drop(id, Refusal::deadline, "merchant " + name(id) + " sent no " + what + " before the deadline");
      }
    }
  }
  std::vector<ToWorker> fail(Refusal reason, Ids merchants, std::string sentence) {
    state = RoundFailure{reason, std::move(merchants), std::move(sentence)};
    await(MerchantSet(roster_size()));
    return {};
  }
  /// Why a phase that ends short of merchants does: the drop-outs, named.
  std::string because() const {
    std::string reasons;
    for (const DroppedMerchant& one : dropped) {
      reasons += (reasons.empty() ? ": " : "; ") + one.sentence;
    }
    return reasons;
  }
  Ids dropped_ids() const {
    Ids ids;
    for (const DroppedMerchant& one : dropped) {
      ids.push_back(one.merchant);
    }
    return ids;
  }

  /// One message for each worker that hosts a merchant of `set`; `fill` writes it.
  template <class Fill>
  std::vector<ToWorker> to_hosts(const MerchantSet& set, const Fill& fill) const {
    std::map<Peer, Ids> by_host;
    for (const std::uint32_t id : set.ids()) {
      by_host[host(id)].push_back(id);
    }
    std::vector<ToWorker> messages;
    for (const auto& [worker, merchants] : by_host) {
      messages.push_back({worker, fill(merchants)});
    }
    return messages;
  }

  // Each phase: what takes a message, what ends it.
  Result<bool> take(CollectShares& phase_state, std::uint32_t merchant, const Envelope& envelope);
  Result<bool> take(CollectInputs& phase_state, std::uint32_t merchant, const Envelope& envelope);
  Result<bool> take(AgreeOnSet& phase_state, std::uint32_t merchant, const Envelope& envelope);
  Result<bool> take(Unmask& phase_state, std::uint32_t merchant, const Envelope& envelope);
  Result<bool> take(Summed&, std::uint32_t, const Envelope&) { return Error{"the round is over"}; }
  Result<bool> take(RoundFailure&, std::uint32_t, const Envelope&) { return Error{"the round is over"}; }

  std::vector<ToWorker> advance();
  std::vector<ToWorker> start_round(CollectShares&& shares);
  std::vector<ToWorker> freeze_set(CollectInputs&& inputs);
  std::vector<ToWorker> ask_to_reveal(AgreeOnSet&& agree);
  std::vector<ToWorker> open_sum(Unmask&& unmask);
  std::vector<ToWorker> open_total(const SealedTotal& total, const MerchantSet& included);

  bool enough_shares(const Unmask& unmask) const;
  std::vector<RoundMasks::Mask> masks_to_remove(const Unmask& unmask, std::string& fault,
                                                Ids& culprits) const;
  void abort_of(std::uint32_t merchant, const Abort& abort);
  std::vector<ToWorker> fail_of(const FromWorker& message, const Envelope& envelope);
};

CoordinatorRound::CoordinatorRound(const CoordinatorSession& session, RoundRequest request)
    : parts_(std::make_unique<Parts>()) {
  check(session.ready(), "a round needs a session that is ready");
  parts_->session = &session;
  parts_->request = std::move(request);
  parts_->invited = MerchantSet::of(parts_->roster_size(), parts_->request.merchants);
  parts_->left = MerchantSet(parts_->roster_size());
  parts_->neighbours.resize(parts_->roster_size());
  for (const std::uint32_t id : parts_->request.merchants) {
    for (const std::uint32_t neighbour : session.neighbours()[id]) {
      if (parts_->invited.contains(neighbour)) {
        parts_->neighbours[id].push_back(neighbour);
      }
    }
  }
}

CoordinatorRound::~CoordinatorRound() = default;
CoordinatorRound::CoordinatorRound(CoordinatorRound&&) noexcept = default;
CoordinatorRound& CoordinatorRound::operator=(CoordinatorRound&&) noexcept = default;

std::vector<ToWorker> CoordinatorRound::begin() {
  parts_->await(parts_->invited);
  return parts_->to_hosts(parts_->invited,
                          [&](const Ids&) { return encode(Open{parts_->invited}, parts_->request.round); });
}

std::vector<ToWorker> CoordinatorRound::step(const FromWorker& message) {
  Parts& parts = *parts_;
  const auto envelope = open_envelope(message.message);
  if (!envelope) {
    parts.refuse(message, kNoMerchant, Refusal::malformed, envelope.what());
    return {};
  }
  if (envelope->type == MessageType::fail) {
    return parts.fail_of(message, *envelope);
  }
  if (envelope->round < parts.request.round && envelope->type == MessageType::reveal) {
    return {};  // Its round was opened with the shares of others: late, and no fault.
  }
  if (envelope->round != parts.request.round) {
    parts.refuse(message, envelope->merchant, Refusal::wrong_round,
                 std::string(name_of(envelope->type)) + " of round " + std::to_string(envelope->round));
    return {};
  }
  const Ids merchants = parts.spoken_for(message.worker, envelope->merchant);
  if (merchants.empty()) {
    parts.refuse(message, envelope->merchant, Refusal::foreign, std::string(name_of(envelope->type)));
    return {};
  }
  if (envelope->type == MessageType::abort) {
    const auto abort = decode<Abort>(*envelope);
    if (!abort) {
      parts.refuse(message, envelope->merchant, Refusal::malformed, abort.what());
      return {};
    }
    for (const std::uint32_t id : merchants) {
      parts.abort_of(id, *abort);
    }
    return parts.advance();
  }
  if (envelope->merchant == kNoMerchant || !parts.awaited.contains(envelope->merchant)) {
    parts.refuse(message, envelope->merchant, Refusal::out_of_order, std::string(name_of(envelope->type)));
    return {};
  }
  const auto taken =
      std::visit([&](auto& state) { return parts.take(state, envelope->merchant, *envelope); }, parts.state);
  if (!taken) {
    parts.refuse(message, envelope->merchant, Refusal::malformed, taken.what());
    return {};
  }
  parts.answered(envelope->merchant);
  return parts.advance();
}

std::vector<ToWorker> CoordinatorRound::deadline_passed() {
  if (ended()) {
    return {};
  }
  parts_->awaited = MerchantSet(parts_->roster_size());
  return parts_->advance();
}

void CoordinatorRound::Parts::abort_of(std::uint32_t merchant, const Abort& abort) {
  std::string sentence =
      "merchant " + name(merchant) + " left the round: " + std::string(meaning_of(abort.reason));
  if (!abort.sentence.empty()) {
    sentence += " (" + abort.sentence + ")";
  }
  drop(merchant, abort.reason, sentence);
  left.insert(merchant);
  answered(merchant);
  if (auto* shares = std::get_if<CollectShares>(&state)) {
    shares->escrow.erase(merchant);
  }
}

std::vector<ToWorker> CoordinatorRound::Parts::fail_of(const FromWorker& message, const Envelope& envelope) {
  auto said = decode<Fail>(envelope);
  if (!said) {
    refuse(message, kNoMerchant, Refusal::malformed, said.what());
    return {};
  }
  worker_failure = Failure(static_cast<ExitCode>(said->exit_code), said->sentence);
  if (std::holds_alternative<Summed>(state) || std::holds_alternative<RoundFailure>(state)) {
    return {};
  }
  return fail(Refusal::policy, spoken_for(message.worker, kNoMerchant), said->sentence);
}

/// Goes on to the next phase once nobody is awaited any more.
std::vector<ToWorker> CoordinatorRound::Parts::advance() {
  if (auto* unmask = std::get_if<Unmask>(&state)) {
    if (enough_shares(*unmask) || awaited.count() == 0) {
      return open_sum(std::move(*unmask));
    }
    return {};
  }
  if (awaited.count() > 0) {
    return {};
  }
  if (auto* shares = std::get_if<CollectShares>(&state)) {
    return start_round(std::move(*shares));
  }
  if (auto* inputs = std::get_if<CollectInputs>(&state)) {
    return freeze_set(std::move(*inputs));
  }
  if (auto* agree = std::get_if<AgreeOnSet>(&state)) {
    return ask_to_reveal(std::move(*agree));
  }
  return {};
}

// --- CollectShares ---

Result<bool> CoordinatorRound::Parts::take(CollectShares& phase_state, std::uint32_t merchant,
                                           const Envelope& envelope) {
  auto message = decode<ShareMessage>(envelope);
  if (!message) {
    return message.error();
  }
  const std::size_t expected = masked() ? neighbours[merchant].size() : 0;
  if (message->parts.size() != expected) {
    return Error{"SHARE has " + plural(message->parts.size(), "part") + " instead of " +
                 std::to_string(expected)};
  }
  phase_state.escrow.emplace(merchant, std::move(*message));
  return true;
}

std::vector<ToWorker> CoordinatorRound::Parts::start_round(CollectShares&& shares) {
  MerchantSet participants(roster_size());
  for (const auto& [merchant, message] : shares.escrow) {
    participants.insert(merchant);
  }
  drop_missing(invited, participants, "SHARE");
  // A merchant without enough holders among those that are left would leave itself: it is not started with.
  for (bool settled = !masked(); !settled;) {
    settled = true;
    for (const std::uint32_t id : participants.ids()) {
      if (holders_in(id, participants) < threshold(id)) {
        drop(id, Refusal::cohort, "merchant " + name(id) + " has too few neighbours left to hold its shares");
        participants.erase(id);
        settled = false;
      }
    }
  }
  if (participants.count() < merchants_min()) {
    return fail(Refusal::cohort, dropped_ids(),
                plural(participants.count(), "merchant") + " could start where the sum needs " +
                    std::to_string(merchants_min()) + because());
  }
  const Digest context = digest_of({.session = session->session_id(),
                                    .round = request.round,
                                    .payload = sha256(request.payload),
                                    .parameters = request.parameters,
                                    .participants = participants});
  auto messages = to_hosts(participants, [&](const Ids& hosted) {
    Start start{request.parameters, participants, {}, request.payload};
    for (const std::uint32_t holder : hosted) {
      for (const std::uint32_t dealer : masked() ? neighbours_in(holder, participants) : Ids{}) {
        const Ids& of_dealer = neighbours[dealer];
        const auto place = std::lower_bound(of_dealer.begin(), of_dealer.end(), holder) - of_dealer.begin();
        start.boxes.push_back(
            {dealer, holder, shares.escrow.at(dealer).parts[static_cast<std::size_t>(place)].box});
      }
    }
    return encode(start, request.round);
  });
  state = CollectInputs{std::move(shares.escrow), participants, context, SealedTotal(request.parameters), {}};
  await(participants);
  return messages;
}

// --- CollectInputs ---

Result<bool> CoordinatorRound::Parts::take(CollectInputs& phase_state, std::uint32_t merchant,
                                           const Envelope& envelope) {
  auto upload = decode<Upload>(envelope);
  if (!upload) {
    return upload.error();
  }
  const std::size_t edges = masked() ? neighbours_in(merchant, phase_state.participants).size() : 0;
  if (upload->fingerprints.size() != edges) {
    return Error{"UPLOAD has " + plural(upload->fingerprints.size(), "fingerprint") + " instead of " +
                 std::to_string(edges)};
  }
  const auto sealed = SealedSum::from_wire(upload->residues, request.parameters);
  if (!sealed) {
    return sealed.error();
  }
  phase_state.total.add(*sealed);
  phase_state.fingerprints.emplace(merchant, std::move(upload->fingerprints));
  return true;
}

namespace {

/// The edges inside `included` whose two ends do not have the same mask.
template <class NeighboursIn>
std::vector<std::pair<std::uint32_t, std::uint32_t>> mismatched_edges(
    const CollectInputs& inputs, const MerchantSet& included, const NeighboursIn& participating_neighbours) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Bytes16> lower_ends;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> mismatched;
  for (const auto& [merchant, fingerprints] :
       inputs.fingerprints) {  // Increasing: the lower end comes first.
    const Ids others = participating_neighbours(merchant);
    for (std::size_t i = 0; i < others.size(); ++i) {
      if (!included.contains(others[i])) {
        continue;
      }
      if (merchant < others[i]) {
        lower_ends.emplace(std::pair(merchant, others[i]), fingerprints[i]);
      } else if (lower_ends.at({others[i], merchant}) != fingerprints[i]) {
        mismatched.emplace_back(others[i], merchant);
      }
    }
  }
  return mismatched;
}

}  // namespace

std::vector<ToWorker> CoordinatorRound::Parts::freeze_set(CollectInputs&& inputs) {
  MerchantSet included(roster_size());
  for (const auto& [merchant, fingerprints] : inputs.fingerprints) {
    included.insert(merchant);
  }
  drop_missing(inputs.participants, included, "UPLOAD");
  if (included.count() < merchants_min()) {
    return fail(Refusal::cohort, dropped_ids(),
                plural(included.count(), "merchant") + " uploaded where the sum needs " +
                    std::to_string(merchants_min()) + because());
  }
  if (!masked()) {
    return open_total(inputs.total, included);
  }
  const auto mismatched = mismatched_edges(
      inputs, included, [&](std::uint32_t id) { return neighbours_in(id, inputs.participants); });
  if (!mismatched.empty()) {
    Ids ends;
    std::string sentence;
    for (const auto& [low, high] : mismatched) {
      ends.insert(ends.end(), {low, high});
      sentence += (sentence.empty() ? "no common mask between merchants " : "; between ") + name(low) +
                  " and " + name(high);
    }
    std::sort(ends.begin(), ends.end());
    ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
    return fail(Refusal::edge_mismatch, std::move(ends), sentence + ": they were told different rounds");
  }
  for (const std::uint32_t dealer : inputs.participants.ids()) {
    if (holders_in(dealer, included) < threshold(dealer)) {
      return fail(Refusal::cohort, dropped_ids(),
                  plural(holders_in(dealer, included), "holder") + " of the shares of merchant " +
                      name(dealer) + " are left where " + std::to_string(threshold(dealer)) + " are needed" +
                      because());
    }
  }
  auto messages = to_hosts(included, [&](const Ids&) {
    return encode(SetMessage{inputs.context, included}, request.round);
  });
  state = AgreeOnSet{std::move(inputs), included, {}, MerchantSet(roster_size())};
  await(included);
  return messages;
}

// --- Agree ---

Result<bool> CoordinatorRound::Parts::take(AgreeOnSet& phase_state, std::uint32_t merchant,
                                           const Envelope& envelope) {
  const auto agree = decode<Agree>(envelope);
  if (!agree) {
    return agree.error();
  }
  const Ids others = neighbours_in(merchant, phase_state.included);
  bool complete = agree->codes.size() == others.size();
  for (std::size_t i = 0; complete && i < others.size(); ++i) {
    complete = agree->codes[i].sender == merchant && agree->codes[i].receiver == others[i];
  }
  if (!complete) {
    return Error{"AGREE does not hold one code for each neighbour in the sum"};
  }
  for (const EdgeCode& code : agree->codes) {
    phase_state.codes[code.receiver].push_back(code);
  }
  phase_state.agreed.insert(merchant);
  return true;
}

std::vector<ToWorker> CoordinatorRound::Parts::ask_to_reveal(AgreeOnSet&& agree) {
  for (const std::uint32_t dealer : agree.inputs.participants.ids()) {
    if (holders_in(dealer, agree.agreed) < threshold(dealer)) {
      std::string silent;
      Ids ids;
      for (const std::uint32_t id : agree.included.ids()) {
        if (!agree.agreed.contains(id)) {
          silent += (silent.empty() ? "" : ", ") + name(id);
          ids.push_back(id);
        }
      }
      return fail(Refusal::cohort, std::move(ids),
                  "too few merchants confirmed the set of uploads; without an answer: " + silent + because());
    }
  }
  auto messages = to_hosts(agree.agreed, [&](const Ids& hosted) {
    AgreedMessage agreed;
    for (const std::uint32_t id : hosted) {
      const auto& codes = agree.codes[id];
      agreed.codes.insert(agreed.codes.end(), codes.begin(), codes.end());
    }
    return encode(agreed, request.round);
  });
  const MerchantSet revealing = agree.agreed;
  state = Unmask{std::move(agree), {}};
  await(revealing);
  return messages;
}

// --- Unmask ---

Result<bool> CoordinatorRound::Parts::take(Unmask& phase_state, std::uint32_t merchant,
                                           const Envelope& envelope) {
  const auto reveal = decode<Reveal>(envelope);
  if (!reveal) {
    return reveal.error();
  }
  const CollectInputs& inputs = phase_state.before.inputs;
  Ids dealers = neighbours_in(merchant, inputs.participants);
  dealers.insert(std::lower_bound(dealers.begin(), dealers.end(), merchant), merchant);
  bool complete = reveal->shares.size() == dealers.size();
  for (std::size_t i = 0; complete && i < dealers.size(); ++i) {
    complete = reveal->shares[i].dealer == dealers[i] &&
               std::holds_alternative<SelfMaskShare>(reveal->shares[i].secret) ==
                   phase_state.before.included.contains(dealers[i]);
  }
  if (!complete) {
    return Error{"REVEAL does not hold one share of the right kind for each dealer"};
  }
  for (const RevealedShare& revealed : reveal->shares) {
    const ShareMessage& published = inputs.escrow.at(revealed.dealer);
    const Ids& holders = neighbours[revealed.dealer];
    const auto place = std::lower_bound(holders.begin(), holders.end(), merchant) - holders.begin();
    const Commitments& commitments = revealed.dealer == merchant
                                         ? published.own
                                         : published.parts[static_cast<std::size_t>(place)].commitments;
    const auto* self_mask = std::get_if<SelfMaskShare>(&revealed.secret);
    const Share& share = self_mask ? self_mask->share : std::get<EscrowShare>(revealed.secret).share;
    if (commit(share) != (self_mask ? commitments.self_mask : commitments.escrow)) {
      refusals.push_back("merchant " + name(merchant) + ": the share it revealed of merchant " +
                         name(revealed.dealer) + " is not the one that was committed to (unverified)");
      continue;  // The others are enough, or the deadline says that they are not.
    }
    phase_state.shares[revealed.dealer].push_back({merchant, share});
  }
  return true;
}

bool CoordinatorRound::Parts::enough_shares(const Unmask& unmask) const {
  for (const std::uint32_t dealer : unmask.before.inputs.participants.ids()) {
    const auto shares = unmask.shares.find(dealer);
    if (shares == unmask.shares.end() || shares->second.size() < threshold(dealer)) {
      return false;
    }
  }
  return true;
}

namespace {

Secret<32> reconstruct(const std::vector<HolderShare>& shares, std::uint32_t threshold) {
  std::vector<std::uint32_t> holders;
  std::vector<Share> values;
  for (std::uint32_t i = 0; i < threshold; ++i) {
    holders.push_back(shares[i].holder);
    values.push_back(shares[i].share);
  }
  return reconstruct_secret(holders, values);
}

}  // namespace

/// The masks that are still in the total: the own ones of all that are in it, and those they have with
/// merchants that dropped out. Signs are turned round.
std::vector<RoundMasks::Mask> CoordinatorRound::Parts::masks_to_remove(const Unmask& unmask,
                                                                       std::string& fault,
                                                                       Ids& culprits) const {
  const CollectInputs& inputs = unmask.before.inputs;
  const MerchantSet& included = unmask.before.included;
  std::vector<RoundMasks::Mask> masks;
  for (const std::uint32_t dealer : inputs.participants.ids()) {
    const Secret<32> secret = reconstruct(unmask.shares.at(dealer), threshold(dealer));
    if (included.contains(dealer)) {
      masks.push_back({self_mask(secret, inputs.context), Sign::minus});
      continue;
    }
    for (const std::uint32_t other : neighbours_in(dealer, included)) {
      const Ids& of_dealer = neighbours[dealer];
      const auto place = std::lower_bound(of_dealer.begin(), of_dealer.end(), other) - of_dealer.begin();
      const Secret<32> seed = unwrap_seed(
          inputs.escrow.at(dealer).parts[static_cast<std::size_t>(place)].wrapped_seed, secret, other);
      const Ids edges = neighbours_in(other, inputs.participants);
      const auto edge = std::lower_bound(edges.begin(), edges.end(), dealer) - edges.begin();
      if (edge_fingerprint(seed, inputs.context) !=
          inputs.fingerprints.at(other)[static_cast<std::size_t>(edge)]) {
        fault = "the escrow of merchant " + name(dealer) + " for its mask with merchant " + name(other) +
                " does not fit";
        culprits = {dealer, other};
        return {};
      }
      masks.push_back({edge_mask(seed, inputs.context), other < dealer ? Sign::minus : Sign::plus});
    }
  }
  return masks;
}

std::vector<ToWorker> CoordinatorRound::Parts::open_sum(Unmask&& unmask) {
  if (!enough_shares(unmask)) {
    Ids silent;
    std::string names;
    for (const std::uint32_t id : unmask.before.agreed.ids()) {
      const bool revealed =
          std::any_of(unmask.shares.begin(), unmask.shares.end(), [&](const auto& of_dealer) {
            return std::any_of(of_dealer.second.begin(), of_dealer.second.end(),
                               [&](const HolderShare& share) { return share.holder == id; });
          });
      if (!revealed) {
        silent.push_back(id);
        names += (names.empty() ? "" : ", ") + name(id);
      }
    }
    return fail(Refusal::cohort, std::move(silent),
                "too few shares were revealed to open the sum; without an answer: " + names + because());
  }
  std::string fault;
  Ids culprits;
  const RoundMasks masks(masks_to_remove(unmask, fault, culprits));
  if (!fault.empty()) {
    return fail(Refusal::edge_mismatch, std::move(culprits), fault);
  }
  SealedTotal& total = unmask.before.inputs.total;
  std::visit([&](auto& residues) { masks.add_to(residues); }, total.residues());
  return open_total(total, unmask.before.included);
}

std::vector<ToWorker> CoordinatorRound::Parts::open_total(const SealedTotal& total,
                                                          const MerchantSet& included) {
  auto opened = total.open(request.parameters, included.ids());
  if (!opened) {
    return fail(Refusal::sum_invalid, included.ids(), opened.what());
  }
  std::erase_if(dropped, [&](const DroppedMerchant& one) { return included.contains(one.merchant); });
  state = Summed{std::move(*opened)};
  await(MerchantSet(roster_size()));
  return {};
}

// --- the end ---

int CoordinatorRound::phase() const {
  return parts_->phase;
}
const OpenedSum* CoordinatorRound::summed() const {
  const auto* summed = std::get_if<Summed>(&parts_->state);
  return summed ? &summed->sum : nullptr;
}
const RoundFailure* CoordinatorRound::failed() const {
  return std::get_if<RoundFailure>(&parts_->state);
}
bool CoordinatorRound::ended() const {
  return summed() != nullptr || failed() != nullptr;
}
const std::optional<Failure>& CoordinatorRound::worker_failure() const {
  return parts_->worker_failure;
}
const std::vector<DroppedMerchant>& CoordinatorRound::dropped() const {
  return parts_->dropped;
}
const std::vector<std::string>& CoordinatorRound::refusals() const {
  return parts_->refusals;
}

std::vector<ToWorker> CoordinatorRound::announce(ByteView payload) const {
  check(ended(), "a round is announced when it has ended");
  RoundResult result{
      .released = summed() != nullptr, .included = MerchantSet(parts_->roster_size()), .payload = {}};
  if (const OpenedSum* sum = summed()) {
    result.included = MerchantSet::of(parts_->roster_size(), sum->merchants);
    result.payload.assign(payload.begin(), payload.end());
  } else {
    const ByteView sentence = bytes_of(failed()->sentence);
    result.payload.assign(sentence.begin(), sentence.end());
  }
  return parts_->to_hosts(parts_->invited, [&](const Ids&) { return encode(result, parts_->request.round); });
}

}  // namespace hanse
