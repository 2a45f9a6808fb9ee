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

/// Ends the step without a word.
MerchantStep quiet(MerchantRound merchant) {
  return {std::move(merchant), {}, std::nullopt};
}

MerchantStep say(MerchantRound merchant, Bytes message) {
  MerchantStep result;
  result.messages.push_back(std::move(message));
  result.merchant = std::move(merchant);
  return result;
}

/// Leaves the round, and the next one with it: their secrets die with their states, and the coordinator is
/// told why.
MerchantStep abort(MerchantRound merchant, Refusal reason, std::string sentence,
                   std::uint32_t about = kNoMerchant) {
  merchant.state = Idle{};
  merchant.prepared.reset();
  ++merchant.aborts;
  merchant.ended = merchant.ended || reason == Refusal::forged || reason == Refusal::split_view ||
                   reason == Refusal::equivocation;
  MerchantStep result;
  result.messages.push_back(encode(Abort{reason, about, sentence}, merchant.round, merchant.view.id));
  result.refused = RefusedEvent{reason, true, about, std::move(sentence)};
  result.merchant = std::move(merchant);
  return result;
}

/// It uploaded, and does not know yet what came of it.
bool awaits_result(const MerchantRound& merchant) {
  return merchant.uploaded && !std::holds_alternative<Idle>(merchant.state);
}

/// Goes on to a later round. An upload that was never answered by a release counts as an abort.
void enter(MerchantRound& merchant, std::uint64_t round) {
  merchant.aborts += awaits_result(merchant) ? 1u : 0u;
  merchant.state = Idle{};
  merchant.told = {};
  merchant.uploaded = false;
  merchant.round = round;
  merchant.dealt = std::max(merchant.dealt, round);
}

bool takes_part_no_more(const MerchantRound& merchant) {
  return merchant.ended || merchant.aborts > merchant.view.aborts_max;
}

/// Remembers what was said, and compares it with what was said before.
enum class Heard { first, again, otherwise };
Heard hear(std::optional<Digest>& told, const Digest& content) {
  if (!told) {
    told = content;
    return Heard::first;
  }
  return *told == content ? Heard::again : Heard::otherwise;
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

// --- Shares: deal the escrow of a round ---

std::uint32_t threshold_among(const MerchantView& view, const MerchantSet& invited) {
  return holder_threshold(holders_among(neighbours_in(view, invited)), view.threshold);
}

/// Why an invitation is none for this merchant, or nothing.
std::optional<std::string> too_few_invited(const MerchantView& view, const MerchantSet& invited) {
  return too_small(view, invited, view.merchants_min, threshold_among(view, invited));
}

/// Keys of the rungs of noise that may be too much, one for each drop-out that the sum survives: from that of rung
/// `threshold`, which is opened with one merchant more than the fewest that can open anything, to one below all invited.
/// Dealt like b: of each rung a share to each holder.
void deal_rungs(std::span<const std::uint32_t> neighbours, Shared& shared, const MerchantView& view,
                std::span<const Secret<32>> box_keys, std::uint64_t round, SecureRandom& random,
                ShareMessage& message) {
  const auto invited = static_cast<std::uint32_t>(shared.invited.count());
  if (!view.surplus || invited <= shared.threshold) {
    return;
  }
  shared.top = RungKey::fresh(invited - 1, random);
  std::vector<std::vector<Secret<40>>> others(neighbours.size());
  for (std::uint32_t rung = shared.threshold; rung < invited; ++rung) {
    const RungKey key = shared.top->at(rung);
    Dealing shares = deal_secret(key.key, neighbours, view.id, shared.threshold, random);
    message.surplus_secrets.push_back(commit(key.key));
    message.surplus_own.push_back(commit(shares.own));
    shared.own.rungs.push_back(std::move(shares.own));
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
      message.parts[i].surplus.commitments.push_back(commit(shares.others[i]));
      others[i].push_back(std::move(shares.others[i]));
    }
  }
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    const ShareAddress address{view.session_id, round, view.id, neighbours[i]};
    message.parts[i].surplus.box = seal_rung_shares(box_keys[i], address, shared.invited, others[i]);
  }
}

