#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coordinator/attribution.h"
#include "coordinator/coordinator_round.h"
#include "privacy/encrypted_total.h"
#include "privacy/secure_sum/masks.h"
#include "privacy/secure_sum/neighbours.h"
#include "privacy/secure_sum/shamir.h"

namespace hanse {

// The inside of CoordinatorRound: its states, and what they have in common. Tables "by id" have one place for
// each merchant of the roster.

using Ids = std::vector<std::uint32_t>;

/// What the merchants published about their secrets, by id.
using Escrow = std::vector<std::optional<ShareMessage>>;

struct CollectShares {
  Escrow escrow;
};

struct CollectInputs {
  Escrow escrow;
  MerchantSet participants;     ///< R.
  std::vector<Ids> neighbours;  ///< Participating neighbours of each participant, by id.
  Digest context{};
  std::variant<SealedTotal, EncryptedTotal> total;
  std::vector<std::optional<std::vector<Bytes16>>> fingerprints;  ///< By id, beside `neighbours`.
};

/// With a tree: every worker was told to REDUCE.
struct AddUp {
  CollectInputs inputs;
  MerchantSet included;  ///< U.
  bool joined = false;   ///< This side gave its zeros.
};

struct AgreeOnSet {
  CollectInputs inputs;
  MerchantSet included;                      ///< U.
  std::vector<std::vector<EdgeCode>> codes;  ///< By id of the receiver.
  MerchantSet agreed;
};

struct HolderShare {
  std::uint32_t holder = 0;
  Share share{};
};

struct Unmask {
  AgreeOnSet before;
  MerchantSet revealed;                          ///< Merchants whose REVEAL was taken.
  std::vector<std::vector<HolderShare>> shares;  ///< By id of the dealer: of b if it is in U, else of u.
  std::size_t unopened = 0;                      ///< Dealers with fewer shares than their threshold.
  std::optional<std::uint32_t> rung = {};        ///< Whose keys are opened: the noise up to it is too much.
  std::vector<std::vector<HolderShare>> rung_shares = {};  ///< By id of the dealer.
  std::size_t rungs_missing = 0;  ///< Dealers in U with fewer shares of that key than their threshold.
};

/// Waits for the arbiter, with aggregation.encryption=paillier.
struct Decrypting {
  MerchantSet included;
};

struct Summed {
  OpenedSum sum;
  std::optional<SurplusRemoval> surplus = {};
};

inline std::string plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// The place of `id` in an increasing list that holds it.
inline std::size_t place_of(std::uint32_t id, const Ids& ids) {
  return static_cast<std::size_t>(std::lower_bound(ids.begin(), ids.end(), id) - ids.begin());
}

struct CoordinatorRound::Parts {
  const CoordinatorSession* session;
  RoundRequest request;
  std::vector<FromWorker> early;  ///< Before begin(): for this round. From then on: for the next.
  MerchantSet early_from;         ///< Merchants whose shares of the next round are in `early`.
  MerchantSet invited;
  std::vector<Ids> neighbours;  ///< Invited neighbours of each invited merchant, by id.
  std::variant<CollectShares, CollectInputs, AddUp, AgreeOnSet, Unmask, Decrypting, Summed, RoundFailure>
      state = CollectShares{};
  MerchantSet left;     ///< Merchants that aborted or are absent: nothing more comes from them.
  MerchantSet awaited;  ///< Merchants whose answer in this phase is still to come.
  int phase = 0;
  std::vector<DroppedMerchant> dropped;
  MerchantSet dropped_once;  ///< Those in `dropped`.
  std::vector<Accusation> accusations;
  std::map<std::uint32_t, std::string> culprits;
  std::set<std::uint32_t> without_holders;  ///< Who could not start because others did not.
  std::vector<std::string> refusals;
  std::map<Peer, Failure> worker_failures;

  bool masked() const { return session->parameters().masked(); }
  std::size_t roster_size() const { return session->names().size(); }
  const std::string& name(std::uint32_t merchant) const { return session->names()[merchant]; }
  Peer host(std::uint32_t merchant) const { return session->hosts()[merchant]; }
  bool over() const {
    return std::holds_alternative<Summed>(state) || std::holds_alternative<RoundFailure>(state);
  }

  std::uint32_t threshold(std::uint32_t merchant) const {
    return holder_threshold(holders_among(neighbours[merchant]), session->threshold());
  }
  std::size_t holders_in(std::uint32_t merchant, const MerchantSet& set) const {
    const Ids& others = neighbours[merchant];
    return static_cast<std::size_t>(std::count_if(others.begin(), others.end(),
                                                  [&](std::uint32_t id) { return set.contains(id); })) +
           (set.contains(merchant) ? 1 : 0);
  }
  std::size_t merchants_min() const {
    return std::max<std::size_t>(request.parameters.shares_min,
                                 session->parameters().encryption == Encryption::none ? 1 : 3);
  }
  Ids spoken_for(Peer worker, std::uint32_t merchant) const;
  std::string names_of(const MerchantSet& set) const;

