// The first half of a round: shares, then uploads.
#include "coordinator/round_parts.h"
#include "privacy/protocol/context.h"

namespace hanse {

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
  if (message->surplus_secrets.size() != rungs_of(merchant)) {
    return Error{"SHARE has " + plural(message->surplus_secrets.size(), "rung") + " of noise instead of " +
                 std::to_string(rungs_of(merchant))};
  }
  phase_state.escrow[merchant] = std::move(*message);
  return true;
}

/// Those whose shares are there, without those who would then leave by themselves, for the lack of holders.
MerchantSet CoordinatorRound::Parts::able_to_start(const CollectShares& shares) {
  MerchantSet participants(roster_size());
  for (const std::uint32_t id : invited.ids()) {
    if (shares.escrow[id]) {
      participants.insert(id);
    }
  }
  drop_missing(invited, participants, "SHARE");
  for (bool settled = !masked(); !settled;) {
    settled = true;
    for (const std::uint32_t id : participants.ids()) {
      if (holders_in(id, participants) < threshold(id)) {
        drop(id, Refusal::cohort, "merchant " + name(id) + " has too few neighbours left to hold its shares");
        without_holders.insert(id);
        participants.erase(id);
        settled = false;
      }
    }
  }
  return participants;
}

std::variant<SealedTotal, EncryptedTotal> CoordinatorRound::Parts::empty_total() const {
  if (const PaillierEncryptor* encryptor = session->encryptor()) {
    return EncryptedTotal(request.parameters, encryptor->key());
  }
  return SealedTotal(request.parameters);
}

std::vector<ToWorker> CoordinatorRound::Parts::start_round(CollectShares&& shares) {
  const MerchantSet participants = able_to_start(shares);
  if (participants.count() < merchants_min()) {
    return fail(Refusal::cohort, dropped_ids(),
                plural(participants.count(), "merchant") + " could start where the sum needs " +
                    std::to_string(merchants_min()) + because());
  }
  CollectInputs inputs{.escrow = std::move(shares.escrow),
                       .participants = participants,
                       .neighbours = std::vector<Ids>(roster_size()),
                       .context = digest_of({.session = session->session_id(),
                                             .round = request.round,
                                             .payload = sha256(request.payload),
                                             .parameters = request.parameters,
                                             .participants = participants}),
                       .total = empty_total(),
                       .fingerprints = {}};
  inputs.fingerprints.resize(roster_size());
  for (const std::uint32_t id : participants.ids()) {
    std::copy_if(neighbours[id].begin(), neighbours[id].end(), std::back_inserter(inputs.neighbours[id]),
                 [&](std::uint32_t other) { return participants.contains(other); });
  }
  auto messages = to_hosts(participants, [&](const Ids& hosted) { return start_message(inputs, hosted); });
  state = std::move(inputs);
  await(participants);
  return messages;
}

/// START for one worker: to its merchants the boxes of their participating neighbours, as these dealt them.
Bytes CoordinatorRound::Parts::start_message(const CollectInputs& inputs, const Ids& hosted) const {
  Start start{request.parameters, inputs.participants, {}, request.payload};
  for (const std::uint32_t holder : masked() ? hosted : Ids{}) {
    for (const std::uint32_t dealer : inputs.neighbours[holder]) {
      const SharePart& part = inputs.escrow[dealer]->parts[place_of(holder, neighbours[dealer])];
      start.boxes.push_back({dealer, holder, part.box, part.commitments, part.surplus});
    }
  }
  return encode(start, request.round);
}

// --- CollectInputs ---

Result<bool> CoordinatorRound::Parts::take(CollectInputs& phase_state, std::uint32_t merchant,
                                           const Envelope& envelope) {
  auto upload = decode<Upload>(envelope);
  if (!upload) {
    return upload.error();
  }
  const std::size_t edges = masked() ? phase_state.neighbours[merchant].size() : 0;
  if (upload->fingerprints.size() != edges) {
    return Error{"UPLOAD has " + plural(upload->fingerprints.size(), "fingerprint") + " instead of " +
                 std::to_string(edges)};
  }
  if (auto* encrypted = std::get_if<EncryptedTotal>(&phase_state.total)) {
    if (const auto fault = encrypted->add(upload->residues)) {
      return *fault;
    }
  } else if (session->tree()) {
    if (!upload->residues.empty()) {
      return Error{"UPLOAD has residues, which come along the tree"};
    }
  } else {
    const auto sealed = SealedSum::from_wire(upload->residues, request.parameters);
    if (!sealed) {
      return sealed.error();
    }
    std::get<SealedTotal>(phase_state.total).add(*sealed);
  }
  phase_state.fingerprints[merchant] = std::move(upload->fingerprints);
  return true;
}