/// Fresh secrets b and u, dealt to the invited neighbours and to oneself, and the seeds of the round wrapped
/// under u.
Shared deal(MerchantRound& merchant, std::uint64_t round, const MerchantSet& invited, SecureRandom& random,
            ShareMessage& message) {
  const MerchantView& view = merchant.view;
  const std::vector<std::uint32_t> neighbours = neighbours_in(view, invited);
  Shared shared{.invited = invited,
                .threshold = threshold_among(view, invited),
                .edges = {},
                .self_mask = random_secret(random),
                .own = {}};
  const Secret<32> escrow = random_secret(random);
  const Dealing self_mask_shares =
      deal_secret(shared.self_mask, neighbours, view.id, shared.threshold, random);
  const Dealing escrow_shares = deal_secret(escrow, neighbours, view.id, shared.threshold, random);
  std::vector<Secret<32>> box_keys;
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    PairKeys& pair = pair_with(merchant, neighbours[i]);
    box_keys.push_back(pair.sending(round));
    SeededEdge edge{neighbours[i], pair.seed(round)};
    const ShareAddress address{view.session_id, round, view.id, neighbours[i]};
    message.parts.push_back(
        {.box = seal_shares(box_keys.back(), address, self_mask_shares.others[i], escrow_shares.others[i]),
         .commitments = {commit(self_mask_shares.others[i]), commit(escrow_shares.others[i])},
         .wrapped_seed = wrap_seed(edge.seed, escrow, neighbours[i])});
    shared.edges.push_back(std::move(edge));
  }
  message.secrets = {commit(shared.self_mask), commit(escrow)};
  message.own = {commit(self_mask_shares.own), commit(escrow_shares.own)};
  shared.own = {view.id, self_mask_shares.own.duplicate(), escrow_shares.own.duplicate()};
  deal_rungs(neighbours, shared, view, box_keys, round, random, message);
  return shared;
}

/// The state that answers an invitation, and SHARE.
Shared answer_invitation(MerchantRound& merchant, std::uint64_t round, const MerchantSet& invited,
                         SecureRandom& random, std::vector<Bytes>& messages) {
  check(round >= merchant.dealt, "secrets are dealt once for a round");
  merchant.dealt = round;
  ShareMessage message;
  Shared shared{.invited = invited, .threshold = 0, .edges = {}, .self_mask = {}, .own = {}};
  if (merchant.view.masked) {
    shared = deal(merchant, round, invited, random, message);
  }
  messages.push_back(encode(message, round, merchant.view.id));
  return shared;
}

// --- OPEN: shares for a round that comes first, or after a failure or an absence ---

MerchantStep on(MerchantRound merchant, const OpenEvent& event, SecureRandom& random) {
  if (merchant.prepared && merchant.prepared->round == event.round) {
    if (merchant.prepared->shared.invited == event.invited) {
      return quiet(std::move(merchant));  // Its shares are on their way.
    }
    return abort(std::move(merchant), Refusal::equivocation,
                 "OPEN invites other merchants than the round before did");
  }
  if (event.round <= merchant.dealt ||
      event.round > PairKeys::kSkipMax) {  // A session has at most 2^16 rounds.
    return ignore(std::move(merchant), Refusal::wrong_round, "OPEN of a round that is not a later one");
  }
  if (event.invited.roster_size() != merchant.view.roster_size || !event.invited.contains(merchant.view.id)) {
    return ignore(std::move(merchant), Refusal::foreign,
                  "OPEN of a round that this merchant is not invited to");
  }
  merchant.prepared.reset();
  enter(merchant, event.round);
  if (takes_part_no_more(merchant)) {
    return abort(std::move(merchant), Refusal::exhausted,
                 "this merchant takes part in no round of this session any more");
  }
  if (const auto fault = too_few_invited(merchant.view, event.invited)) {
    return abort(std::move(merchant), Refusal::cohort, "OPEN invites " + *fault);
  }
  MerchantStep result;
  merchant.state = answer_invitation(merchant, event.round, event.invited, random, result.messages);
  result.merchant = std::move(merchant);
  return result;
}

// --- START: mask and upload ---

