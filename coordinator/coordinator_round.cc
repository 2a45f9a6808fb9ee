#include "coordinator/coordinator_round.h"

#include <set>

#include "coordinator/round_parts.h"
#include "privacy/secure_sum/pair_keys.h"

namespace hanse {

CoordinatorRound::CoordinatorRound(const CoordinatorSession& session, RoundRequest request,
                                   std::vector<FromWorker> early)
    : parts_(std::make_unique<Parts>()) {
  check(session.ready(), "a round needs a session that is ready");
  Parts& parts = *parts_;
  parts.session = &session;
  parts.request = std::move(request);
  if (parts.request.next && parts.request.next->round > PairKeys::kSkipMax) {
    parts.request.next.reset();  // A session has at most 2^16 rounds.
  }
  parts.early = std::move(early);
  parts.early_from = MerchantSet(parts.roster_size());
  parts.invited = MerchantSet::of(parts.roster_size(), parts.request.merchants);
  parts.left = MerchantSet::of(parts.roster_size(), parts.request.absent);
  parts.dropped_once = MerchantSet(parts.roster_size());
  parts.state = CollectShares{Escrow(parts.roster_size())};
  parts.neighbours.resize(parts.roster_size());
  for (const std::uint32_t id : parts.request.merchants) {
    for (const std::uint32_t neighbour : session.neighbours()[id]) {
      if (parts.invited.contains(neighbour)) {
        parts.neighbours[id].push_back(neighbour);
      }
    }
  }
  parts.await(parts.invited);
}

CoordinatorRound::~CoordinatorRound() = default;
CoordinatorRound::CoordinatorRound(CoordinatorRound&&) noexcept = default;
CoordinatorRound& CoordinatorRound::operator=(CoordinatorRound&&) noexcept = default;

std::vector<ToWorker> CoordinatorRound::begin() {
  Parts& parts = *parts_;
  std::vector<ToWorker> messages;
  for (const FromWorker& message : std::exchange(parts.early, {})) {
    for (ToWorker& one : parts.step(message)) {
      messages.push_back(std::move(one));
    }
  }
  if (std::holds_alternative<CollectShares>(parts.state)) {
    if (parts.awaited.count() == 0) {
      return parts.advance();
    }
    return parts.to_hosts(parts.awaited,
                          [&](const Ids&) { return encode(Open{parts.invited}, parts.request.round); });
  }
  return messages;
}

std::vector<ToWorker> CoordinatorRound::step(const FromWorker& message) {
  return parts_->step(message);
}

std::vector<ToWorker> CoordinatorRound::deadline_passed() {
  if (ended()) {
    return {};
  }
  if (std::holds_alternative<Decrypting>(parts_->state)) {
    return parts_->fail_without_arbiter("did not open the sum before the deadline");
  }
  parts_->awaited = MerchantSet(parts_->roster_size());
  return parts_->advance();
}

// --- what a message does ---

std::vector<ToWorker> CoordinatorRound::Parts::step(const FromWorker& message) {
  const auto envelope = open_envelope(message.message);
  if (!envelope) {
    refuse(message, kNoMerchant, Refusal::malformed, envelope.what());
    return {};
  }
  if (session->arbiter() == message.worker) {
    return step_of_arbiter(message, *envelope);
  }
  if (envelope->type == MessageType::fail) {
    return take_fail(message, *envelope);
  }
  const bool closing = envelope->type == MessageType::reveal || envelope->type == MessageType::share;
  if (envelope->round < request.round && closing) {
    return {};  // Its round was opened with the shares of others, or failed: late, and no fault.
  }
  if (take_early(message, *envelope)) {
    return {};
  }
  if (envelope->round != request.round) {
    refuse(message, envelope->merchant, Refusal::wrong_round,
           std::string(name_of(envelope->type)) + " of round " + std::to_string(envelope->round));
    return {};
  }
  const Ids merchants = spoken_for(message.worker, envelope->merchant);
  if (merchants.empty()) {
    refuse(message, envelope->merchant, Refusal::foreign, std::string(name_of(envelope->type)));
    return {};
  }
  if (envelope->type == MessageType::abort) {
    return take_abort(message, *envelope, merchants);
  }
  if (envelope->merchant == kNoMerchant || !awaited.contains(envelope->merchant)) {
    refuse(message, envelope->merchant, Refusal::out_of_order, std::string(name_of(envelope->type)));
    return {};
  }
  const auto taken = std::visit([&](auto& now) { return take(now, envelope->merchant, *envelope); }, state);
  if (!taken) {
    refuse(message, envelope->merchant, Refusal::malformed, taken.what());
    return {};
  }
  answered(envelope->merchant);
  return advance();
}

std::vector<ToWorker> CoordinatorRound::Parts::take_abort(const FromWorker& message, const Envelope& envelope,
                                                          const Ids& merchants) {
  const auto abort = decode<Abort>(envelope);
  if (!abort) {
    refuse(message, envelope.merchant, Refusal::malformed, abort.what());
    return {};
  }
  if (abort->reason == Refusal::unsummed && session->tree() && !over()) {
    return fail(Refusal::unsummed, merchants,
                "rank " + std::to_string(message.worker) + " gave no part of the sum: " + abort->sentence);
  }
  for (const std::uint32_t id : merchants) {
    std::string sentence =
        "merchant " + name(id) + " left the round: " + std::string(meaning_of(abort->reason));
    if (!abort->sentence.empty()) {
      sentence += " (" + abort->sentence + ")";
    }
    if (!left.contains(id) &&
        std::binary_search(neighbours[id].begin(), neighbours[id].end(), abort->about)) {
      accusations.push_back({id, abort->about, sentence});
      sentence += ", says it of merchant " + name(abort->about);
    }
    leave(id, abort->reason, std::move(sentence));
  }
  return advance();
}

/// The run goes on without this worker's merchants, as long as there are enough others.
std::vector<ToWorker> CoordinatorRound::Parts::take_fail(const FromWorker& message,
                                                         const Envelope& envelope) {
  const auto said = decode<Fail>(envelope);
  if (!said) {
    refuse(message, kNoMerchant, Refusal::malformed, said.what());
    return {};
  }
  worker_failures.emplace(message.worker, Failure(static_cast<ExitCode>(said->exit_code), said->sentence));
  for (const std::uint32_t id : spoken_for(message.worker, kNoMerchant)) {
    leave(id, Refusal::policy, "merchant " + name(id) + " left for good: " + said->sentence);
  }
  return advance();
}

/// Keeps a merchant's shares of the next round until it begins.
bool CoordinatorRound::Parts::take_early(const FromWorker& message, const Envelope& envelope) {
  const bool asked = std::holds_alternative<Unmask>(state) || over();
  const std::uint32_t merchant = envelope.merchant;
  if (envelope.type != MessageType::share || !asked || !request.next ||
      envelope.round != request.next->round || !request.next->invited.contains(merchant) ||
      host(merchant) != message.worker || early_from.contains(merchant)) {
    return false;
  }
  early_from.insert(merchant);
  early.push_back(message);
  return true;
}

/// Goes on to the next phase once nobody is awaited any more.
std::vector<ToWorker> CoordinatorRound::Parts::advance() {
  if (auto* unmask = std::get_if<Unmask>(&state)) {
    const bool complete = unmask->unopened == 0 && unmask->rungs_missing == 0;
    return complete || awaited.count() == 0 ? open_sum(std::move(*unmask)) : std::vector<ToWorker>{};
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

// --- what all phases have in common ---

/// The invited merchants that a message of `worker` about `merchant` is about: that one, if the worker hosts
/// it, or with kNoMerchant all that it hosts.
Ids CoordinatorRound::Parts::spoken_for(Peer worker, std::uint32_t merchant) const {
  const auto hosted = [&](std::uint32_t id) { return invited.contains(id) && host(id) == worker; };
  if (merchant != kNoMerchant) {
    return hosted(merchant) ? Ids{merchant} : Ids{};
  }
  Ids all = invited.ids();
  std::erase_if(all, [&](std::uint32_t id) { return !hosted(id); });
  return all;
}

std::string CoordinatorRound::Parts::names_of(const MerchantSet& set) const {
  std::string names;
  for (const std::uint32_t id : set.ids()) {
    names += (names.empty() ? "" : ", ") + name(id);
  }
  return names;
}

void CoordinatorRound::Parts::await(const MerchantSet& merchants) {
  awaited = merchants.without(left);
  ++phase;
}

void CoordinatorRound::Parts::refuse(const FromWorker& message, std::uint32_t merchant, Refusal reason,
                                     const std::string& what) {
  std::string who = "rank " + std::to_string(message.worker);
  if (merchant < roster_size()) {
    who += ", merchant " + name(merchant);
  }
  refusals.push_back(who + ": " + what + " (" + std::string(name_of(reason)) + ": " +
                     std::string(meaning_of(reason)) + ")");
}

void CoordinatorRound::Parts::drop(std::uint32_t merchant, Refusal reason, std::string sentence) {
  if (!dropped_once.contains(merchant)) {
    dropped_once.insert(merchant);
    dropped.push_back({merchant, reason, std::move(sentence)});
  }
}

/// All of `before` that are not in `after` dropped out, for the lack of an answer unless they said why.
void CoordinatorRound::Parts::drop_missing(const MerchantSet& before, const MerchantSet& after,
                                           const std::string& what) {
  for (const std::uint32_t id : before.ids()) {
    if (!after.contains(id) && !left.contains(id)) {
      drop(id, Refusal::deadline, "merchant " + name(id) + " sent no " + what + " before the deadline");
    }
  }
}

/// The merchant is not waited for any more in this round.
void CoordinatorRound::Parts::leave(std::uint32_t merchant, Refusal reason, std::string sentence) {
  if (left.contains(merchant)) {
    return;
  }
  drop(merchant, reason, std::move(sentence));
  left.insert(merchant);
  answered(merchant);
  if (auto* shares = std::get_if<CollectShares>(&state)) {
    shares->escrow[merchant].reset();
  }
}

void CoordinatorRound::Parts::blame(std::uint32_t merchant, const std::string& what) {
  culprits.emplace(merchant, "merchant " + name(merchant) + " is at fault: " + what);
}

std::vector<ToWorker> CoordinatorRound::Parts::fail(Refusal reason, Ids merchants, std::string sentence) {
  state = RoundFailure{reason, std::move(merchants), std::move(sentence)};
  await(MerchantSet(roster_size()));
  return {};
}

/// Fails for those found to be at fault, or else for all of which it is one.
std::vector<ToWorker> CoordinatorRound::Parts::fail_for(Refusal reason, const Blame& found,
                                                        std::string sentence) {
  for (const std::uint32_t id : found.culprits) {
    blame(id, sentence);
  }
  Ids all = found.culprits;
  all.insert(all.end(), found.doubtful.begin(), found.doubtful.end());
  std::sort(all.begin(), all.end());
  return fail(reason, std::move(all), std::move(sentence));
}

/// Why a phase that ends short of merchants does: the drop-outs, named.
std::string CoordinatorRound::Parts::because() const {
  std::string reasons;
  for (const DroppedMerchant& one : dropped) {
    reasons += (reasons.empty() ? ": " : "; ") + one.sentence;
  }
  return reasons;
}

Ids CoordinatorRound::Parts::dropped_ids() const {
  Ids ids;
  for (const DroppedMerchant& one : dropped) {
    ids.push_back(one.merchant);
  }
  return ids;
}

// --- the sum along the tree ---

std::optional<SealedSum::Residues> CoordinatorRound::joins_sum() {
  auto* adding = std::get_if<AddUp>(&parts_->state);
  if (adding == nullptr || std::exchange(adding->joined, true)) {
    return std::nullopt;
  }
  return std::get<SealedTotal>(adding->inputs.total).residues();
}

std::vector<ToWorker> CoordinatorRound::reduced(SealedSum::Residues sum) {
  auto* adding = std::get_if<AddUp>(&parts_->state);
  if (adding == nullptr) {
    return {};  // A worker had no part in it.
  }
  std::get<SealedTotal>(adding->inputs.total).residues() = std::move(sum);
  return parts_->ask_to_agree(std::move(adding->inputs), MerchantSet(adding->included));
}

// --- the end ---

int CoordinatorRound::phase() const {
  return parts_->phase;
}
const OpenedSum* CoordinatorRound::summed() const {
  const auto* summed = std::get_if<Summed>(&parts_->state);
  return summed ? &summed->sum : nullptr;
}
const SurplusRemoval* CoordinatorRound::surplus() const {
  const auto* summed = std::get_if<Summed>(&parts_->state);
  return summed && summed->surplus ? &*summed->surplus : nullptr;
}
const RoundFailure* CoordinatorRound::failed() const {
  return std::get_if<RoundFailure>(&parts_->state);
}
bool CoordinatorRound::ended() const {
  return parts_->over();
}
const std::map<Peer, Failure>& CoordinatorRound::worker_failures() const {
  return parts_->worker_failures;
}
const std::vector<DroppedMerchant>& CoordinatorRound::dropped() const {
  return parts_->dropped;
}
const std::vector<std::string>& CoordinatorRound::refusals() const {
  return parts_->refusals;
}

std::vector<FromWorker> CoordinatorRound::take_early() {
  return summed() != nullptr ? std::exchange(parts_->early, {}) : std::vector<FromWorker>{};
}

Verdict CoordinatorRound::verdict() const {
  const Parts& parts = *parts_;
  const auto corrupt = static_cast<std::size_t>(parts.session->parameters().graph.corrupt *
                                                static_cast<double>(parts.roster_size()));
  const Blame accused = judge_accusations(
      parts.accusations, [&](std::uint32_t merchant) { return parts.neighbours[merchant].size(); }, corrupt);
  std::map<std::uint32_t, std::string> culprits = parts.culprits;
  // Culprits, those who were right to leave because of them, and those who could not stay because others left.
  std::set<std::uint32_t> spared = parts.without_holders;
  for (const Accusation& one : parts.accusations) {
    if (std::binary_search(accused.culprits.begin(), accused.culprits.end(), one.accused)) {
      culprits.emplace(one.accused,
                       "merchant " + parts.name(one.accused) +
                           " is at fault, say too many of its neighbours to be lying: " + one.sentence);
    }
    if (culprits.contains(one.accused)) {
      spared.insert(one.accuser);
    }
  }
  Verdict verdict;
  for (auto& [merchant, sentence] : culprits) {
    spared.insert(merchant);
    verdict.culprits.push_back({merchant, std::move(sentence)});
  }
  const auto miss = [&](const Ids& merchants) {
    std::copy_if(merchants.begin(), merchants.end(), std::back_inserter(verdict.missed),
                 [&](std::uint32_t id) { return !spared.contains(id); });
  };
  const Ids dropped = parts.dropped_ids();
  miss(dropped);
  for (const std::uint32_t id : accused.doubtful) {
    if (std::find(dropped.begin(), dropped.end(), id) == dropped.end()) {
      miss({id});
    }
  }
  Ids failed_for = failed() ? failed()->merchants : Ids{};
  for (const Accusation& one : parts.accusations) {
    std::erase(failed_for,
               one.accuser);  // Counted as dropped; that the round failed is rather another's doing.
  }
  miss(failed_for);
  return verdict;
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