namespace {

/// The edges inside `included` whose two ends do not have the same mask.
std::vector<Quarrel> mismatched_edges(const CollectInputs& inputs, const MerchantSet& included) {
  std::vector<Quarrel> mismatched;
  // Lower ends are met in increasing order, so that each list is walked once: O(edges).
  std::vector<std::size_t> walked(inputs.neighbours.size(), 0);
  for (const std::uint32_t low : inputs.participants.ids()) {
    const Ids& others = inputs.neighbours[low];
    for (std::size_t i = 0; i < others.size(); ++i) {
      if (others[i] < low) {
        continue;
      }
      const std::size_t back = walked[others[i]]++;
      if (included.contains(low) && included.contains(others[i]) &&
          (*inputs.fingerprints[low])[i] != (*inputs.fingerprints[others[i]])[back]) {
        mismatched.push_back({low, others[i]});
      }
    }
  }
  return mismatched;
}

}  // namespace

/// Those whose uploads are there. With a tree a worker has one total of all its merchants: while one of them is
/// still to come, none of them can be in the sum.
MerchantSet CoordinatorRound::Parts::uploaded(CollectInputs& inputs) {
  MerchantSet included(roster_size());
  std::map<Peer, std::uint32_t> unfinished;
  for (const std::uint32_t id : inputs.participants.ids()) {
    if (inputs.fingerprints[id]) {
      included.insert(id);
    } else if (session->tree() && !left.contains(id)) {
      unfinished.emplace(host(id), id);
    }
  }
  drop_missing(inputs.participants, included, "UPLOAD");
  for (const std::uint32_t id : included.ids()) {
    if (const auto late = unfinished.find(host(id)); late != unfinished.end()) {
      drop(id, Refusal::deadline,
           "merchant " + name(id) + " is added up with merchant " + name(late->second) + ", which is late");
      included.erase(id);
    }
  }
  return included;
}

std::vector<ToWorker> CoordinatorRound::Parts::freeze_set(CollectInputs&& inputs) {
  const MerchantSet included = uploaded(inputs);
  if (included.count() < merchants_min()) {
    return fail(Refusal::cohort, dropped_ids(),
                plural(included.count(), "merchant") + " uploaded where the sum needs " +
                    std::to_string(merchants_min()) + because());
  }
  if (const auto* encrypted = std::get_if<EncryptedTotal>(&inputs.total)) {
    return ask_arbiter(*encrypted, included);
  }
  if (!masked()) {
    return open_total(std::get<SealedTotal>(inputs.total), included);
  }
  if (const auto mismatched = mismatched_edges(inputs, included); !mismatched.empty()) {
    std::string sentence;
    for (const auto& [low, high] : mismatched) {
      sentence += (sentence.empty() ? "no common mask between merchants " : "; between ") + name(low) +
                  " and " + name(high);
    }
    return fail_for(
        Refusal::edge_mismatch,
        judge_quarrels(mismatched, [&](std::uint32_t id) { return holders_in(id, included) - 1; }),
        sentence + ": they were told different rounds, or one of them lies");
  }
  if (const auto dealer = short_of_holders(inputs.participants, included)) {
    return fail(Refusal::cohort, dropped_ids(),
                plural(holders_in(*dealer, included), "holder") + " of the shares of merchant " +
                    name(*dealer) + " are left where " + std::to_string(threshold(*dealer)) + " are needed" +
                    because());
  }
  return session->tree() ? ask_to_add_up(std::move(inputs), included)
                         : ask_to_agree(std::move(inputs), included);
}

/// To all workers, also those without a merchant in this round: a tree is made of all.
std::vector<ToWorker> CoordinatorRound::Parts::ask_to_add_up(CollectInputs&& inputs,
                                                             const MerchantSet& included) {
  std::vector<ToWorker> messages;
  for (Peer worker = 1; worker <= session->workers(); ++worker) {
    messages.push_back({worker, encode(Reduce{request.parameters.ring, request.parameters.length, included},
                                       request.round)});
  }
  state = AddUp{std::move(inputs), included};
  await(MerchantSet(roster_size()));
  return messages;
}

std::vector<ToWorker> CoordinatorRound::Parts::ask_to_agree(CollectInputs&& inputs,
                                                            const MerchantSet& included) {
  auto messages = to_hosts(included, [&](const Ids&) {
    return encode(SetMessage{inputs.context, included}, request.round);
  });
  state = AgreeOnSet{std::move(inputs), included, std::vector<std::vector<EdgeCode>>(roster_size()),
                     MerchantSet(roster_size())};
  await(included);
  return messages;
}

/// The first of `dealers` whose secrets `holders` could not open.
std::optional<std::uint32_t> CoordinatorRound::Parts::short_of_holders(const MerchantSet& dealers,
                                                                       const MerchantSet& holders) const {
  for (const std::uint32_t dealer : dealers.ids()) {
    if (holders_in(dealer, holders) < threshold(dealer)) {
      return dealer;
    }
  }
  return std::nullopt;
}

}  // namespace hanse