/// All that a START says: the context, and the boxes.
Digest content_of(const StartEvent& event, const Digest& context) {
  ByteWriter writer;
  writer.put_bytes(context);
  for (const ForwardedBox& box : event.boxes) {
    writer.put(box.dealer).put_bytes(box.box).put_bytes(box.commitments.self_mask);
    writer.put_bytes(box.commitments.escrow);
    writer.put_bytes(box.surplus.box);
    for (const Bytes16& commitment : box.surplus.commitments) {
      writer.put_bytes(commitment);
    }
  }
  return sha256(writer.bytes());
}

/// What `dealer` dealt to this merchant, if it is what it committed to.
Result<HeldShares> take_box(MerchantRound& merchant, const ForwardedBox& forwarded,
                            const MerchantSet& invited, std::size_t rungs) {
  const ShareAddress address{merchant.view.session_id, merchant.round, forwarded.dealer, merchant.view.id};
  const Secret<32> key = pair_with(merchant, forwarded.dealer).receiving(merchant.round);
  auto shares = open_shares(key, address, forwarded.box);
  if (!shares) {
    return Error{"does not open"};
  }
  if (commit(shares->self_mask) != forwarded.commitments.self_mask ||
      commit(shares->escrow) != forwarded.commitments.escrow) {
    return Error{"holds shares that were not committed to"};
  }
  HeldShares held{forwarded.dealer, std::move(shares->self_mask), std::move(shares->escrow)};
  if (rungs == 0) {
    return held;
  }
  auto of_rungs = open_rung_shares(key, address, invited, forwarded.surplus.box);
  if (!of_rungs || of_rungs->size() != rungs || forwarded.surplus.commitments.size() != rungs) {
    return Error{"does not open to a share of each rung of noise"};
  }
  for (std::size_t i = 0; i < rungs; ++i) {
    if (commit((*of_rungs)[i]) != forwarded.surplus.commitments[i]) {
      return Error{"holds shares of rungs of noise that were not committed to"};
    }
  }
  held.rungs = std::move(*of_rungs);
  return held;
}

struct BadBox {
  std::uint32_t dealer = kNoMerchant;
  std::string what;
};

/// Opens the boxes of all participating neighbours, which stand in their order, and puts the own shares
/// among them.
std::optional<BadBox> take_boxes(MerchantRound& merchant, const StartEvent& event, const MerchantSet& invited,
                                 HeldShares own, std::vector<HeldShares>& held) {
  const std::vector<std::uint32_t> neighbours = neighbours_in(merchant.view, event.participants);
  held.reserve(neighbours.size() + 1);
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    if (i >= event.boxes.size() || event.boxes[i].dealer != neighbours[i]) {
      return BadBox{neighbours[i], "is not in its place"};
    }
    auto shares = take_box(merchant, event.boxes[i], invited, own.rungs.size());
    if (!shares) {
      return BadBox{neighbours[i], shares.what()};
    }
    held.push_back(std::move(*shares));
  }
  if (event.boxes.size() > neighbours.size()) {
    return BadBox{kNoMerchant, "is one too many"};
  }
  const auto place = std::find_if(held.begin(), held.end(),
                                  [&](const HeldShares& one) { return one.dealer > merchant.view.id; });
  held.insert(place, std::move(own));
  return std::nullopt;
}

/// The masks of the round, and the fingerprints of those shared with a neighbour.
RoundMasks masks_of(const MerchantView& view, const Shared& shared, const MerchantSet& participants,
                    const Digest& context, std::vector<Bytes16>& fingerprints) {
  std::vector<RoundMasks::Mask> masks;
  for (const SeededEdge& edge : shared.edges) {
    if (participants.contains(edge.neighbour)) {
      masks.push_back({edge_mask(edge.seed, context), view.id < edge.neighbour ? Sign::plus : Sign::minus});
      fingerprints.push_back(edge_fingerprint(edge.seed, context));
    }
  }
  masks.push_back({self_mask(shared.self_mask, context), Sign::plus});
  return RoundMasks(std::move(masks));
}

