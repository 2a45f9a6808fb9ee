#include "privacy/ledger/earlier_ledgers.h"

#include "common/base/durable_file.h"
#include "privacy/ledger/ledger_lines.h"

namespace hanse {

Result<std::vector<LedgerState>> read_earlier(std::span<const std::filesystem::path> files) {
  std::vector<LedgerState> states;
  for (const std::filesystem::path& file : files) {
    LedgerState state;
    const std::string content = read_file(file);
    for (const std::string_view line : split_lines(content).lines) {
      if (const auto record = state.accept(line, Signatures::collect); !record) {
        return Error{"the earlier ledger " + file.string() + " does not hold: " + record.what()};
      }
    }
    const std::vector<SignedMessage> signatures = state.take_collected();
    if (const auto bad = unverified(signatures); !bad.empty()) {
      return Error{"the earlier ledger " + file.string() +
                   " does not hold: " + signatures[bad.front()].fault};
    }
    if (state.empty()) {
      return Error{"the earlier ledger " + file.string() + " is empty"};
    }
    if (!states.empty() &&
        (states.back().plan().previous != state.plan().run_id || states.back().continues() != state.tip())) {
      return Error{"the earlier ledger " + file.string() +
                   " is not the one that the run after it continues, or it is not all of it"};
    }
    states.push_back(std::move(state));
  }
  if (!states.empty() && !states.back().plan().previous.empty()) {
    return Error{"the ledger of run " + states.back().plan().previous +
                 " is missing in privacy.previous_ledgers: a later one continues it"};
  }
  return states;
}

std::optional<Error> refuses_link(const Plan& plan, const Digest& prev,
                                  std::span<const LedgerState> earlier) {
  if (earlier.empty()) {
    return plan.previous.empty()
               ? std::nullopt
               : std::optional<Error>(Error{"the plan continues the ledger of another run, of which "
                                            "privacy.previous_ledgers says nothing here"});
  }
  const LedgerState& latest = earlier.front();
  if (plan.previous != latest.plan().run_id || prev != latest.tip()) {
    return Error{"the plan does not continue the ledger of run " + latest.plan().run_id +
                 " as this merchant has it: what was spent before would not be counted"};
  }
  for (const LedgerState& state : earlier) {
    if (state.plan().unit != plan.unit) {
      return Error{"the plan hides another unit than run " + state.plan().run_id +
                   ", whose ledger it continues: their budgets do not add up"};
    }
  }
  return std::nullopt;
}

}  // namespace hanse
