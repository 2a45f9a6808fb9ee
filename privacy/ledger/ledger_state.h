#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/config/configuration.h"
#include "privacy/accounting/accountant.h"
#include "privacy/accounting/turns.h"
#include "privacy/ledger/merkle_tree.h"
#include "privacy/ledger/record.h"
#include "privacy/ledger/verify_signatures.h"

namespace hanse {

/// What an intent costs: discrete Gaussian noise with z = sqrt((shares_min - t) * share_variance) /
/// (coefficient * 2^grid_bits), q. `coefficient` is 1 but where units take turns (privacy/accounting/turns.h): then
/// c_(row mod T), which must not be 0; several rows together are one sum whose coefficient is the root of their squares'.
///
/// The total noise is a sum of shares, not itself a discrete Gaussian; with kShareVarianceMin it is so close
/// (Kairouz, Liu, Steinke 2021, theorem 1) that the difference is below the last bit of a double.
DpEvent event_of(const Intent& intent, std::uint32_t collusion, double coefficient = 1);

/// Smallest accountable noise share, in steps squared. The distance from the discrete Gaussian is
/// tau <= 10 n exp(-pi^2 share_variance) an entry, here below 10^-269 for every n; RDP grows from
/// order / 2 * D^2 to at most order / 2 * (D + sqrt(length) tau)^2.
inline constexpr std::uint64_t kShareVarianceMin = 64;

/// What a verifier does with a signature: checks it; puts it by, so that a whole ledger's are checked together; or takes
/// it as checked by its caller.
enum class Signatures { check, collect, trust };

/// The one verifier of ledgers: of the coordinator's own, of each merchant's copy and of the auditor's. Takes
/// a ledger line by line and keeps what it has cost. A value: copy it to try a line.
class LedgerState {
 public:
  LedgerState() = default;
  /// Only a ledger of this coordinator is accepted; without, the plan's own key is taken.
  explicit LedgerState(std::optional<PublicKey> coordinator) : expected_(coordinator) {}
  /// The copy of these merchants, by increasing name: a policy's limit is of what they permitted, by their signatures on
  /// heads. A sum that they did not permit cannot include them, and costs them nothing.
  LedgerState(std::optional<PublicKey> coordinator, std::vector<std::string> own)
      : expected_(coordinator), own_(std::move(own)) {}

  /// Checks the next line and takes it: canonical form, sequence, hash of the line before, signature, order
  /// (plan; intent; its release; claim; heads between them), and that what it says is possible and within the
  /// plan. An intent is spent from here on, and released only by merchants whose signatures are on the head behind
  /// it. A refused line leaves the state as it was; the Error is one sentence.
  Result<Record> accept(std::string_view line, Signatures how = Signatures::check);
  /// What was put by with Signatures::collect. The ledger holds when all of them do.
  std::vector<SignedMessage> take_collected() { return std::exchange(collected_, {}); }

  /// Whether the next sum may be announced, asked BEFORE a round by the coordinator and by every merchant:
  /// within the plan, within its budget, and within `policy` (a merchant's own; epsilon is compared at the
  /// policy's delta when it has one). Gives epsilon after it, the largest of the rows, at the plan's delta.
  Result<double> would_allow(const Intent& intent, const Configuration::Policy& policy = {}) const;

  bool empty() const { return hashes_.empty(); }
  std::uint64_t next_seq() const { return hashes_.size(); }
  /// SHA-256 of the last line (genesis_digest() when empty): what the next line's `prev` must be.
  Digest tip() const { return hashes_.empty() ? genesis_digest() : hashes_.back(); }
  /// The `prev` of the first line: the tip of the ledger that this one continues, when plan().previous names one.
  const Digest& continues() const { return continues_; }
  /// The hash tree over all lines.
  const MerkleTree& tree() const { return tree_; }
  /// What merchants sign to agree to all lines so far: size and root are those of tree(). Only when not empty().
  Bytes to_cosign() const { return cosigned_bytes(plan_->run_id, tree_.size(), tree_.root()); }
  /// A plan, an intent or a claim stands at the end, to be signed by merchants before anything follows from it.
  bool awaits_head() const { return awaits_head_; }
  /// SHA-256 of the open intent's line.
  const Digest& intent_line() const { return open_line_; }
  /// Merchants that permitted the open intent; empty before its head.
  const std::vector<std::uint32_t>& permitted_by() const { return permitted_by_; }
  /// The claim is made, and signed by merchants: nothing can follow.
  bool finished() const { return claim_.has_value() && !awaits_head_; }
  std::uint64_t heads() const { return heads_; }
  /// The last head, or an empty one.
  const Head& last_head() const { return last_head_; }
  /// SHA-256 of line `seq` < next_seq().
  const Digest& line_hash(std::uint64_t seq) const { return hashes_[seq]; }

