// The second half of a round: the merchants agree on the set, reveal shares, and the sum opens.
#include "coordinator/round_parts.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/pair_keys.h"
#include "privacy/secure_sum/shamir.h"

namespace hanse {

// --- Agree ---

Result<bool> CoordinatorRound::Parts::take(AgreeOnSet& phase_state, std::uint32_t merchant,
                                           const Envelope& envelope) {
  const auto agree = decode<Agree>(envelope);
  if (!agree) {
    return agree.error();
  }
  Ids others = phase_state.inputs.neighbours[merchant];
  std::erase_if(others, [&](std::uint32_t id) { return !phase_state.included.contains(id); });
  if (agree->codes.size() != others.size()) {
    return Error{"AGREE does not hold one code for each neighbour in the sum"};
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    phase_state.codes[others[i]].push_back({merchant, others[i], agree->codes[i]});
  }
  phase_state.agreed.insert(merchant);
  return true;
}

std::vector<ToWorker> CoordinatorRound::Parts::ask_to_reveal(AgreeOnSet&& agree) {
  if (short_of_holders(agree.inputs.participants, agree.agreed)) {
    const MerchantSet silent = agree.included.without(agree.agreed);
    return fail(
        Refusal::cohort, silent.ids(),
        "too few merchants confirmed the set of uploads; without an answer: " + names_of(silent) + because());
  }
  auto messages = to_hosts(agree.agreed, [&](const Ids& hosted) {
    AgreedMessage agreed{{}, request.next};
    for (const std::uint32_t id : hosted) {
      auto& codes = agree.codes[id];
      std::sort(codes.begin(), codes.end(),
                [](const EdgeCode& a, const EdgeCode& b) { return a.sender < b.sender; });
      agreed.codes.insert(agreed.codes.end(), codes.begin(), codes.end());
    }
    return encode(agreed, request.round);
  });
  const MerchantSet revealing = agree.agreed;
  const std::size_t dealers = agree.inputs.participants.count();
  const std::size_t in_sum = agree.included.count();
  const auto rung = session->removes_surplus()
                        ? rung_to_open(request.parameters, static_cast<std::uint32_t>(in_sum))
                        : std::nullopt;
  state = Unmask{.before = std::move(agree),
                 .revealed = MerchantSet(roster_size()),
                 .shares = std::vector<std::vector<HolderShare>>(roster_size()),
                 .unopened = dealers,
                 .rung = rung,
                 .rung_shares = std::vector<std::vector<HolderShare>>(roster_size()),
                 .rungs_missing = rung ? in_sum : 0};
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
  Ids dealers = phase_state.before.inputs.neighbours[merchant];
  dealers.insert(std::lower_bound(dealers.begin(), dealers.end(), merchant), merchant);
  bool complete = reveal->shares.size() == dealers.size();
  for (std::size_t i = 0; complete && i < dealers.size(); ++i) {
    const auto* of_b = std::get_if<SelfMaskShare>(&reveal->shares[i]);
    complete = (of_b != nullptr) == phase_state.before.included.contains(dealers[i]) &&
               (of_b == nullptr || of_b->rung.has_value() == phase_state.rung.has_value());
  }
  if (!complete) {
    return Error{"REVEAL does not hold one share of the right kind for each dealer"};
  }
  for (std::size_t i = 0; i < dealers.size(); ++i) {
    take_share(phase_state, merchant, dealers[i], reveal->shares[i]);
    if (const auto* of_b = std::get_if<SelfMaskShare>(&reveal->shares[i]); of_b != nullptr && of_b->rung) {
      take_rung_share(phase_state, merchant, dealers[i], *of_b->rung);
    }
  }
  phase_state.revealed.insert(merchant);
  return true;
}

/// Whether a share is what its dealer committed to. The holder compared it when it came: if it is not, the holder changed
/// it, and the other shares are enough, or the deadline says that they are not.
bool CoordinatorRound::Parts::holds(const Share& share, const Bytes16& commitment, std::uint32_t holder,
                                    const std::string& title) {
  if (commit(share) == commitment) {
    return true;
  }
  const std::string what = title + " is not the one that was committed to (unverified)";
  refusals.push_back("merchant " + name(holder) + ": " + what);
  blame(holder, what);
  return false;
}

void CoordinatorRound::Parts::take_share(Unmask& unmask, std::uint32_t holder, std::uint32_t dealer,
                                         const RevealedShare& revealed) {
  const ShareMessage& published = *unmask.before.inputs.escrow[dealer];
  const Commitments& commitments =
      dealer == holder ? published.own : published.parts[place_of(holder, neighbours[dealer])].commitments;
  const bool self_mask = std::holds_alternative<SelfMaskShare>(revealed);
  const Share& share = share_of(revealed);
  if (!holds(share, self_mask ? commitments.self_mask : commitments.escrow, holder,
             "the share it revealed of merchant " + name(dealer))) {
    return;
  }
  unmask.shares[dealer].push_back({holder, share});
  if (unmask.shares[dealer].size() == threshold(dealer)) {
    --unmask.unopened;
  }
}

/// The secret that `threshold` of at least as many shares give: always those of the lowest holders, so that mostly one
/// combiner serves all dealers.
Secret<32> CoordinatorRound::Parts::combine(std::vector<HolderShare> revealed, std::size_t threshold,
                                            Combiners& combiners) {
  std::sort(revealed.begin(), revealed.end(),
            [](const HolderShare& a, const HolderShare& b) { return a.holder < b.holder; });
  revealed.resize(threshold);
  Ids holders;
  std::vector<Share> shares;
  for (const HolderShare& one : revealed) {
    holders.push_back(one.holder);
    shares.push_back(one.share);
  }
  return combiners.try_emplace(holders, holders).first->second.combine(shares);
}

/// The secret of each participant that its shares give, by id: b of those in U, u of the others. A dealer
/// whose shares, each as it committed to it, give something else than it committed to, is to blame: `liars`.
std::vector<Secret<32>> CoordinatorRound::Parts::reconstruct_all(const Unmask& unmask, Ids& liars) {
  Combiners combiners;
  std::vector<Secret<32>> secrets(roster_size());
  for (const std::uint32_t dealer : unmask.before.inputs.participants.ids()) {
    secrets[dealer] = combine(unmask.shares[dealer], threshold(dealer), combiners);
    const Commitments& committed = unmask.before.inputs.escrow[dealer]->secrets;
    const bool included = unmask.before.included.contains(dealer);
    if (commit(secrets[dealer]) != (included ? committed.self_mask : committed.escrow)) {
      blame(dealer, "it dealt shares of something else than it committed to");
      liars.push_back(dealer);
    }
  }
  return secrets;
}

/// The masks that are still in the total: the own ones of all that are in it, and those they have with
/// merchants that dropped out. Signs are turned round. An escrowed seed that is not the one its other end
/// masked with is a misfit.
std::vector<RoundMasks::Mask> CoordinatorRound::Parts::masks_to_remove(const Unmask& unmask,
                                                                       const std::vector<Secret<32>>& secrets,
                                                                       std::vector<Quarrel>& misfits) const {
  const CollectInputs& inputs = unmask.before.inputs;
  const MerchantSet& included = unmask.before.included;
  std::vector<RoundMasks::Mask> masks;
  for (const std::uint32_t dealer : inputs.participants.ids()) {
    if (included.contains(dealer)) {
      masks.push_back({self_mask(secrets[dealer], inputs.context), Sign::minus});
      continue;
    }
    for (const std::uint32_t other : inputs.neighbours[dealer]) {
      if (!included.contains(other)) {
        continue;
      }
      const SharePart& part = inputs.escrow[dealer]->parts[place_of(other, neighbours[dealer])];
      const Secret<32> seed = unwrap_seed(part.wrapped_seed, secrets[dealer], other);
      if (edge_fingerprint(seed, inputs.context) !=
          (*inputs.fingerprints[other])[place_of(dealer, inputs.neighbours[other])]) {
        misfits.push_back({dealer, other});
      }
      masks.push_back({edge_mask(seed, inputs.context), other < dealer ? Sign::minus : Sign::plus});
    }
  }
  return masks;
}

std::vector<ToWorker> CoordinatorRound::Parts::fail_for_silence(const Unmask& unmask) {
  const MerchantSet silent = unmask.before.agreed.without(unmask.revealed);
  return fail(
      Refusal::cohort, silent.ids(),
      "too few shares were revealed to open the sum; without an answer: " + names_of(silent) + because());
}

std::vector<ToWorker> CoordinatorRound::Parts::open_sum(Unmask&& unmask) {
  if (unmask.unopened > 0) {
    return fail_for_silence(unmask);
  }
  Ids liars;
  const std::vector<Secret<32>> secrets = reconstruct_all(unmask, liars);
  if (!liars.empty()) {
    return fail(Refusal::bad_share, liars,
                "a mask cannot be taken off: " + plural(liars.size(), "merchant") +
                    " dealt shares of something else than committed to: " +
                    names_of(MerchantSet::of(roster_size(), liars)));
  }
  std::vector<Quarrel> misfits;
  const RoundMasks masks(masks_to_remove(unmask, secrets, misfits));
  if (!misfits.empty()) {
    std::string sentence;
    for (const auto& [dealer, other] : misfits) {
      sentence += (sentence.empty() ? "the escrow of merchant " : "; of merchant ") + name(dealer) +
                  " for its mask with merchant " + name(other) + " does not fit";
    }
    const Blame found = judge_quarrels(
        misfits, [&](std::uint32_t id) { return holders_in(id, unmask.before.inputs.participants) - 1; });
    return fail_for(Refusal::edge_mismatch, found, std::move(sentence));
  }
  auto& total = std::get<SealedTotal>(unmask.before.inputs.total);
  std::visit([&](auto& residues) { masks.add_to(residues); }, total.residues());
  std::optional<SurplusRemoval> surplus = take_surplus_out(unmask);
  const MerchantSet included = unmask.before.included;
  auto messages = open_total(total, included);
  if (auto* summed = std::get_if<Summed>(&state)) {
    summed->surplus = std::move(surplus);
  }
  return messages;
}

std::vector<ToWorker> CoordinatorRound::Parts::open_total(const SealedTotal& total,
                                                          const MerchantSet& included) {
  return conclude(total.open(request.parameters, included.ids()), included);
}

std::vector<ToWorker> CoordinatorRound::Parts::conclude(Result<OpenedSum> opened,
                                                        const MerchantSet& included) {
  if (!opened) {
    return fail(Refusal::sum_invalid, {}, opened.what());
  }
  std::erase_if(dropped, [&](const DroppedMerchant& one) { return included.contains(one.merchant); });
  state = Summed{std::move(*opened)};
  await(MerchantSet(roster_size()));
  return {};
}

}  // namespace hanse
