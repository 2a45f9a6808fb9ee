#include "worker/local_work.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "common/base/seeded_generator.h"
#include "common/data/encoding.h"
#include "common/data/units.h"
#include "privacy/protocol/round_payload.h"
#include "privacy/sampling_coin.h"
#include "privacy/turn.h"
#include "worker/own_part_file.h"
#include "worker/sampling_coins.h"

namespace hanse {

LocalWork::LocalWork(Configuration configuration, Dataset data, std::vector<LedgerMerchant> hosted,
                     std::optional<PublicKey> coordinator, SecureRandom& random)
    : configuration_(std::move(configuration)),
      data_(std::move(data)),
      space_(data_.space),
      hosted_(std::move(hosted)),
      coordinator_(coordinator),
      random_(random) {
  if (configuration_.privacy.turns > 1) {
    keep_record_keys();
  }
}

/// Before the data is encoded: the statistics that it is encoded by are not the same in every session.
void LocalWork::keep_record_keys() {
  record_keys_.reserve(data_.train.features.rows());
  for (const MerchantRows& merchant : data_.merchants) {
    for_each_unit(data_, merchant, Unit::record, Population::train, [&](const UnitRows& rows) {
      record_keys_.push_back(unit_key(merchant, Unit::record, Population::train, rows));
    });
  }
}

WorkerHooks LocalWork::hooks() {
  return {.session_ready = [this](const SessionView& session) { session_ready(session); },
          .permit = [this](std::span<const std::string> lines,
                           std::span<const std::uint32_t> merchants) { return permit(lines, merchants); },
          .recall = [this](std::uint64_t size, const Digest& tip) { return recall(size, tip); },
          .accept_round = [this](const StartView& start) { return accept_round(start); },
          .prepare = [this](std::uint32_t merchant, const Seal& seal) { return prepare(merchant, seal); },
          .round_ended = [this](ByteView payload, bool released) { round_ended(payload, released); }};
}

void LocalWork::session_ready(const SessionView& session) {
  merchants_ = static_cast<std::uint32_t>(session.names.size());
  for (MerchantRows& merchant : data_.merchants) {
    const auto place = std::lower_bound(session.names.begin(), session.names.end(), merchant.name);
    check(place != session.names.end() && *place == merchant.name, "a hosted merchant is in the roster");
    merchant.id = static_cast<std::uint32_t>(place - session.names.begin());
  }
  plan_.emplace(configuration_, space_, data_.kind, merchants_);
  past_.clear();  // The coordinator of a new session knows nothing of earlier rows either.
  task_ = std::make_unique<Task>(configuration_, space_, data_.kind, merchants_,
                                 plan_->noise_multiplier(Purpose::statistics),
                                 plan_->noise_multiplier(Purpose::update));
}

/// Budget and policy are asked by the copy of the ledger, line by line. An intent that they forbid is kept and not signed: the
/// round goes on without the merchants here, and the next one may be another matter.
Result<HeadToSign> LocalWork::permit(std::span<const std::string> lines,
                                     std::span<const std::uint32_t> merchants) {
  try {
    if (auto error = take_lines(lines)) {
      return *error;
    }
  } catch (const Failure& failure) {
    return forget_ledger(failure);
  }
  const LedgerState& state = ledger_->state();
  if (merchants.empty()) {
    return HeadToSign{};
  }
  if (state.empty() || !state.awaits_head()) {
    return Error{"a signature is asked for where the ledger has nothing new to agree to"};
  }
  if (const auto refusal = ledger_->refusal()) {
    return *refusal;
  }
  if (const auto& open = state.open_intent(); open && !std::ranges::includes(open->invited, merchants)) {
    return Error{"a merchant is asked to permit a round that it is not invited to"};
  }
  return HeadToSign{.size = state.tree().size(), .root = state.tree().root(), .text = state.to_cosign()};
}

Result<std::vector<std::string>> LocalWork::recall(std::uint64_t size, const Digest& tip) {
  try {
    const LedgerState& state = ledger().state();
    if (size > 0 && size <= state.next_seq() && state.line_hash(size - 1) != tip) {
      return Error{"the ledger forks: line " + std::to_string(size) +
                   " is not the one that merchants were shown before"};
    }
    return ledger_->lines_from(size);
  } catch (const Failure& failure) {
    return forget_ledger(failure);
  }
}

Result<SumParameters> LocalWork::accept_round(const StartView& start) {
  try {
    return check_round(start);
  } catch (const Failure& failure) {
    return forget_ledger(failure);
  }
}

/// This worker's disk failed: the round goes on without its merchants. What is not on the disk is not kept in memory
/// either; the next use reads the files again.
Error LocalWork::forget_ledger(const Failure& failure) {
  ledger_.reset();
  return Error{failure.what()};
}

Result<SumParameters> LocalWork::check_round(const StartView& start) {
  Result<RoundPayload> payload = decode_round_payload(start.payload);
  if (!payload) {
    return payload.error();
  }
  // The intent and the signatures that permit it are on this worker's own disk before data is touched.
  if (auto error = take_lines(payload->ledger_lines)) {
    return *error;
  }
  const Result<Intent> intent = permitted_intent(start);
  if (!intent) {
    return intent.error();
  }
  if (intent->model != digest_of(payload->preparation, payload->model)) {
    return Error{"the intent is about another model"};
  }
  seen_ = intent->model;
  model_ = task_->prepared(payload->preparation) ? std::move(payload->model) : payload->preparation;
  if (auto error = choose_sum(*intent, payload->preparation)) {
    return *error;
  }
  if (auto error = compare(*intent, start.parameters)) {
    return *error;
  }
  parameters_ = start.parameters;
  sampling_rate_ = intent->sampling_rate;
  row_ = intent->row;
  contributor_ = workload_->contributor(model_, sum_);
  return parameters_;
}

LedgerCopy& LocalWork::ledger() {
  if (!ledger_) {
    ledger_.emplace(run_directory(configuration_), hosted_, configuration_.policy, coordinator_,
                    configuration_.privacy.previous_ledgers);
  }
  return *ledger_;
}

std::optional<Error> LocalWork::take_lines(std::span<const std::string> lines) {
  LedgerCopy& copy = ledger();
  for (const std::string& line : lines) {
    // Before it is kept: a plan that is on the disk is one that this worker agrees to.
    if (const Result<Record> told = decode_record(line);
        told && std::holds_alternative<Plan>(told->payload)) {
      if (auto error = plan_->differs(std::get<Plan>(told->payload))) {
        return error;
      }
    }
    if (const Result<Record> record = copy.accept(line); !record) {
      return record.error();
    }
  }
  // One that was there before this worker started may be of another configuration.
  return ledger_->state().empty() ? std::nullopt : plan_->differs(ledger_->state().plan());
}

/// The one intent that no release has answered: an old one, sent again, buys no second sum. All that take part have
/// permitted it, and the proof is on this worker's own disk.
Result<Intent> LocalWork::permitted_intent(const StartView& start) const {
  const LedgerState& state = ledger_->state();
  const std::optional<Intent>& open = state.open_intent();
  if (!open) {
    return Error{"a round came without a new intent in the ledger"};
  }
  if (const auto refusal = ledger_->refusal()) {
    return *refusal;
  }
  if (open->round != start.round) {
    return Error{"the intent is of round " + std::to_string(open->round) + ", not of round " +
                 std::to_string(start.round)};
  }
  if (!std::ranges::includes(state.permitted_by(), start.participants)) {
    return Error{"the round came before its intent was signed by all who take part"};
  }
  return *open;
}

/// What is told of the data must come from private sums that the ledger shows as released: nobody skips the count of who
/// has an item, or starts from statistics of its own.
std::optional<Error> LocalWork::check_statistics(const Model& preparation) const {
  Model told = task_->preparation().initial_model(configuration_.federation.seed);
  if (preparation.parameters.size() != told.parameters.size()) {
    return Error{"the statistics have another shape than this worker's configuration gives"};
  }
  for (; told.step < preparation.step; ++told.step) {
    const std::optional<PrivateSum> sum = task_->preparation().next_sum(told);
    if (!sum || !ledger_->state().has_released(sum->name)) {
      return Error{sum ? "the statistics claim to know '" + sum->name +
                             "', a sum that the ledger does not show as released"
                       : "the statistics claim more sums than there are"};
    }
  }
  return std::nullopt;
}

/// Finds the sum that the public model asks for by this worker's own configuration; encodes the data when it
/// is time.
std::optional<Error> LocalWork::choose_sum(const Intent& intent, const Model& preparation) {
  if (auto error = check_statistics(preparation)) {
    return error;
  }
  workload_ = &task_->preparation();
  if (task_->prepared(preparation)) {
    const Digest digest = digest_of(preparation, {});
    if (!training_) {
      const Encoding encoding = task_->preparation().encoding(preparation);
      if (!(encoding.train_rows >= 1) ||
          !std::ranges::all_of(encoding.deviation, [](double deviation) { return deviation > 0; })) {
        return Error{"the statistics are none that the data could be encoded by"};
      }
      training_ = task_->training(preparation);
      encode(data_, encoding);
      encoded_as_ = digest;
    }
    if (digest != encoded_as_) {
      return Error{"the statistics changed after the data was encoded by them"};
    }
    workload_ = training_.get();
    if (model_.parameters.size() !=
        training_->initial_model(configuration_.federation.seed).parameters.size()) {
      return Error{"the model has another shape than this worker's configuration gives"};
    }
  }
  const auto sum =
      intent.purpose == Purpose::evaluation ? workload_->evaluation_sum(model_) : workload_->next_sum(model_);
  if (!sum || sum->name != intent.name || sum->purpose != intent.purpose ||
      sum->population != intent.population) {
    return Error{"the sum '" + intent.name + "' is not the one this model asks for"};
  }
  sum_ = *sum;
  return std::nullopt;
}

/// The parameters must be those of the intent, and those that this worker derives itself.
std::optional<Error> LocalWork::compare(const Intent& intent, const SumParameters& claimed) const {
  if (!(intent.parameters == claimed)) {
    return Error{"the round has other parameters than its intent"};
  }
  if (intent.sampling_rate != plan_->sampling_rate(sum_.purpose)) {
    return Error{"the round has another sampling rate than this worker's configuration gives"};
  }
  return plan_->differs(claimed, *workload_, sum_);
}

SealedSum LocalWork::prepare(std::uint32_t merchant, const Seal& seal) {
  const auto rows =
      std::find_if(data_.merchants.begin(), data_.merchants.end(),
                   [merchant](const MerchantRows& candidate) { return candidate.id == merchant; });
  check(rows != data_.merchants.end(), "a round prepares merchants that this worker hosts");
  const RungKey* top = seal.surplus();
  NoiseShare noise = top != nullptr ? NoiseShare::draw(parameters_, plan_->collusion(), *top, random_)
                                    : NoiseShare::draw(parameters_, random_);  // before data is touched
  if (!row_) {
    return hanse::prepare(units_of(*rows), parameters_, std::move(noise), seal);
  }
  const RowOfRun place{.row = *row_,
                       .past = past_.try_emplace(merchant, plan_->coefficients()).first->second};
  return hanse::prepare(units_of(*rows), parameters_, std::move(noise), seal, &place);
}

/// Where units take turns, each has its own by who it is, at all its merchants in the same rows.
bool LocalWork::has_turn(const MerchantRows& merchant, Unit unit, const UnitRows& rows) const {
  if (!row_) {
    return true;
  }
  const auto turns = static_cast<std::uint32_t>(plan_->coefficients().size());
  const bool by_content = unit == Unit::record || (is_customer(unit) && merchant.customer_keys.empty());
  const std::uint64_t key =
      by_content ? record_keys_.at(rows.train.index(0)) : unit_key(merchant, unit, Population::train, rows);
  return turn_of(configuration_.federation.seed, key, turns) == *row_ % turns;
}

/// The merchant's units that take part: all, or those whose turn it is, or each by its own coin. Coins are secret where they amplify
/// privacy, and a function of (seed, round, merchant) where nothing is private.
UnitSource LocalWork::units_of(const MerchantRows& merchant) {
  return [this, &merchant](const auto& take) {
    const Unit unit = summed_unit(*workload_, sum_, configuration_.privacy.unit);
    const bool secret = configuration_.privacy.unit != Unit::none;
    // By the model's step: a round that is tried again, or again after a restart, has the same units.
    SeededGenerator public_coins({configuration_.federation.seed, model_.step, merchant.id, 0x636F696E});
    SamplingCoins secret_coins(sampling_rate_, random_);
    Contribution contribution;
    for_each_unit(data_, merchant, unit, sum_.population, [&](const UnitRows& rows) {
      const bool taken = sampling_rate_ >= 1 ? has_turn(merchant, unit, rows)
                         : secret            ? secret_coins.next_takes_part()
                                             : takes_part(sampling_rate_, public_coins());
      if (!taken) {
        return;
      }
      contribution.clear();
      contributor_(rows, contribution);
      take(contribution);
    });
  };
}

std::optional<std::string> LocalWork::keep_own_parts() {
  const auto wished = configuration_.workload.other.find("own");
  if (wished == configuration_.workload.other.end() || wished->second == "none") {
    return std::nullopt;
  }
  if (!training_ || workload_ != training_.get() || ledger().state().model() != seen_) {
    return "no own part is fitted, because the final model was not seen here: a run with data.test evaluates "
           "it last";
  }
  for (const MerchantRows& merchant : data_.merchants) {
    const UnitRows rows{.train = Rows(data_.train, merchant.train_begin, merchant.train_end),
                        .test = Rows(data_.test, merchant.test_begin, merchant.test_end),
                        .merchant = merchant.id};
    if (const auto result = training_->own_part(model_, rows)) {
      write_own_part(
          run_directory(configuration_) / "merchants" / merchant_folder(merchant.name) / "own.json", merchant,
          wished->second, data_.space.names, *result);
    }
  }
  return std::nullopt;
}

void LocalWork::round_ended(ByteView payload, bool released) {
  if (!released) {
    return;
  }
  try {
    // A release that does not fit is met again with the next round's lines, and they are refused.
    (void)take_lines(std::array{std::string(text_of(payload))});
  } catch (const Failure& failure) {
    (void)forget_ledger(failure);
  }
}

}  // namespace hanse
