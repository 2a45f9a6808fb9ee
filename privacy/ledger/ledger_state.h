#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/config/configuration.h"
#include "privacy/accounting/accountant.h"
#include "privacy/ledger/record.h"

namespace hanse {

/// What an intent costs: discrete Gaussian noise with z = sqrt((shares_min - t) * share_variance) /
/// 2^grid_bits, q.
///
/// The total noise is a sum of shares, not itself a discrete Gaussian; with kShareVarianceMin it is so close
/// (Kairouz, Liu, Steinke 2021, theorem 1) that the difference is below the last bit of a double.
DpEvent event_of(const Intent& intent, std::uint32_t collusion);

/// Smallest accountable noise share, in steps squared. The distance from the discrete Gaussian is
/// tau <= 10 n exp(-pi^2 share_variance) an entry, here below 10^-269 for every n; RDP grows from
/// order / 2 * D^2 to at most order / 2 * (D + sqrt(length) tau)^2.
inline constexpr std::uint64_t kShareVarianceMin = 64;

/// The one verifier of ledgers: of the coordinator's own, of each merchant's copy and of the auditor's. Takes
/// a ledger line by line and keeps what it has cost. A value: copy it to try a line.
class LedgerState {
 public:
  LedgerState() = default;
  /// Only a ledger of this coordinator is accepted; without, the plan's own key is taken.
  explicit LedgerState(std::optional<PublicKey> coordinator) : expected_(coordinator) {}

  /// Checks the next line and takes it: canonical form, sequence, hash of the line before, signature, order
  /// (plan; intent; its release; claim last), and that what it says is possible and within the plan. An
  /// intent is spent from here on. A refused line leaves the state as it was; the Error is one sentence.
  Result<Record> accept(std::string_view line);

  /// Whether the next sum may be announced, asked BEFORE a round by the coordinator and by every merchant:
  /// within the plan, within its budget, and within `policy` (a merchant's own; epsilon is compared at the
  /// policy's delta when it has one). Gives epsilon after it, the largest of the rows, at the plan's delta.
  Result<double> would_allow(const Intent& intent, const Configuration::Policy& policy = {}) const;

  bool empty() const { return hashes_.empty(); }
  std::uint64_t next_seq() const { return hashes_.size(); }
  /// SHA-256 of the last line (genesis_digest() when empty): what the next line's `prev` must be.
  Digest head() const { return hashes_.empty() ? genesis_digest() : hashes_.back(); }
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
  /// The largest epsilon of the rows.
  double epsilon_spent() const;
  /// What epsilon_spent() would be after `intent`; infinite when it is without noise.
  double epsilon_if(const Intent& intent) const;
  double epsilon_if(const Intent& intent, double delta) const;

  /// The latest time in a record, in seconds.
  std::uint64_t unix_time() const { return unix_time_; }
  std::uint64_t intents() const { return intents_; }
  std::uint64_t released() const { return released_; }
  std::uint64_t aborted() const { return aborted_; }
  /// Intents beyond the planned number of their kind (a repeated round): counted like all others.
  std::uint64_t beyond_plan() const { return beyond_plan_; }
  /// Whether a sum of this name was opened and released.
  bool has_released(const std::string& name) const { return released_names_.contains(name); }
  /// Names of the sums announced without noise, each once, with how often.
  const std::map<std::string, std::uint64_t>& without_noise() const { return without_noise_; }
  /// The claim of a run that ends now, for a published model of that digest.
  Claim claim_for(const Digest& published) const {
    return {.model = model_.value_or(Digest{}), .published = published, .rows = spent()};
  }

 private:
  /// One accounted population.
  struct Account {
    RdpAccountant accountant;  ///< Of the releases with noise.
    std::uint64_t releases = 0;
    std::uint64_t without_noise = 0;
  };

  const char* account_of(Population population) const;
  const PlannedRelease* planned(const Intent& intent) const;
  std::optional<Error> refuses(const Record& record) const;
  std::optional<Error> refuses(const Plan& plan) const;
  std::optional<Error> refuses(const Intent& intent) const;
  std::optional<Error> refuses(const Release& release) const;
  std::optional<Error> refuses(const Claim& claim) const;
  void take(const Plan& plan);
  void take(const Intent& intent);
  void take(const Release& release);
  void take(const Claim& claim);

  std::optional<PublicKey> expected_;
  std::vector<Digest> hashes_;
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
  std::uint64_t released_ = 0;
  std::uint64_t aborted_ = 0;
  std::uint64_t beyond_plan_ = 0;
};

/// Whether a merchant of `policy` takes part in `plan` at all.
std::optional<Error> policy_refuses(const Configuration::Policy& policy, const Plan& plan);

}  // namespace hanse
