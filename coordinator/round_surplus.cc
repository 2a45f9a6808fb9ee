// Noise that was drawn for drop-outs that did not come: its keys are opened with the masks, and it leaves the sum.
#include "coordinator/round_parts.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/shamir.h"
#include "privacy/surplus_noise.h"

namespace hanse {

/// How many rung keys a merchant deals: from that of rung `threshold` to one below the number of those invited.
std::size_t CoordinatorRound::Parts::rungs_of(std::uint32_t dealer) const {
  const std::size_t fewest = threshold(dealer);
  return session->removes_surplus() && invited.count() > fewest ? invited.count() - fewest : 0;
}

/// Takes a share of the opened rung's key, if it is what its dealer committed to. A wrong one is the holder's doing.
void CoordinatorRound::Parts::take_rung_share(Unmask& unmask, std::uint32_t holder, std::uint32_t dealer,
                                              const Share& share) {
  const ShareMessage& published = *unmask.before.inputs.escrow[dealer];
  const std::vector<Bytes16>& commitments =
      dealer == holder ? published.surplus_own
                       : published.parts[place_of(holder, neighbours[dealer])].surplus.commitments;
  if (!holds(share, commitments[*unmask.rung - threshold(dealer)], holder,
             "the share of surplus noise it revealed of merchant " + name(dealer))) {
    return;
  }
  unmask.rung_shares[dealer].push_back({holder, share});
  if (unmask.rung_shares[dealer].size() == threshold(dealer)) {
    --unmask.rungs_missing;
  }
}

/// Takes the surplus of each merchant in the sum out of the total, once its masks are. Where too few shares are there, or
/// give another key than was committed to, the surplus stays in: there is more noise than it takes, and that is all.
std::optional<SurplusRemoval> CoordinatorRound::Parts::take_surplus_out(Unmask& unmask) {
  if (!unmask.rung) {
    return std::nullopt;
  }
  const NoiseLadder ladder{request.parameters.share_variance, request.parameters.shares_min,
                           request.collusion};
  SurplusRemoval removal{.left = ladder.left(*unmask.rung + 1),
                         .rungs_from = request.parameters.shares_min,
                         .rungs_to = *unmask.rung,
                         .merchants = {}};
  auto& total = std::get<SealedTotal>(unmask.before.inputs.total);
  Combiners combiners;
  for (const std::uint32_t dealer : unmask.before.included.ids()) {
    const std::vector<HolderShare>& revealed = unmask.rung_shares[dealer];
    if (revealed.size() < threshold(dealer)) {
      refusals.push_back("merchant " + name(dealer) +
                         ": its surplus noise stays in the sum: " + plural(revealed.size(), "share") +
                         " of its key where " + std::to_string(threshold(dealer)) + " are needed");
      continue;
    }
    const RungKey key{*unmask.rung, combine(revealed, threshold(dealer), combiners)};
    if (commit(key.key) !=
        unmask.before.inputs.escrow[dealer]->surplus_secrets[*unmask.rung - threshold(dealer)]) {
      blame(dealer, "it dealt shares of another key of its surplus noise than it committed to");
      continue;
    }
    total.take_out(key, ladder, request.parameters);
    removal.merchants.push_back(dealer);
  }
  return removal;
}

}  // namespace hanse