  /// The first record. Only when not empty().
  const Plan& plan() const { return *plan_; }
  /// The intent that no release has answered yet.
  const std::optional<Intent>& open_intent() const { return open_; }
  const std::optional<Claim>& claim() const { return claim_; }
  /// The model after the last release (before the first: the one it started from).
  const std::optional<Digest>& model() const { return model_; }
  bool knows_model(const Digest& model) const { return models_.contains(model); }

  /// What all intents so far have spent, aborted ones included: rows "train" and "test" for Unit::record
  /// (their maximum is the claim), one row "all" for customer and merchant, none for Unit::none.
  std::vector<SpentRow> spent() const { return plan_ ? spent_at(plan_->delta) : std::vector<SpentRow>{}; }
  std::vector<SpentRow> spent_at(double delta) const;
  /// The same against `collusion` merchants that hand over their noise to whoever asks, instead of the plan's bound.
  std::vector<SpentRow> spent_at(double delta, std::uint32_t collusion) const;
  /// The releases with noise of a row's population, against that many colluding merchants: equal ones counted.
  /// A sampled customer has a coin at each of its merchants. One coin bounds the Renyi divergences of all, as the filter
  /// counts (worker/sampling_coins.h); whole privacy loss distributions need `each`.
  enum class Coins { one, each };
  std::vector<DpEvent> events(const std::string& population, std::uint32_t collusion,
                              Coins coins = Coins::one) const;
  /// All of it, for adding to other ledgers'. These may have divided records into train and test otherwise, so what counts is at
  /// each order the larger of both: a record was in one of them, nobody knows which.
  RdpAccountant spent_by_anyone() const;
  /// The largest epsilon of the rows.
  double epsilon_spent() const;
  /// What epsilon_spent() would be after `intent`; infinite when it is without noise.
  double epsilon_if(const Intent& intent) const;
  double epsilon_if(const Intent& intent, double delta) const;

  /// The latest time in a record, in seconds.
  std::uint64_t unix_time() const { return unix_time_; }
  std::uint64_t intents() const { return intents_; }
  /// Training sums where units take turns, aborted ones included: the row that the next one must have.
  std::uint64_t rows() const { return rows_; }
  /// The largest round of an intent; 0 before the first.
  std::uint64_t last_round() const { return last_round_; }
  std::uint64_t released() const { return released_; }
  std::uint64_t aborted() const { return aborted_; }
  /// Intents beyond the planned number of their kind (a repeated round): counted like all others.
  std::uint64_t beyond_plan() const { return beyond_plan_; }
  /// Sums that surplus noise was taken out of, and the shares of noise in them that it stayed in.
  std::uint64_t trimmed() const { return trimmed_; }
  std::uint64_t left_whole() const { return left_whole_; }
  /// Whether a sum of this name was opened and released.
  bool has_released(const std::string& name) const { return released_names_.contains(name); }
  /// Names of the sums announced without noise, each once, with how often.
  const std::map<std::string, std::uint64_t>& without_noise() const { return without_noise_; }
  /// Counts what an earlier ledger of the same people has spent, all of it, for would_allow() with a policy. An Error when the two
  /// cannot be added: their units differ.
  std::optional<Error> count_before(const LedgerState& earlier);

  /// The claim of a run that ends now, for a published model of that digest: of the last release, or of `model`, which an
  /// earlier one made. A run that is continued without budget publishes what its last checkpoint holds.
  Claim claim_for(const Digest& published) const { return claim_for(published, model_.value_or(Digest{})); }
  Claim claim_for(const Digest& published, const Digest& model) const {
    return {.model = model, .published = published, .rows = spent()};
  }

