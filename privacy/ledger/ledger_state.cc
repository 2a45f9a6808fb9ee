#include "privacy/ledger/ledger_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/check.h"
#include "common/base/figure.h"
#include "common/base/printable.h"
#include "privacy/accounting/turns.h"

namespace hanse {
namespace {

constexpr std::uint64_t kLengthMax = std::uint64_t{1} << 40;
constexpr std::uint64_t kUnitsMax = std::uint64_t{1} << 48;
constexpr std::uint64_t kShareVarianceMax = std::uint64_t{1} << 62;
constexpr std::size_t kNameMax = 255;
// What is calibrated to meet a budget exactly may miss it by rounding.
constexpr double kRounding = 1e-9;
constexpr double kClaimTolerance = 1e-6;

/// As fresh_run_id() makes them.
bool is_run_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string title(const Intent& intent) {
  return "round " + std::to_string(intent.round) + " (" + printable(intent.name) + ")";
}

bool is_positive(double value) {
  return std::isfinite(value) && value > 0;
}

bool is_increasing(const std::vector<LedgerMerchant>& merchants) {
  return std::is_sorted(merchants.begin(), merchants.end(),
                        [](const auto& a, const auto& b) { return a.name <= b.name; });
}

bool fits_ring(const SumParameters& p) {
  return p.has_headroom() && p.sum_bound() < std::uint64_t{1} << (static_cast<unsigned>(p.ring) - 1);
}

std::optional<Error> refuses_parameters(const SumParameters& p, const Plan& plan, std::size_t invited) {
  const bool in_range =
      p.length > 0 && p.length <= kLengthMax && is_clip_norm(p.clip_norm) && p.grid_bits >= 1 &&
      p.grid_bits <= 40 && p.units_max > 0 && p.units_max <= kUnitsMax && p.merchants_per_unit > 0 &&
      p.merchants_per_unit <= kMerchantsMax && p.gain > 0 && p.share_variance <= kShareVarianceMax;
  if (!in_range) {
    return Error{"its parameters are out of range"};
  }
  if (p.merchants_max < invited || p.merchants_max > kMerchantsMax) {
    return Error{"its headroom is for " + std::to_string(p.merchants_max) + " merchants but " +
                 std::to_string(invited) + " are invited"};
  }
  if (!fits_ring(p)) {
    return Error{"its sum does not fit the ring of " + std::to_string(static_cast<unsigned>(p.ring)) +
                 " bits"};
  }
  if (p.shares_min < plan.shares_min) {
    return Error{"it may be opened with " + std::to_string(p.shares_min) +
                 " merchants, fewer than the plan's " + std::to_string(plan.shares_min)};
  }
  if (invited < p.shares_min) {
    return Error{"it needs " + std::to_string(p.shares_min) + " merchants but invites " +
                 std::to_string(invited)};
  }
  if (p.share_variance > 0 && p.share_variance < kShareVarianceMin) {
    return Error{"its noise shares have variance " + std::to_string(p.share_variance) +
                 ", too coarse to account for (at least " + std::to_string(kShareVarianceMin) + ")"};
  }
  return std::nullopt;
}

bool is_subset(const std::vector<std::uint32_t>& part, const std::vector<std::uint32_t>& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

bool is_close(double a, double b) {
  return std::abs(a - b) <= kClaimTolerance * std::max(std::abs(a), std::abs(b));
}

}  // namespace

// --- what is refused ---

std::optional<Error> LedgerState::refuses(const Plan& plan) const {
  if (!empty()) {
    return Error{"a second plan"};
  }
  if (!plan.previous.empty() && plan.previous == plan.run_id) {
    return Error{"the plan continues itself"};
  }
  if (!is_run_id(plan.run_id) || (!plan.previous.empty() && !is_run_id(plan.previous))) {
    return Error{"the plan's run, or the one before it, is not named by 32 hexadecimal digits"};
  }
  if (plan.federation.size() > kNameMax) {
    return Error{"the plan's federation has too long a name"};
  }
  if (plan.merchants.empty() || plan.merchants.size() > kMerchantsMax || !is_increasing(plan.merchants) ||
      plan.merchants.front().name.empty()) {
    return Error{"the plan's merchants must be 1 to " + std::to_string(kMerchantsMax) +
                 " different names in increasing order"};
  }
  if (plan.shares_min < 1 || plan.shares_min > plan.merchants.size() || plan.collusion >= plan.shares_min) {
    return Error{"the plan's smallest sum of " + std::to_string(plan.shares_min) +
                 " merchants must be at most all of them and more than the " +
                 std::to_string(plan.collusion) + " that may collude"};
  }
  if (plan.encryption != "masked" && plan.encryption != "paillier" && plan.encryption != "none") {
    return Error{"the plan's encryption " + quoted(plan.encryption) + " is unknown"};
  }
  if (plan.removes_surplus && (plan.unit == Unit::none || plan.encryption != "masked")) {
    return Error{"the plan takes noise out of sums that have none, or whose merchants cannot agree on it"};
  }
  if (plan.accountant != "rdp") {
    return Error{"the plan's accountant " + quoted(plan.accountant) +
                 " is unknown: budgets are kept by \"rdp\""};
  }
  const bool is_private = plan.unit != Unit::none;
  if (is_private ? !(plan.delta > 0 && plan.delta < 1) : plan.delta != 0) {
    return Error{"the plan's delta of " + figure(plan.delta) +
                 " must lie between 0 and 1, and be 0 without a unit of privacy"};
  }
  if (plan.epsilon && (!is_private || !is_positive(*plan.epsilon))) {
    return Error{"the plan's budget must be positive, and absent without a unit of privacy"};
  }
  if (!plan.coefficients.empty() && !are_coefficients(plan.coefficients)) {
    return Error{"the plan's coefficients must be 2 to " + std::to_string(kTurnsMax) +
                 " integers up to 65536 that never grow, the first larger than the second"};
  }
  for (const PlannedRelease& release : plan.releases) {
    if (!plan.coefficients.empty() && release.purpose == Purpose::update && release.sampling_rate != 1) {
      return Error{"the plan has units take turns and draws them as well"};
    }
    if (!std::isfinite(release.noise_multiplier) || release.noise_multiplier < 0 ||
        !(release.sampling_rate > 0 && release.sampling_rate <= 1)) {
      return Error{"a planned release has a negative noise multiplier or a sampling rate outside (0, 1]"};
    }
  }
  return std::nullopt;
}

/// The plan's entry for this intent: same purpose, population and sampling rate, and at least as much noise
/// as planned. Null when there is none.
const PlannedRelease* LedgerState::planned(const Intent& intent) const {
  const double z =
      event_of(intent, plan_->collusion).noise_multiplier / (intent.row ? norm_of(plan_->coefficients) : 1);
  for (const PlannedRelease& release : plan_->releases) {
    if (release.purpose == intent.purpose && release.population == intent.population &&
        release.sampling_rate == intent.sampling_rate && z >= release.noise_multiplier * (1 - kRounding)) {
      return &release;
    }
  }
  return nullptr;
}

/// Row numbers follow each other without a gap and without a repetition, so that whose turn it is, and what it costs,
/// follows from the ledger alone; and all rows are on one grid, so that what a unit leaves behind in later ones is bounded.
std::optional<Error> LedgerState::refuses_turn(const Intent& intent) const {
  const bool takes_turns = intent.purpose == Purpose::update && !plan_->coefficients.empty();
  if (intent.row.has_value() != takes_turns) {
    return Error{takes_turns ? "it has no row, though units take turns in the plan's training sums"
                             : "it has a row, though all units are in it"};
  }
  if (takes_turns && intent.population != Population::train) {
    return Error{"it is of test data, whose units take no turns"};
  }
  if (takes_turns && *intent.row != rows_) {
    return Error{"its row is " + std::to_string(*intent.row) + " where " + std::to_string(rows_) +
                 " training sums came before"};
  }
  const std::uint32_t gain = takes_turns ? gain_of(plan_->coefficients) : 1;
  if (intent.parameters.gain != gain) {
    return Error{"its headroom is for a gain of " + std::to_string(intent.parameters.gain) + " instead of " +
                 std::to_string(gain)};
  }
  if (takes_turns && row_parameters_ && *row_parameters_ != intent.parameters) {
    return Error{"it has other parameters than the rows before it"};
  }
  return std::nullopt;
}

std::optional<Error> LedgerState::refuses(const Intent& intent) const {
  if (empty()) {
    return Error{"an intent before the plan"};
  }
  if (claim_) {
    return Error{"an intent after the claim"};
  }
  if (open_) {
    return Error{title(intent) + " is announced while " + title(*open_) + " is not answered"};
  }
  const auto wrong = [&](const std::string& why) { return Error{title(intent) + " is refused: " + why}; };
  if (awaits_head_) {
    return wrong("the plan is not signed by its merchants");
  }
  if (intent.name.empty() || intent.name.size() > kNameMax) {
    return wrong("its sum has no name, or one of more than 255 bytes");
  }
  if (intent.invited.empty() || intent.invited.back() >= plan_->merchants.size()) {
    return wrong("it invites nobody, or merchants that the plan does not know");
  }
  if (!(intent.sampling_rate > 0 && intent.sampling_rate <= 1)) {
    return wrong("its sampling rate is outside (0, 1]");
  }
  if (const auto error = refuses_parameters(intent.parameters, *plan_, intent.invited.size())) {
    return wrong(error->what);
  }
  if (const auto error = refuses_turn(intent)) {
    return wrong(error->what);
  }
  if (intent.unix_time < unix_time_) {
    return wrong("its time is before that of an earlier record");
  }
  if (!models_.empty() && !models_.contains(intent.model)) {
    return wrong("it starts from a model that no release of this ledger made");
  }
  if (plan_->unit == Unit::none) {
    return std::nullopt;
  }
  if (planned(intent) == nullptr) {
    return wrong(
        "no " + std::string(intent.parameters.share_variance == 0 ? "sum without noise" : "such sum") +
        " is in the plan (noise multiplier " + figure(event_of(intent, plan_->collusion).noise_multiplier) +
        ", sampling rate " + figure(intent.sampling_rate) + ")");
  }
  if (plan_->epsilon && intent.parameters.share_variance > 0) {
    const double after = epsilon_if(intent);
    if (!(after <= *plan_->epsilon * (1 + kRounding))) {
      return wrong("epsilon would be " + figure(after) + " at delta " + figure(plan_->delta) +
                   ", above the plan's budget of " + figure(*plan_->epsilon));
    }
  }
  return std::nullopt;
}

std::optional<Error> LedgerState::refuses(const Release& release) const {
  if (!open_) {
    return Error{"a release of round " + std::to_string(release.round) + " that no intent announced"};
  }
  const auto wrong = [&](const std::string& why) {
    return Error{"the release of " + title(*open_) + " is refused: " + why};
  };
  if (release.round != open_->round || release.intent != open_line_) {
    return wrong("it answers another intent");
  }
  if (release.status == Release::Status::aborted) {
    if (!release.merchants.empty() || release.opened != Digest{} || release.model != open_->model ||
        release.reason.empty() || release.surplus) {
      return wrong("an aborted round opens nothing, leaves the model alone and says why");
    }
    return std::nullopt;
  }
  if (!release.reason.empty()) {
    return wrong("it gives a reason for an abort that was none");
  }
  if (!is_subset(release.merchants, open_->invited)) {
    return wrong("it includes merchants that were not invited");
  }
  if (!is_subset(release.merchants, permitted_by_)) {
    return wrong(
        "it includes merchants that did not permit it: their signatures are not on the head before it");
  }
  if (release.merchants.size() < open_->parameters.shares_min) {
    return wrong("it includes " + std::to_string(release.merchants.size()) +
                 " merchants where the intent needs " + std::to_string(open_->parameters.shares_min));
  }
  return refuses_surplus(release);
}

/// What may be taken out of a sum follows from the number of merchants in it: every share keeps so much that those who do
/// not collude carry what the intent was charged for, and not one part more is opened.
std::optional<Error> LedgerState::refuses_surplus(const Release& release) const {
  const auto wrong = [&](const std::string& why) {
    return Error{"the release of " + title(*open_) + " is refused: " + why};
  };
  const SumParameters& p = open_->parameters;
  const auto included = static_cast<std::uint32_t>(release.merchants.size());
  const bool expected = plan_->removes_surplus && rung_to_open(p, included).has_value();
  if (!release.surplus) {
    return expected ? std::optional(wrong("it does not say what surplus noise was taken out")) : std::nullopt;
  }
  const SurplusRemoval& surplus = *release.surplus;
  if (!expected) {
    return wrong(plan_->removes_surplus ? "it takes noise out of a sum that needs all of it"
                                        : "it takes noise out of a sum, which is not in the plan");
  }
  const std::uint64_t left = NoiseLadder{p.share_variance, p.shares_min, plan_->collusion}.left(included);
  if (surplus.left != left || surplus.rungs_from != p.shares_min || surplus.rungs_to != included - 1) {
    return wrong("it leaves shares of variance " + std::to_string(surplus.left) + " without rungs " +
                 std::to_string(surplus.rungs_from) + " to " + std::to_string(surplus.rungs_to) + ", where " +
                 std::to_string(included) + " merchants must leave " + std::to_string(left) +
                 " without rungs " + std::to_string(p.shares_min) + " to " + std::to_string(included - 1));
  }
  if (!is_subset(surplus.merchants, release.merchants)) {
    return wrong("it takes out noise of merchants that are not in it");
  }
  return std::nullopt;
}

std::optional<Error> LedgerState::refuses(const Claim& claim) const {
  if (empty()) {
    return Error{"a claim before the plan"};
  }
  if (claim_) {
    return Error{"a second claim"};
  }
  if (awaits_head_) {
    return Error{"a claim behind lines that the merchants have not signed yet"};
  }
  if (open_) {
    return Error{"a claim while " + title(*open_) + " is not answered"};
  }
  if (models_.empty() ? claim.model != Digest{} : !knows_model(claim.model)) {
    return Error{"the claim is for a model that no release of this ledger made"};
  }
  const std::vector<SpentRow> rows = spent();
  if (claim.rows.size() != rows.size()) {
    return Error{"the claim has " + std::to_string(claim.rows.size()) + " rows where the ledger gives " +
                 std::to_string(rows.size())};
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SpentRow& said = claim.rows[i];
    const SpentRow& found = rows[i];
    if (said.unit != found.unit || said.population != found.population || said.delta != found.delta ||
        said.releases != found.releases || said.without_noise != found.without_noise ||
        !is_close(said.epsilon, found.epsilon)) {
      return Error{"the claim of epsilon " + figure(said.epsilon) + " for population " +
                   quoted(said.population) + " over " + std::to_string(said.releases) + " releases (" +
                   std::to_string(said.without_noise) + " without noise) is not what the ledger gives: " +
                   figure(found.epsilon) + " for " + quoted(found.population) + " over " +
                   std::to_string(found.releases) + " (" + std::to_string(found.without_noise) + ")"};
    }
  }
  return std::nullopt;
}

std::optional<Error> LedgerState::refuses(const Head& head) const {
  const auto wrong = [](const std::string& why) { return Error{"a head is refused: " + why}; };
  if (!awaits_head_) {
    return wrong("it stands behind no plan, intent or claim");
  }
  if (head.size != next_seq() || head.root != tree_.root()) {
    return wrong("it is not of the lines before it");
  }
  if (head.unix_time < unix_time_) {
    return wrong("its time is before that of an earlier record");
  }
  std::vector<std::uint32_t> signers;
  for (const Cosignature& one : head.cosignatures) {
    if (one.merchant >= plan_->merchants.size() || (!signers.empty() && one.merchant <= signers.back())) {
      return wrong("its signers are not merchants of the plan in increasing order");
    }
    signers.push_back(one.merchant);
  }
  const std::size_t needed = open_    ? open_->parameters.shares_min
                             : claim_ ? std::min<std::size_t>(2, plan_->merchants.size())
                                      : plan_->merchants.size();
  if (signers.size() < needed) {
    return wrong(std::to_string(signers.size()) + " merchants signed it where " + std::to_string(needed) +
                 " must");
  }
  if (open_ && !is_subset(signers, open_->invited)) {
    return wrong("merchants signed it that were not invited to " + title(*open_));
  }
  return std::nullopt;
}

/// The coordinator's signature of the line, and those of merchants in it.
std::vector<SignedMessage> LedgerState::signatures_of(const Record& record) const {
  const Plan& plan = plan_ ? *plan_ : std::get<Plan>(record.payload);
  const std::string text = signed_text(record);
  const ByteView bytes = bytes_of(text);
  std::vector<SignedMessage> all{{.key = plan.coordinator,
                                  .message = {bytes.begin(), bytes.end()},
                                  .signature = record.signature,
                                  .fault = "its signature is not the coordinator's"}};
  if (const auto* head = std::get_if<Head>(&record.payload)) {
    const Bytes cosigned = to_cosign();
    for (const Cosignature& one : head->cosignatures) {
      const LedgerMerchant& merchant = plan.merchants[one.merchant];
      all.push_back(
          {.key = merchant.key,
           .message = cosigned,
           .signature = one.signature,
           .fault = "merchant " + quoted(merchant.name) +
                    " did not sign this head: it was shown another ledger, or somebody signed for it"});
    }
  }
  return all;
}

std::optional<Error> LedgerState::refuses(const Record& record) const {
  if (claim_ && !(awaits_head_ && std::holds_alternative<Head>(record.payload))) {
    return Error{"nothing may follow the claim"};
  }
  if (record.seq != next_seq()) {
    return Error{"its sequence number is " + std::to_string(record.seq) + " where " +
                 std::to_string(next_seq()) + " is next"};
  }
  const Plan* plan = plan_ ? &*plan_ : std::get_if<Plan>(&record.payload);
  if (plan == nullptr) {
    return Error{"the first record is no plan"};
  }
  const bool continues = !plan_ && !plan->previous.empty();
  if (continues ? record.prev == genesis_digest() : record.prev != tip()) {
    return Error{"it does not carry the hash of the line before it"};
  }
  if (expected_ && plan->coordinator != *expected_) {
    return Error{"the plan is another coordinator's: its key is not the one expected"};
  }
  return std::visit([&](const auto& payload) { return refuses(payload); }, record.payload);
}

// --- what is taken ---

void LedgerState::take(const Plan& plan) {
  plan_ = plan;
  unix_time_ = plan.unix_time;
  if (plan.unit == Unit::record) {
    accounts_["test"];
    accounts_["train"];
  } else if (plan.unit != Unit::none) {
    accounts_["all"];
  }
  for (const PlannedRelease& release : plan.releases) {
    if (plan.unit != Unit::none && release.noise_multiplier > 0) {
      accounts_.at(account_of(release.population)).planned.compose(planned_event(release));
    }
  }
}

void LedgerState::take(const Intent& intent) {
  ++intents_;
  last_round_ = std::max(last_round_, intent.round);
  unix_time_ = intent.unix_time;
  if (models_.empty()) {
    models_.insert(intent.model);
    model_ = intent.model;
  }
  const std::uint32_t coefficient = coefficient_of(intent);
  if (intent.row) {
    ++rows_;
    row_parameters_ = intent.parameters;
  }
  const bool noisy = intent.parameters.share_variance > 0;
  if (!noisy) {
    ++without_noise_[intent.name];
  }
  if (plan_->unit != Unit::none) {
    Account& account = accounts_.at(account_of(intent.population));
    ++account.releases;
    account.without_noise += noisy ? 0u : 1u;
    if (noisy && coefficient > 0) {
      const SumParameters& p = intent.parameters;
      ++account.mechanisms[{p.grid_bits, p.shares_min, p.share_variance, intent.sampling_rate,
                            p.merchants_per_unit, coefficient}];
      account.accountant.compose(event_of(intent, plan_->collusion, coefficient));
    }
    beyond_plan_ += is_beyond_plan(intent) ? 1u : 0u;
    ++done_[{intent.purpose, intent.population}];
  }
  open_ = intent;
}

void LedgerState::take(const Release& release) {
  if (release.status == Release::Status::released) {
    ++released_;
    released_names_.insert(open_->name);
    if (release.surplus) {
      ++trimmed_;
      left_whole_ += release.merchants.size() - release.surplus->merchants.size();
    }
    models_.insert(release.model);
    model_ = release.model;
  } else {
    ++aborted_;
  }
  open_.reset();
  permitted_by_.clear();
}

void LedgerState::take(const Claim& claim) {
  claim_ = claim;
}

void LedgerState::take(const Head& head) {
  unix_time_ = head.unix_time;
  for (const Cosignature& one : head.cosignatures) {
    if (open_) {
      permitted_by_.push_back(one.merchant);
    }
  }
  if (open_) {
    take_permission(*open_);
  }
  ++heads_;
  last_head_ = head;
}

/// Spent by the merchants whose copy this is when one of them signed it: no sum has one that did not.
void LedgerState::take_permission(const Intent& intent) {
  const bool is_own = std::ranges::any_of(permitted_by_, [&](std::uint32_t merchant) {
    return std::ranges::binary_search(own_, plan_->merchants[merchant].name);
  });
  if (is_own && intent.row) {
    permitted_rows_.add(plan_->coefficients, *intent.row);
  } else if (is_own && plan_->unit != Unit::none && intent.parameters.share_variance > 0) {
    permitted_[account_of(intent.population)].compose(event_of(intent, plan_->collusion));
  }
}

Result<Record> LedgerState::accept(std::string_view line, Signatures how) {
  const auto refused = [&](const std::string& why) {
    return Error{"line " + std::to_string(next_seq() + 1) + ": " + why};
  };
  Result<Record> record = decode_record(line);
  if (!record) {
    return refused(record.what());
  }
  if (const auto error = refuses(*record)) {
    return refused(error->what);
  }
  if (how != Signatures::trust) {
    std::vector<SignedMessage> signatures = signatures_of(*record);
    if (how == Signatures::collect) {
      for (SignedMessage& one : signatures) {
        one.fault = refused(one.fault).what;
        collected_.push_back(std::move(one));
      }
    } else if (const auto bad = unverified(signatures); !bad.empty()) {
      return refused(signatures[bad.front()].fault);
    }
  }
  continues_ = empty() ? record->prev : continues_;
  std::visit([&](const auto& payload) { take(payload); }, record->payload);
  hashes_.push_back(sha256(bytes_of(line)));
  tree_.append(bytes_of(line));
  if (std::holds_alternative<Intent>(record->payload)) {
    open_line_ = hashes_.back();
  }
  awaits_head_ =
      !std::holds_alternative<Head>(record->payload) && !std::holds_alternative<Release>(record->payload);
  return record;
}

// --- policy ---

std::optional<Error> policy_refuses(const Configuration::Policy& policy, const Plan& plan) {
  const auto& allowed = policy.workloads;
  if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), plan.workload) == allowed.end()) {
    std::string names;
    for (const std::string& name : allowed) {
      names += (names.empty() ? "" : ", ") + name;
    }
    return Error{"the workload " + quoted(plan.workload) + " is not one that policy.workloads allows (" +
                 names + ")"};
  }
  if (policy.max_epsilon > 0 && plan.unit == Unit::none) {
    return Error{"the run promises no privacy (unit none), but policy.max_epsilon asks for at most " +
                 figure(policy.max_epsilon)};
  }
  if (plan.shares_min < policy.min_merchants) {
    return Error{"sums may be opened with " + std::to_string(plan.shares_min) +
                 " merchants, fewer than the " + std::to_string(policy.min_merchants) +
                 " of policy.min_merchants"};
  }
  return std::nullopt;
}

Result<double> LedgerState::would_allow(const Intent& intent, const Configuration::Policy& policy) const {
  if (const auto error = refuses(intent)) {
    return *error;
  }
  if (const auto error = policy_refuses(policy, *plan_)) {
    return *error;
  }
  if (policy.max_epsilon > 0) {
    if (intent.parameters.share_variance == 0) {
      return Error{title(intent) +
                   " would be released without noise, but policy.max_epsilon asks for at most " +
                   figure(policy.max_epsilon)};
    }
    const double delta = policy.delta > 0 ? policy.delta : plan_->delta;
    const double after = epsilon_of_own(intent, policy.max_epsilon, delta);
    if (!(after <= policy.max_epsilon * (1 + kRounding))) {
      return Error{title(intent) + " would bring epsilon to " + figure(after) + " at delta " + figure(delta) +
                   ", above the " + figure(policy.max_epsilon) + " of policy.max_epsilon"};
    }
  }
  return epsilon_if(intent);
}

}  // namespace hanse