/// Masks and uploads: once a round, after all that START says was found right.
MerchantStep upload(MerchantRound merchant, const StartEvent& event, const Digest& context) {
  const MerchantView& view = merchant.view;
  Shared shared = std::move(std::get<Shared>(merchant.state));
  merchant.state = Idle{};
  Masked masked{.context = context,
                .participants = event.participants,
                .threshold = shared.threshold,
                .shares_min = event.parameters.shares_min,
                .held = {},
                .noisy = event.parameters.share_variance > 0};
  Upload message;
  RoundMasks masks;
  if (view.masked) {
    if (const auto bad = take_boxes(merchant, event, shared.invited, std::move(shared.own), masked.held)) {
      const std::string whose = bad->dealer == kNoMerchant
                                    ? "a share box "
                                    : "the share box of merchant " + std::to_string(bad->dealer) + " ";
      return abort(std::move(merchant), Refusal::bad_share, whose + bad->what, bad->dealer);
    }
    masks = masks_of(view, shared, event.participants, context, message.fingerprints);
  }
  std::optional<RungKey> top;
  const auto participants = static_cast<std::uint32_t>(event.participants.count());
  if (const auto rung = rung_to_open(event.parameters, participants); rung && shared.top) {
    top = shared.top->at(*rung);
  }
  shared.top.reset();
  const SealedSum sealed = event.seal(masks, top ? &*top : nullptr);
  if (!view.tree) {
    message.residues = sealed.wire();
  }
  merchant.uploaded = true;
  Bytes bytes = encode(message, merchant.round, view.id);
  if (view.masked) {
    merchant.state = std::move(masked);
  } else {
    merchant.state = Revealed{};
  }
  return say(std::move(merchant), std::move(bytes));
}

MerchantStep on(MerchantRound merchant, const StartEvent& event, SecureRandom&) {
  if (merchant.prepared && merchant.prepared->round == event.round) {
    enter(merchant, event.round);
    merchant.state = std::move(merchant.prepared->shared);
    merchant.prepared.reset();
  }
  if (event.round != merchant.round) {
    return ignore(std::move(merchant), Refusal::wrong_round, "START of another round");
  }
  const MerchantView& view = merchant.view;
  const Digest context = digest_of({.session = view.session_id,
                                    .round = merchant.round,
                                    .payload = event.payload,
                                    .parameters = event.parameters,
                                    .participants = event.participants});
  if (hear(merchant.told.start, content_of(event, context)) == Heard::otherwise) {
    return abort(std::move(merchant), Refusal::equivocation,
                 "a second START asks for something else than the first");
  }
  const auto* shared = std::get_if<Shared>(&merchant.state);
  if (shared == nullptr) {
    return ignore(std::move(merchant), Refusal::out_of_order, "START where none is waited for");
  }
  if (takes_part_no_more(merchant)) {
    return abort(std::move(merchant), Refusal::exhausted,
                 "this merchant takes part in no round of this session any more");
  }
  if (event.participants.roster_size() != view.roster_size || !event.participants.within(shared->invited)) {
    return abort(std::move(merchant), Refusal::foreign, "START names participants that were not invited");
  }
  if (!event.participants.contains(view.id)) {
    merchant.state = Idle{};  // Its shares came too late: nothing is asked of it.
    return quiet(std::move(merchant));
  }
  const std::size_t merchants_min = std::max<std::size_t>(view.merchants_min, event.parameters.shares_min);
  if (const auto fault = too_small(view, event.participants, merchants_min, shared->threshold)) {
    return abort(std::move(merchant), Refusal::cohort, "START has " + *fault);
  }
  if (view.surplus && event.parameters.shares_min < shared->threshold) {
    return abort(std::move(merchant), Refusal::cohort,
                 "START counts on noise for a sum of fewer merchants than open a share");
  }
  return upload(std::move(merchant), event, context);
}

// --- SET: confirm to the neighbours ---

Digest content_of(const SetMessage& set) {
  ByteWriter writer;
  set.write(writer);
  return sha256(writer.bytes());
}

/// Why SET is not one this merchant can confirm, or nothing.
std::optional<RefusedEvent> fault_of(const SetMessage& set, const MerchantView& view, const Masked& masked) {
  const auto refused = [](Refusal reason, std::string sentence) {
    return RefusedEvent{reason, true, kNoMerchant, std::move(sentence)};
  };
  if (set.context != masked.context) {
    return refused(Refusal::wrong_context, "SET is about another model, roster or parameters");
  }
  if (set.included.roster_size() != view.roster_size || !set.included.within(masked.participants)) {
    return refused(Refusal::foreign, "SET names merchants that were no participants");
  }
  if (!set.included.contains(view.id)) {
    return refused(Refusal::excluded, "this merchant's upload is not in the sum");
  }
  const std::size_t merchants_min = std::max(view.merchants_min, masked.shares_min);
  if (const auto fault = too_small(view, set.included, merchants_min, masked.threshold)) {
    return refused(Refusal::cohort, "SET has " + *fault);
  }
  return std::nullopt;
}

