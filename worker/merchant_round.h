#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/secret.h"
#include "privacy/pipeline.h"
#include "privacy/protocol/messages.h"
#include "privacy/protocol/refusal.h"
#include "privacy/secure_sum/neighbours.h"
#include "privacy/secure_sum/pair_keys.h"
#include "privacy/surplus_noise.h"

namespace hanse {

/// What one merchant knows of its session, the same for all its rounds.
struct MerchantView {
  std::uint32_t id = 0;
  std::uint32_t roster_size = 0;
  bool masked = true;
  bool tree = false;  ///< Sealed sums stay with the worker, which adds them up.
  bool surplus =
      false;  ///< Noise that turns out to be too much is opened again; everyone masks with everyone.
  Digest session_id{};
  std::vector<std::uint32_t> neighbours;  ///< Increasing.
  std::uint32_t merchants_min = 3;        ///< This merchant's own minimum; nothing lowers it.
  ThresholdRule threshold;                ///< How many holders open a secret.
  std::uint32_t aborts_max = 8;           ///< Rounds in a row without a release that a session survives.
};

/// The shares that a merchant keeps for one dealer, itself included.
struct HeldShares {
  std::uint32_t dealer = 0;
  Secret<40> self_mask;
  Secret<40> escrow;
  std::vector<Secret<40>> rungs = {};  ///< Of the dealer's rung keys, from that of rung `threshold` on.
};

/// The states of a merchant in a round. Each holds what the next one needs and nothing more: what a state
/// does not carry on is wiped.
///
///   Idle --OPEN: SHARE--> Shared --START: UPLOAD--> Masked --SET: AGREE--> Agreed --AGREED: REVEAL--> Revealed
///     ^                      ^                                                                           |
///     |                      +---- START of the next round ---- Prepared: SHARE, beside Revealed <-------+
///     |                                                                                                  |
///     +------- RESULT, or OPEN of a later round, from any state; a refusal that aborts, from any --------+
///
/// AGREED may name the round that comes next and its merchants: then the shares of that round leave with
/// REVEAL, and what they stand for waits beside the present round. A round without a release, and an OPEN of
/// yet another round, wipe it. Secrets are dealt once for a round's number, never again.
///
/// Without masks: Idle --OPEN--> Shared --START: UPLOAD--> Revealed; SHARE is empty.
struct Idle {};
struct SeededEdge {
  std::uint32_t neighbour = 0;
  Secret<32> seed;  ///< S of this round: the only pairwise value that can ever be revealed.
};
struct Shared {
  MerchantSet invited;
  std::uint32_t threshold = 0;  ///< Of the own secrets, from the number of invited holders.
  std::vector<SeededEdge> edges;
  Secret<32> self_mask;  ///< b.
  HeldShares own;
  std::optional<RungKey> top =
      {};  ///< Of the noise that may be too much; none when no drop-out is tolerated.
};
struct Masked {
  Digest context{};
  MerchantSet participants;
  std::uint32_t threshold = 0;
  std::uint32_t shares_min = 0;
  std::vector<HeldShares> held;  ///< Of all participating neighbours and itself, by increasing dealer.
  bool noisy = false;            ///< There is noise in the sum.
};
struct Agreed {
  Masked before;
  MerchantSet included;
};
struct Revealed {};

/// The shares of the next round are out.
struct Prepared {
  std::uint64_t round = 0;
  Shared shared;
};

/// What the coordinator said in the present round, as digests: other words for the same thing are a lie, in
/// whatever state.
struct Told {
  std::optional<Digest> start;
  std::optional<Digest> set;
  std::optional<Digest> agreed;
};

/// Gives the merchant's sealed sum for the masks of the round, and for the key of the highest rung of noise that may turn
/// out to be too much, if there is one: one below the number of participants.
using SealUnder = std::function<SealedSum(const RoundMasks& masks, const RungKey* top)>;

/// What can happen to a merchant. START is already agreed with the layer above: its parameters are the
/// worker's own.
struct OpenEvent {
  std::uint64_t round = 0;
  MerchantSet invited;
};
struct StartEvent {
  std::uint64_t round = 0;
  SumParameters parameters;
  Digest payload{};  ///< SHA-256 of START's payload.
  MerchantSet participants;
  std::vector<ForwardedBox> boxes;  ///< Those for this merchant, by increasing dealer.
  SealUnder seal;
};
struct SetEvent {
  std::uint64_t round = 0;
  SetMessage set;
};
struct AgreedEvent {
  std::uint64_t round = 0;
  std::vector<EdgeCode> codes;  ///< Those for this merchant, by increasing sender.
  std::optional<Invitation> next;
};
struct ResultEvent {
  std::uint64_t round = 0;
  bool released = false;
};
/// The layer above refuses the round for all merchants of the worker; the worker tells the coordinator once.
struct LeaveEvent {
  std::uint64_t round = 0;
};
using MerchantEvent = std::variant<OpenEvent, StartEvent, SetEvent, AgreedEvent, ResultEvent, LeaveEvent>;

/// A message that was not taken, and what follows. When it `aborts`, the merchant has wiped its round and
/// told the coordinator; otherwise nothing has changed.
struct RefusedEvent {
  Refusal reason{};
  bool aborts = false;
  std::uint32_t about = kNoMerchant;  ///< The merchant held responsible, if one.
  std::string sentence;
};

/// One merchant through its rounds: the keys of its pairs, the round it is in, and how often it was left
/// without a release. A value; only step() changes it, and step() depends on nothing but its arguments.
struct MerchantRound {
  MerchantView view;
  std::vector<PairKeys> pairs;  ///< Beside view.neighbours.
  std::uint64_t round = 0;      ///< The latest round taken part in; rounds only grow.
  std::uint64_t dealt = 0;      ///< The latest round whose secrets were dealt: this one, or the next.
  std::uint32_t aborts = 0;
  bool ended = false;     ///< The coordinator was caught: no round of this session any more.
  bool uploaded = false;  ///< In this round.
  Told told;
  std::variant<Idle, Shared, Masked, Agreed, Revealed> state;
  std::optional<Prepared> prepared;

  /// True when START of that round would begin it.
  bool waits_for_start(std::uint64_t of_round) const {
    return (round == of_round && std::holds_alternative<Shared>(state)) ||
           (prepared && prepared->round == of_round);
  }
};

struct MerchantStep {
  MerchantRound merchant;
  std::vector<Bytes> messages;  ///< To the coordinator.
  std::optional<RefusedEvent> refused;
};
MerchantStep step(MerchantRound merchant, const MerchantEvent& event, SecureRandom& random);

}  // namespace hanse
