// What the announced sums have cost, whoever adds it up.

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/printable.h"
#include "privacy/accounting/turns.h"
#include "privacy/ledger/ledger_state.h"

namespace hanse {

DpEvent event_of(const Intent& intent, std::uint32_t collusion, double coefficient) {
  const SumParameters& p = intent.parameters;
  const double sensitivity = static_cast<double>(p.sensitivity()) * coefficient;
  const double shares = p.shares_min > collusion ? p.shares_min - collusion : 0;
  return {.noise = NoiseLaw::discrete_gaussian,
          .noise_multiplier = std::sqrt(shares * static_cast<double>(p.share_variance)) / sensitivity,
          .sampling_rate = intent.sampling_rate,
          .count = 1,
          .sensitivity_steps = sensitivity};
}

/// What the intent's row charges: nothing where it is not the turn of those who have spent most, and noise is independent.
std::uint32_t LedgerState::coefficient_of(const Intent& intent) const {
  return intent.row ? plan_->coefficients[*intent.row % plan_->coefficients.size()] : 1;
}

DpEvent LedgerState::planned_event(const PlannedRelease& release) const {
  DpEvent event{.noise_multiplier = release.noise_multiplier,
                .sampling_rate = release.sampling_rate,
                .count = release.count};
  if (release.purpose == Purpose::update && !plan_->coefficients.empty() && release.count > 0) {
    const double rows = static_cast<double>(turns_sensitivity_squared(plan_->coefficients, release.count));
    event.noise_multiplier *= norm_of(plan_->coefficients) / std::sqrt(rows);
    event.count = 1;
  }
  return event;
}

bool LedgerState::is_beyond_plan(const Intent& intent) const {
  std::uint64_t announced = 0;
  for (const PlannedRelease& release : plan_->releases) {
    const bool same = release.purpose == intent.purpose && release.population == intent.population;
    announced += same ? release.count : 0;
  }
  const auto done = done_.find({intent.purpose, intent.population});
  return (done == done_.end() ? 0 : done->second) >= announced;
}

EpsilonAtOrder LedgerState::bound(const RdpAccountant& spent, std::optional<double> filter, double delta) {
  return filter ? EpsilonAtOrder{spent.epsilon_at(*filter, delta), *filter} : spent.epsilon(delta);
}

std::optional<double> LedgerState::plan_filter(const Account& account, bool beyond, double delta) {
  return beyond ? std::optional(account.planned.epsilon(delta).order) : std::nullopt;
}

const char* LedgerState::account_of(Population population) const {
  if (plan_->unit != Unit::record) {
    return "all";
  }
  return population == Population::train ? "train" : "test";
}

std::vector<SpentRow> LedgerState::spent_at(double delta) const {
  return plan_ ? spent_at(delta, plan_->collusion) : std::vector<SpentRow>{};
}

std::vector<DpEvent> LedgerState::events(const std::string& population, std::uint32_t collusion,
                                         Coins coins) const {
  std::vector<DpEvent> events;
  const auto account = accounts_.find(population);
  if (account == accounts_.end()) {
    return events;
  }
  for (const auto& [mechanism, count] : account->second.mechanisms) {
    Intent intent;
    std::uint32_t coefficient = 1;
    std::tie(intent.parameters.grid_bits, intent.parameters.shares_min, intent.parameters.share_variance,
             intent.sampling_rate, intent.parameters.merchants_per_unit, coefficient) = mechanism;
    events.push_back(event_of(intent, collusion, coefficient));
    events.back().count = count;
    events.back().coins = coins == Coins::each ? intent.parameters.merchants_per_unit : 1;
  }
  return events;
}

std::vector<SpentRow> LedgerState::spent_at(double delta, std::uint32_t collusion) const {
  std::vector<SpentRow> rows;
  for (const auto& [population, account] : accounts_) {
    SpentRow row{.unit = plan_->unit,
                 .population = population,
                 .delta = delta,
                 .releases = account.releases,
                 .without_noise = account.without_noise};
    if (account.releases > account.without_noise) {
      RdpAccountant other;
      if (collusion != plan_->collusion) {
        for (const DpEvent& event : events(population, collusion)) {
          other.compose(event);
        }
      }
      const EpsilonAtOrder best = bound(collusion == plan_->collusion ? account.accountant : other,
                                        plan_filter(account, beyond_plan_ > 0, delta), delta);
      row.epsilon = best.epsilon;
      row.order = best.order;
    }
    rows.push_back(row);
  }
  return rows;
}

RdpAccountant LedgerState::spent_by_anyone() const {
  std::vector<RdpAccountant> populations;
  for (const auto& [population, account] : accounts_) {
    RdpAccountant& spent = populations.emplace_back();
    for (const DpEvent& event : events(population, plan_->collusion)) {
      spent.compose(event);
    }
  }
  if (populations.size() <= 1) {
    return populations.empty() ? RdpAccountant() : populations.front();
  }
  check(populations.size() == 2, "records are for training or for testing");
  RdpAccountant either;
  either.compose_larger(populations[0], populations[1]);
  return either;
}

double LedgerState::epsilon_spent() const {
  double most = 0;
  for (const SpentRow& row : spent()) {
    most = std::max(most, row.epsilon);
  }
  return most;
}

double LedgerState::epsilon_if(const Intent& intent) const {
  return epsilon_if(intent, plan_->delta);
}

double LedgerState::epsilon_if(const Intent& intent, double delta) const {
  if (plan_->unit == Unit::none || intent.parameters.share_variance == 0) {
    return std::numeric_limits<double>::infinity();
  }
  Account account = accounts_.at(account_of(intent.population));
  if (const std::uint32_t coefficient = coefficient_of(intent); coefficient > 0) {
    account.accountant.compose(event_of(intent, plan_->collusion, coefficient));
  }
  const bool beyond = beyond_plan_ > 0 || is_beyond_plan(intent);
  double most = bound(account.accountant, plan_filter(account, beyond, delta), delta).epsilon;
  for (const SpentRow& row : spent_at(delta)) {
    most = std::max(most, row.epsilon);
  }
  return most;
}

std::optional<Error> LedgerState::count_before(const LedgerState& earlier) {
  if (earlier.empty()) {
    return Error{"an earlier ledger is empty"};
  }
  earlier_.compose(earlier.spent_by_anyone());
  for (const auto& [population, account] : earlier.accounts_) {
    earlier_unbounded_ = earlier_unbounded_ || account.without_noise > 0;
  }
  earlier_unbounded_ = earlier_unbounded_ || (earlier.plan_->unit == Unit::none && earlier.intents_ > 0);
  const bool same = !plan_ || plan_->unit == earlier.plan_->unit || earlier.plan_->unit == Unit::none;
  return same ? std::nullopt
              : std::optional<Error>(Error{"run " + printable(earlier.plan_->run_id) +
                                           " hid another unit than this one: their budgets do not add up"});
}

/// Those rows together are one sum whose sensitivity is that of the turn which spent most in them.
void LedgerState::compose_rows(const TurnsSpent& rows, const SumParameters& parameters,
                               RdpAccountant& all) const {
  if (rows.most_squared() > 0) {
    Intent row;
    row.parameters = parameters;
    all.compose(event_of(row, plan_->collusion, std::sqrt(static_cast<double>(rows.most_squared()))));
  }
}

/// Epsilon at `delta` after `intent`, the largest of the populations: all that earlier ledgers spent, and of this one what merchants
/// of this copy permitted, or all of it where the copy is nobody's; beyond the plan at the order of the budget `max_epsilon`. Infinite where anything was released without noise.
double LedgerState::epsilon_of_own(const Intent& intent, double max_epsilon, double delta) const {
  if (plan_->unit == Unit::none || intent.parameters.share_variance == 0 || earlier_unbounded_) {
    return std::numeric_limits<double>::infinity();
  }
  double most = 0;
  const bool beyond = beyond_plan_ > 0 || is_beyond_plan(intent);
  const std::optional<double> filter =
      beyond ? std::optional(order_of_budget(max_epsilon, delta)) : std::nullopt;
  TurnsSpent rows = permitted_rows_;
  if (intent.row) {
    rows.add(plan_->coefficients, *intent.row);
  }
  for (const auto& [population, account] : accounts_) {
    RdpAccountant all = account.accountant;
    if (!own_.empty()) {
      const auto permitted = permitted_.find(population);
      all = permitted == permitted_.end() ? RdpAccountant() : permitted->second;
      if (population == account_of(Population::train)) {
        compose_rows(rows, intent.row ? intent.parameters : row_parameters_.value_or(SumParameters{}), all);
      }
    }
    all.compose(earlier_);
    // Who counts rows turn by turn has it among them.
    const std::uint32_t coefficient = intent.row && !own_.empty() ? 0 : coefficient_of(intent);
    if (population == account_of(intent.population) && coefficient > 0) {
      all.compose(event_of(intent, plan_->collusion, coefficient));
    }
    most = std::max(most, bound(all, filter, delta).epsilon);
  }
  return most;
}

}  // namespace hanse
