#include "worker/merchant_round.h"

#include <algorithm>
#include <utility>

#include "privacy/protocol/context.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/masks.h"
#include "privacy/secure_sum/neighbours.h"

namespace hanse {

namespace {

/// Ends the step without a change of state.
MerchantStep ignore(MerchantRound merchant, Refusal reason, std::string sentence) {
  return {std::move(merchant), {}, RefusedEvent{reason, false, kNoMerchant, std::move(sentence)}};
}

/// Leaves the round: its secrets die with its state, and the coordinator is told why.
MerchantStep abort(MerchantRound merchant, Refusal reason, std::string sentence,
                   std::uint32_t about = kNoMerchant) {
  merchant.state = Idle{};
  ++merchant.aborts;
  merchant.ended = merchant.ended || reason == Refusal::forged || reason == Refusal::split_view ||
                   reason == Refusal::equivocation;
  MerchantStep result;
  result.messages.push_back(encode(Abort{reason, about, sentence}, merchant.round, merchant.view.id));
  result.refused = RefusedEvent{reason, true, about, std::move(sentence)};
  result.merchant = std::move(merchant);
  return result;
}

std::vector<std::uint32_t> neighbours_in(const MerchantView& view, const MerchantSet& set) {
  std::vector<std::uint32_t> inside;
  std::copy_if(view.neighbours.begin(), view.neighbours.end(), std::back_inserter(inside),
               [&](std::uint32_t id) { return set.contains(id); });
  return inside;
}

std::string counted(std::size_t count, std::string_view of_what, std::size_t needed) {
  return std::to_string(count) + " " + std::string(of_what) + " where this merchant needs " +
         std::to_string(needed);
}

/// The pair of keys with `neighbour`, who is one.
PairKeys& pair_with(MerchantRound& merchant, std::uint32_t neighbour) {
  const auto& ids = merchant.view.neighbours;
  const auto place = std::lower_bound(ids.begin(), ids.end(), neighbour);
  check(place != ids.end() && *place == neighbour, "pair keys are asked for with a neighbour");
  return merchant.pairs[static_cast<std::size_t>(place - ids.begin())];
}

/// Why `set` is too small for this merchant to take part, or nothing.
std::optional<std::string> too_small(const MerchantView& view, const MerchantSet& set,
                                     std::size_t merchants_min, std::size_t threshold) {
  if (set.count() < merchants_min) {
    return counted(set.count(), "merchants", merchants_min);
  }
  const std::size_t holders = neighbours_in(view, set).size() + (set.contains(view.id) ? 1 : 0);
  if (view.masked && holders < threshold) {
    return counted(holders, "holders of its shares", threshold);
  }
  return std::nullopt;
}

// --- OPEN: deal the escrow ---

/// Fresh secrets b and u, dealt to the invited neighbours and to oneself, and the seeds of the round wrapped
/// under u.
Shared deal(MerchantRound& merchant, const MerchantSet& invited, SecureRandom& random,
            ShareMessage& message) {
  const MerchantView& view = merchant.view;
  const std::vector<std::uint32_t> neighbours = neighbours_in(view, invited);
  Shared shared{.invited = invited,
                .threshold = holder_threshold(holders_among(neighbours), view.threshold),
                .edges = {},
                .self_mask = random_secret(random),
                .own = {}};
  const Secret<32> escrow = random_secret(random);
  const Dealing self_mask_shares =
      deal_secret(shared.self_mask, neighbours, view.id, shared.threshold, random);
  const Dealing escrow_shares = deal_secret(escrow, neighbours, view.id, shared.threshold, random);
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    PairKeys& pair = pair_with(merchant, neighbours[i]);
    SeededEdge edge{neighbours[i], pair.seed(merchant.round)};
    const ShareAddress address{view.session_id, merchant.round, view.id, neighbours[i]};
    message.parts.push_back(
        {.box = seal_shares(pair, address, self_mask_shares.others[i], escrow_shares.others[i]),
         .commitments = {commit(self_mask_shares.others[i]), commit(escrow_shares.others[i])},
         .wrapped_seed = wrap_seed(edge.seed, escrow, neighbours[i])});
    shared.edges.push_back(std::move(edge));
  }
  message.own = {commit(self_mask_shares.own), commit(escrow_shares.own)};
  shared.own = {view.id, self_mask_shares.own.duplicate(), escrow_shares.own.duplicate()};
  return shared;
}

MerchantStep on(MerchantRound merchant, const OpenEvent& event, SecureRandom& random) {
  if (event.round <= merchant.round ||
      event.round > PairKeys::kSkipMax) {  // A session has at most 2^16 rounds.
    return ignore(std::move(merchant), Refusal::wrong_round, "OPEN of a round that is not a later one");
  }
  if (event.invited.roster_size() != merchant.view.roster_size || !event.invited.contains(merchant.view.id)) {
    return ignore(std::move(merchant), Refusal::foreign,
                  "OPEN of a round that this merchant is not invited to");
  }
  if (std::holds_alternative<Masked>(merchant.state) || std::holds_alternative<Agreed>(merchant.state)) {
    ++merchant.aborts;  // An upload that was never answered by a release.
  }
  merchant.state = Idle{};
  merchant.round = event.round;
  if (merchant.ended || merchant.aborts > merchant.view.aborts_max) {
    return abort(std::move(merchant), Refusal::exhausted,
                 "this merchant takes part in no round of this session any more");
  }
  ShareMessage message;
  const std::uint32_t threshold =
      holder_threshold(holders_among(neighbours_in(merchant.view, event.invited)), merchant.view.threshold);
  if (const auto fault = too_small(merchant.view, event.invited, merchant.view.merchants_min, threshold)) {
    return abort(std::move(merchant), Refusal::cohort, "OPEN invites " + *fault);
  }
  if (merchant.view.masked) {
    merchant.state = deal(merchant, event.invited, random, message);
  } else {
    merchant.state =
        Shared{.invited = event.invited, .threshold = 0, .edges = {}, .self_mask = {}, .own = {}};
  }
  MerchantStep result;
  result.messages.push_back(encode(message, merchant.round, merchant.view.id));
  result.merchant = std::move(merchant);
  return result;
}

// --- START: mask and upload ---

/// Opens the boxes of all participating neighbours. On a fault, names the dealer.
std::optional<std::uint32_t> take_boxes(MerchantRound& merchant, const StartEvent& event,
                                        const std::vector<std::uint32_t>& neighbours, HeldShares own,
                                        std::vector<HeldShares>& held) {
  for (const std::uint32_t dealer : neighbours) {
    if (dealer > merchant.view.id && own.dealer == merchant.view.id) {
      held.push_back(std::move(own));
      own.dealer = kNoMerchant;
    }
    const auto box = std::find_if(event.boxes.begin(), event.boxes.end(),
                                  [&](const ForwardedBox& forwarded) { return forwarded.dealer == dealer; });
    const ShareAddress address{merchant.view.session_id, merchant.round, dealer, merchant.view.id};
    if (box == event.boxes.end()) {
      return dealer;
    }
    auto shares = open_shares(pair_with(merchant, dealer), address, box->box);
    if (!shares) {
      return dealer;
    }
    held.push_back({dealer, std::move(shares->self_mask), std::move(shares->escrow)});
  }
  if (own.dealer == merchant.view.id) {
    held.push_back(std::move(own));
  }
  return std::nullopt;
}

MerchantStep on(MerchantRound merchant, const StartEvent& event, SecureRandom&) {
  auto* shared = std::get_if<Shared>(&merchant.state);
  if (event.round != merchant.round) {
    return ignore(std::move(merchant), Refusal::wrong_round, "START of another round");
  }
  if (shared == nullptr) {
    return ignore(std::move(merchant), Refusal::out_of_order, "START where none is waited for");
  }
  const MerchantView& view = merchant.view;
  if (event.participants.roster_size() != view.roster_size || !event.participants.contains(view.id) ||
      !event.participants.within(shared->invited)) {
    return abort(std::move(merchant), Refusal::foreign, "START names participants that were not invited");
  }
  const std::size_t merchants_min = std::max<std::size_t>(view.merchants_min, event.parameters.shares_min);
  if (const auto fault = too_small(view, event.participants, merchants_min, shared->threshold)) {
    return abort(std::move(merchant), Refusal::cohort, "START has " + *fault);
  }
  const std::vector<std::uint32_t> neighbours =
      view.masked ? neighbours_in(view, event.participants) : std::vector<std::uint32_t>{};
  Masked masked{.context = digest_of({.session = view.session_id,
                                      .round = merchant.round,
                                      .payload = event.payload,
                                      .parameters = event.parameters,
                                      .participants = event.participants}),
                .participants = event.participants,
                .threshold = shared->threshold,
                .shares_min = event.parameters.shares_min,
                .held = {}};
  Upload upload;
  std::vector<RoundMasks::Mask> masks;
  if (view.masked) {
    if (const auto dealer = take_boxes(merchant, event, neighbours, std::move(shared->own), masked.held)) {
      return abort(std::move(merchant), Refusal::bad_share,
                   "the share box of merchant " + std::to_string(*dealer) + " does not open", *dealer);
    }
    for (const SeededEdge& edge : shared->edges) {
      if (event.participants.contains(edge.neighbour)) {
        masks.push_back(
            {edge_mask(edge.seed, masked.context), view.id < edge.neighbour ? Sign::plus : Sign::minus});
        upload.fingerprints.push_back(edge_fingerprint(edge.seed, masked.context));
      }
    }
    masks.push_back({self_mask(shared->self_mask, masked.context), Sign::plus});
  }
  const SealedSum sealed = event.seal(RoundMasks(std::move(masks)));
  upload.residues = sealed.wire();
  MerchantStep result;
  result.messages.push_back(encode(upload, merchant.round, view.id));
  if (view.masked) {
    merchant.state = std::move(masked);
  } else {
    merchant.state = Revealed{};
  }
  result.merchant = std::move(merchant);
  return result;
}

// --- SET: confirm to the neighbours ---

MerchantStep on(MerchantRound merchant, const SetEvent& event, SecureRandom&) {
  if (event.round != merchant.round) {
    return ignore(std::move(merchant), Refusal::wrong_round, "SET of another round");
  }
  const MerchantView& view = merchant.view;
  if (std::holds_alternative<Shared>(merchant.state) && event.set.included.contains(view.id)) {
    return abort(std::move(merchant), Refusal::forged,
                 "SET holds an upload of this merchant, which sent none");
  }
  if (const auto* agreed = std::get_if<Agreed>(&merchant.state);
      agreed != nullptr && !(agreed->included == event.set.included)) {
    return abort(std::move(merchant), Refusal::equivocation,
                 "a second SET names other merchants than the first");
  }
  auto* masked = std::get_if<Masked>(&merchant.state);
  if (masked == nullptr) {
    return ignore(std::move(merchant), Refusal::out_of_order, "SET where none is waited for");
  }
  if (event.set.context != masked->context) {
    return abort(std::move(merchant), Refusal::wrong_context,
                 "SET is about another model, roster or parameters");
  }
  if (event.set.included.roster_size() != view.roster_size ||
      !event.set.included.within(masked->participants)) {
    return abort(std::move(merchant), Refusal::foreign, "SET names merchants that were no participants");
  }
  if (!event.set.included.contains(view.id)) {
    return abort(std::move(merchant), Refusal::excluded, "this merchant's upload is not in the sum");
  }
  const std::size_t merchants_min = std::max(view.merchants_min, masked->shares_min);
  if (const auto fault = too_small(view, event.set.included, merchants_min, masked->threshold)) {
    return abort(std::move(merchant), Refusal::cohort, "SET has " + *fault);
  }
  Agree agree;
  for (const std::uint32_t neighbour : neighbours_in(view, event.set.included)) {
    agree.codes.push_back({view.id, neighbour,
                           agree_code(pair_with(merchant, neighbour), view.id, merchant.round,
                                      masked->context, event.set.included)});
  }
  MerchantStep result;
  result.messages.push_back(encode(agree, merchant.round, view.id));
  merchant.state = Agreed{std::move(*masked), event.set.included};
  result.merchant = std::move(merchant);
  return result;
}

// --- AGREED: reveal ---

Share public_share(const Secret<40>& share) {
  Share bytes;
  std::copy(share.expose().begin(), share.expose().end(), bytes.begin());
  return bytes;
}

MerchantStep on(MerchantRound merchant, const AgreedEvent& event, SecureRandom&) {
  if (event.round != merchant.round) {
    return ignore(std::move(merchant), Refusal::wrong_round, "AGREED of another round");
  }
  auto* agreed = std::get_if<Agreed>(&merchant.state);
  if (agreed == nullptr) {
    return ignore(std::move(merchant), Refusal::out_of_order, "AGREED where none is waited for");
  }
  const MerchantView& view = merchant.view;
  MerchantSet confirmed(view.roster_size);
  confirmed.insert(view.id);
  for (const EdgeCode& edge : event.codes) {
    const bool neighbour = std::binary_search(view.neighbours.begin(), view.neighbours.end(), edge.sender) &&
                           edge.receiver == view.id;
    if (!neighbour || !agreed->included.contains(edge.sender)) {
      return abort(std::move(merchant), Refusal::foreign,
                   "AGREED holds a code of a merchant that is no neighbour in the sum");
    }
    const Bytes16 expected = agree_code(pair_with(merchant, edge.sender), edge.sender, merchant.round,
                                        agreed->before.context, agreed->included);
    if (!equal_in_constant_time(expected, edge.code)) {
      return abort(std::move(merchant), Refusal::split_view,
                   "merchant " + std::to_string(edge.sender) + " does not confirm the same set of merchants",
                   edge.sender);
    }
    confirmed.insert(edge.sender);
  }
  if (confirmed.count() < agreed->before.threshold) {
    return abort(
        std::move(merchant), Refusal::split_view,
        "AGREED has " + counted(confirmed.count(), "merchants of one view", agreed->before.threshold));
  }
  Reveal reveal;
  for (const HeldShares& held : agreed->before.held) {
    if (agreed->included.contains(held.dealer)) {
      reveal.shares.push_back({held.dealer, SelfMaskShare{public_share(held.self_mask)}});
    } else {
      reveal.shares.push_back({held.dealer, EscrowShare{public_share(held.escrow)}});
    }
  }
  MerchantStep result;
  result.messages.push_back(encode(reveal, merchant.round, view.id));
  merchant.state = Revealed{};
  result.merchant = std::move(merchant);
  return result;
}

// --- RESULT ---

MerchantStep on(MerchantRound merchant, const ResultEvent& event, SecureRandom&) {
  if (event.round != merchant.round) {
    return ignore(std::move(merchant), Refusal::wrong_round, "RESULT of another round");
  }
  const bool answered = std::holds_alternative<Revealed>(merchant.state) && event.released;
  const bool uploaded = std::holds_alternative<Masked>(merchant.state) ||
                        std::holds_alternative<Agreed>(merchant.state) ||
                        std::holds_alternative<Revealed>(merchant.state);
  merchant.aborts = answered ? 0 : merchant.aborts + (uploaded ? 1 : 0);
  merchant.state = Idle{};
  return {std::move(merchant), {}, std::nullopt};
}

MerchantStep on(MerchantRound merchant, const LeaveEvent& event, SecureRandom&) {
  if (event.round == merchant.round) {
    merchant.state = Idle{};
  }
  return {std::move(merchant), {}, std::nullopt};
}

}  // namespace

MerchantStep step(MerchantRound merchant, const MerchantEvent& event, SecureRandom& random) {
  return std::visit([&](const auto& happened) { return on(std::move(merchant), happened, random); }, event);
}

}  // namespace hanse