MerchantStep on(MerchantRound merchant, const SetEvent& event, SecureRandom&) {
  if (event.round != merchant.round) {
    return ignore(std::move(merchant), Refusal::wrong_round, "SET of another round");
  }
  const MerchantView& view = merchant.view;
  if (!merchant.uploaded && event.set.included.contains(view.id)) {
    return abort(std::move(merchant), Refusal::forged,
                 "SET holds an upload of this merchant, which sent none");
  }
  if (hear(merchant.told.set, content_of(event.set)) == Heard::otherwise) {
    return abort(std::move(merchant), Refusal::equivocation,
                 "a second SET names other merchants than the first");
  }
  auto* masked = std::get_if<Masked>(&merchant.state);
  if (masked == nullptr) {
    return ignore(std::move(merchant), Refusal::out_of_order, "SET where none is waited for");
  }
  if (auto fault = fault_of(event.set, view, *masked)) {
    return abort(std::move(merchant), fault->reason, std::move(fault->sentence));
  }
  const AgreedOn what = agreed_on(merchant.round, masked->context, event.set.included);
  Agree agree;
  for (const std::uint32_t neighbour : neighbours_in(view, event.set.included)) {
    agree.codes.push_back(agree_code(pair_with(merchant, neighbour), view.id, what));
  }
  Bytes message = encode(agree, merchant.round, view.id);
  merchant.state = Agreed{std::move(*masked), event.set.included};
  return say(std::move(merchant), std::move(message));
}

// --- AGREED: reveal ---

Share public_share(const Secret<40>& share) {
  Share bytes;
  std::copy(share.expose().begin(), share.expose().end(), bytes.begin());
  return bytes;
}

Digest content_of(const AgreedEvent& event) {
  ByteWriter writer;
  AgreedMessage{event.codes, event.next}.write(writer);
  return sha256(writer.bytes());
}

/// Whether enough neighbours confirm the view that this merchant has: why not, or nothing.
std::optional<RefusedEvent> fault_of(const AgreedEvent& event, MerchantRound& merchant,
                                     const Agreed& agreed) {
  const MerchantView& view = merchant.view;
  const AgreedOn what = agreed_on(merchant.round, agreed.before.context, agreed.included);
  std::size_t confirmed = 1;  // Itself.
  std::optional<std::uint32_t> wrong;
  for (std::size_t i = 0; i < event.codes.size(); ++i) {
    const EdgeCode& edge = event.codes[i];
    const bool neighbour = std::binary_search(view.neighbours.begin(), view.neighbours.end(), edge.sender) &&
                           agreed.included.contains(edge.sender) && edge.receiver == view.id;
    if (!neighbour || (i > 0 && event.codes[i - 1].sender >= edge.sender)) {
      return RefusedEvent{Refusal::foreign, true, kNoMerchant,
                          "AGREED holds codes of others than its neighbours in the sum, once each"};
    }
    if (equal_in_constant_time(agree_code(pair_with(merchant, edge.sender), edge.sender, what), edge.code)) {
      ++confirmed;
    } else {
      wrong = wrong.value_or(edge.sender);
    }
  }
  if (confirmed < agreed.before.threshold) {
    return RefusedEvent{Refusal::split_view, true, kNoMerchant,
                        "AGREED has " + counted(confirmed, "merchants of one view", agreed.before.threshold)};
  }
  if (wrong) {
    return RefusedEvent{Refusal::unverified, true, *wrong,
                        "merchant " + std::to_string(*wrong) + " does not confirm the same set of merchants"};
  }
  return std::nullopt;
}