  void await(const MerchantSet& merchants);
  void answered(std::uint32_t merchant) { awaited.erase(merchant); }
  void refuse(const FromWorker& message, std::uint32_t merchant, Refusal reason, const std::string& what);
  void drop(std::uint32_t merchant, Refusal reason, std::string sentence);
  void drop_missing(const MerchantSet& before, const MerchantSet& after, const std::string& what);
  void leave(std::uint32_t merchant, Refusal reason, std::string sentence);
  void blame(std::uint32_t merchant, const std::string& what);
  std::vector<ToWorker> fail(Refusal reason, Ids merchants, std::string sentence);
  std::vector<ToWorker> fail_for(Refusal reason, const Blame& blame, std::string sentence);
  std::string because() const;
  Ids dropped_ids() const;

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

  // What a message does, and what ends a phase. The first two phases are in round_inputs.cc, the others in
  // round_unmask.cc.
  std::vector<ToWorker> step(const FromWorker& message);
  std::vector<ToWorker> take_abort(const FromWorker& message, const Envelope& envelope, const Ids& merchants);
  std::vector<ToWorker> take_fail(const FromWorker& message, const Envelope& envelope);
  bool take_early(const FromWorker& message, const Envelope& envelope);
  Result<bool> take(CollectShares& phase_state, std::uint32_t merchant, const Envelope& envelope);
  Result<bool> take(CollectInputs& phase_state, std::uint32_t merchant, const Envelope& envelope);
  Result<bool> take(AddUp&, std::uint32_t, const Envelope&) { return Error{"nothing is waited for"}; }
  Result<bool> take(AgreeOnSet& phase_state, std::uint32_t merchant, const Envelope& envelope);
  Result<bool> take(Unmask& phase_state, std::uint32_t merchant, const Envelope& envelope);
  Result<bool> take(Decrypting&, std::uint32_t, const Envelope&) { return Error{"the uploads are complete"}; }
  Result<bool> take(Summed&, std::uint32_t, const Envelope&) { return Error{"the round is over"}; }
  Result<bool> take(RoundFailure&, std::uint32_t, const Envelope&) { return Error{"the round is over"}; }

  std::vector<ToWorker> advance();
  std::vector<ToWorker> start_round(CollectShares&& shares);
  std::vector<ToWorker> freeze_set(CollectInputs&& inputs);
  MerchantSet uploaded(CollectInputs& inputs);
  std::vector<ToWorker> ask_to_add_up(CollectInputs&& inputs, const MerchantSet& included);
  std::vector<ToWorker> ask_to_agree(CollectInputs&& inputs, const MerchantSet& included);
  std::vector<ToWorker> ask_to_reveal(AgreeOnSet&& agree);
  std::vector<ToWorker> open_sum(Unmask&& unmask);
  std::vector<ToWorker> open_total(const SealedTotal& total, const MerchantSet& included);
  std::vector<ToWorker> conclude(Result<OpenedSum> opened, const MerchantSet& included);

  // Noise that turns out to be too much: round_surplus.cc.
  std::size_t rungs_of(std::uint32_t dealer) const;
  void take_rung_share(Unmask& unmask, std::uint32_t holder, std::uint32_t dealer, const Share& share);
  std::optional<SurplusRemoval> take_surplus_out(Unmask& unmask);

  std::variant<SealedTotal, EncryptedTotal> empty_total() const;
  MerchantSet able_to_start(const CollectShares& shares);
  Bytes start_message(const CollectInputs& inputs, const Ids& hosted) const;
  std::optional<std::uint32_t> short_of_holders(const MerchantSet& dealers, const MerchantSet& holders) const;
  void take_share(Unmask& unmask, std::uint32_t holder, std::uint32_t dealer, const RevealedShare& revealed);
  bool holds(const Share& share, const Bytes16& commitment, std::uint32_t holder, const std::string& title);
  /// Of shares, by those who hold them.
  using Combiners = std::map<Ids, ShareCombiner>;
  static Secret<32> combine(std::vector<HolderShare> revealed, std::size_t threshold, Combiners& combiners);
  std::vector<Secret<32>> reconstruct_all(const Unmask& unmask, Ids& liars);
  std::vector<RoundMasks::Mask> masks_to_remove(const Unmask& unmask, const std::vector<Secret<32>>& secrets,
                                                std::vector<Quarrel>& misfits) const;
  std::vector<ToWorker> fail_for_silence(const Unmask& unmask);

  // With an arbiter: round_decrypt.cc.
  std::vector<ToWorker> ask_arbiter(const EncryptedTotal& total, const MerchantSet& included);
  std::vector<ToWorker> step_of_arbiter(const FromWorker& message, const Envelope& envelope);
  std::vector<ToWorker> fail_without_arbiter(const std::string& what);
};

}  // namespace hanse