 private:
  /// What of an intent its cost depends on: grid_bits, shares_min, share_variance, sampling rate, merchants_per_unit,
  /// coefficient.
  using Mechanism =
      std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, double, std::uint32_t, std::uint32_t>;
  /// One accounted population.
  struct Account {
    RdpAccountant accountant;  ///< Of the releases with noise.
    RdpAccountant planned;     ///< Of those that the plan announces.
    std::uint64_t releases = 0;
    std::uint64_t without_noise = 0;
    std::map<Mechanism, std::uint64_t> mechanisms;  ///< What was composed, how often.
  };

  const char* account_of(Population population) const;
  DpEvent planned_event(const PlannedRelease& release) const;
  bool is_beyond_plan(const Intent& intent) const;
  /// Epsilon of what was `spent`. Within the plan at the best order: whatever comes and whenever it ends, it is a part of
  /// what the plan fixed in advance, for all orders at once. Beyond the plan, how many sums there are of each kind may
  /// depend on what was released, and the bound is a Renyi filter (Feldman and Zrnic 2021) at one order that was fixed before:
  /// the best for the plan, or for a merchant's policy the order of its budget.
  static EpsilonAtOrder bound(const RdpAccountant& spent, std::optional<double> filter, double delta);
  static std::optional<double> plan_filter(const Account& account, bool beyond, double delta);
  const PlannedRelease* planned(const Intent& intent) const;
  std::uint32_t coefficient_of(const Intent& intent) const;
  std::optional<Error> refuses_turn(const Intent& intent) const;
  std::optional<Error> refuses(const Record& record) const;
  std::optional<Error> refuses(const Head& head) const;
  std::vector<SignedMessage> signatures_of(const Record& record) const;
  double epsilon_of_own(const Intent& intent, double max_epsilon, double delta) const;
  std::optional<Error> refuses(const Plan& plan) const;
  std::optional<Error> refuses(const Intent& intent) const;
  std::optional<Error> refuses(const Release& release) const;
  std::optional<Error> refuses_surplus(const Release& release) const;
  std::optional<Error> refuses(const Claim& claim) const;
  void take(const Plan& plan);
  void take(const Intent& intent);
  void take(const Release& release);
  void take(const Claim& claim);
  void take(const Head& head);
  void take_permission(const Intent& intent);
  void compose_rows(const TurnsSpent& rows, const SumParameters& parameters, RdpAccountant& all) const;

  std::optional<PublicKey> expected_;
  std::vector<std::string> own_;                    ///< Whose copy this is; empty: nobody's.
  std::map<std::string, RdpAccountant> permitted_;  ///< By population: what some of `own_` permitted,
  TurnsSpent permitted_rows_;                       ///< and of the rows where units take turns.
  std::vector<Digest> hashes_;
  Digest continues_ = genesis_digest();
  MerkleTree tree_;
  bool awaits_head_ = false;
  Digest open_line_{};  ///< SHA-256 of the open intent's line.
  std::vector<std::uint32_t> permitted_by_;
  std::uint64_t heads_ = 0;
  Head last_head_;
  std::vector<SignedMessage> collected_;
  RdpAccountant earlier_;           ///< Of earlier ledgers.
  bool earlier_unbounded_ = false;  ///< Something of them was without noise.
  std::optional<Plan> plan_;
  std::optional<Intent> open_;
  std::optional<Claim> claim_;
  std::optional<Digest> model_;
  std::set<Digest> models_;
  std::map<std::string, Account> accounts_;
  std::map<std::pair<Purpose, Population>, std::uint64_t> done_;
  std::set<std::string> released_names_;
  std::map<std::string, std::uint64_t> without_noise_;
  std::uint64_t unix_time_ = 0;
  std::uint64_t intents_ = 0;
  std::uint64_t rows_ = 0;
  std::optional<SumParameters> row_parameters_;  ///< Of all rows.
  std::uint64_t last_round_ = 0;
  std::uint64_t released_ = 0;
  std::uint64_t aborted_ = 0;
  std::uint64_t trimmed_ = 0;
  std::uint64_t left_whole_ = 0;
  std::uint64_t beyond_plan_ = 0;
};

/// Whether a merchant of `policy` takes part in `plan` at all.
std::optional<Error> policy_refuses(const Configuration::Policy& policy, const Plan& plan);

}  // namespace hanse