/// Which of the rung keys that each dealer dealt is opened, or none. It follows from the number of merchants in U, to whom
/// all codes are bound: whoever wants the key of another rung needs holders that agreed to another U.
std::optional<std::size_t> opened_rung(const Agreed& agreed) {
  const auto included = static_cast<std::uint32_t>(agreed.included.count());
  const std::size_t rungs = agreed.before.held.front().rungs.size();
  if (rungs == 0 || !agreed.before.noisy || included <= agreed.before.shares_min) {
    return std::nullopt;
  }
  const std::size_t place = included - 1 - agreed.before.threshold;
  check(place < rungs, "no more merchants are in a sum than were invited to it");
  return place;
}

Reveal reveal_of(const Agreed& agreed) {
  const std::optional<std::size_t> rung = opened_rung(agreed);
  Reveal reveal;
  reveal.shares.reserve(agreed.before.held.size());
  for (const HeldShares& held : agreed.before.held) {
    if (agreed.included.contains(held.dealer)) {
      SelfMaskShare shown{public_share(held.self_mask)};
      if (rung) {
        shown.rung = public_share(held.rungs[*rung]);
      }
      reveal.shares.push_back(shown);
    } else {
      reveal.shares.push_back(EscrowShare{public_share(held.escrow)});
    }
  }
  return reveal;
}

/// Deals the shares of the next round, if this merchant is invited to it and content with who else is.
/// Otherwise it says nothing now, and why when it is asked by OPEN.
void prepare_next(MerchantRound& merchant, const Invitation& next, SecureRandom& random,
                  std::vector<Bytes>& messages) {
  if (next.invited.contains(merchant.view.id) && !too_few_invited(merchant.view, next.invited)) {
    merchant.prepared =
        Prepared{next.round, answer_invitation(merchant, next.round, next.invited, random, messages)};
  }
}

MerchantStep on(MerchantRound merchant, const AgreedEvent& event, SecureRandom& random) {
  if (event.round != merchant.round) {
    return ignore(std::move(merchant), Refusal::wrong_round, "AGREED of another round");
  }
  if (hear(merchant.told.agreed, content_of(event)) == Heard::otherwise) {
    return abort(std::move(merchant), Refusal::equivocation,
                 "a second AGREED says something else than the first");
  }
  const auto* agreed = std::get_if<Agreed>(&merchant.state);
  if (agreed == nullptr) {
    return ignore(std::move(merchant), Refusal::out_of_order, "AGREED where none is waited for");
  }
  if (event.next && (event.next->round <= merchant.dealt || event.next->round > PairKeys::kSkipMax ||
                     event.next->invited.roster_size() != merchant.view.roster_size)) {
    return abort(std::move(merchant), Refusal::wrong_round, "AGREED invites to a round that cannot be");
  }
  if (auto fault = fault_of(event, merchant, *agreed)) {
    return abort(std::move(merchant), fault->reason, std::move(fault->sentence), fault->about);
  }
  MerchantStep result;
  result.messages.push_back(encode(reveal_of(*agreed), merchant.round, merchant.view.id));
  merchant.state = Revealed{};
  if (event.next) {
    prepare_next(merchant, *event.next, random, result.messages);
  }
  result.merchant = std::move(merchant);
  return result;
}

// --- RESULT ---

MerchantStep on(MerchantRound merchant, const ResultEvent& event, SecureRandom&) {
  if (event.round != merchant.round) {
    return ignore(std::move(merchant), Refusal::wrong_round, "RESULT of another round");
  }
  const bool answered = std::holds_alternative<Revealed>(merchant.state) && event.released;
  merchant.aborts = answered ? 0 : merchant.aborts + (awaits_result(merchant) ? 1u : 0u);
  merchant.state = Idle{};
  if (!event.released) {
    merchant.prepared.reset();  // A round tried again has another number, and fresh secrets.
  }
  return quiet(std::move(merchant));
}

MerchantStep on(MerchantRound merchant, const LeaveEvent& event, SecureRandom&) {
  if (merchant.prepared && merchant.prepared->round == event.round) {
    merchant.prepared.reset();
    enter(merchant, event.round);
  }
  if (event.round == merchant.round) {
    merchant.state = Idle{};
  }
  return quiet(std::move(merchant));
}

}  // namespace

MerchantStep step(MerchantRound merchant, const MerchantEvent& event, SecureRandom& random) {
  return std::visit([&](const auto& happened) { return on(std::move(merchant), happened, random); }, event);
}

}  // namespace hanse
