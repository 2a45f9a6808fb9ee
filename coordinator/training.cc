#include "coordinator/training.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

#include "common/base/clock.h"
#include "common/base/interrupted.h"
#include "common/base/seeded_generator.h"
#include "common/workloads/figure_tables.h"
#include "coordinator/output/expected_cost.h"
#include "coordinator/start_model.h"
#include "privacy/encrypted_total.h"
#include "privacy/protocol/round_payload.h"

namespace hanse {
namespace {

/// Failed rounds in a row that nobody could be blamed for before the quorum counts as lost, and failed rounds
/// in a row at all: more than that, and the merchants leave the session by themselves.
constexpr int kAttempts = 3;
constexpr int kAttemptsMax = 8;

Digest digest_of_entries(const std::vector<std::int64_t>& entries) {
  return sha256(std::as_bytes(std::span(entries)));
}

}  // namespace

Training::Training(const Configuration& configuration, FeatureSpace space, RowKind kind,
                   Federation& federation, LedgerWriter& ledger, SignedLedger& signed_ledger,
                   const Clock& clock, TrainingView view)
    : configuration_(configuration),
      space_(std::move(space)),
      kind_(kind),
      federation_(federation),
      ledger_(ledger),
      signed_ledger_(signed_ledger),
      clock_(clock),
      view_(std::move(view)),
      merchants_(static_cast<std::uint32_t>(federation.session().names().size())),
      plan_(configuration, space_, kind, merchants_),
      task_(configuration, space_, kind, merchants_, plan_.noise_multiplier(Purpose::statistics),
            plan_.noise_multiplier(Purpose::update)),
      round_(ledger.state().last_round()),
      attendance_(federation.session().hosts()),
      began_(clock.now()) {
  preparation_ = task_.preparation().initial_model(configuration.federation.seed);
}

void Training::go_on(const Checkpoint& checkpoint) {
  const auto same_shape = [](const Model& a, const Model& b) {
    return a.parameters.size() == b.parameters.size() && a.server_state.size() == b.server_state.size();
  };
  bool fits = same_shape(checkpoint.preparation, preparation_);
  if (fits) {
    preparation_ = checkpoint.preparation;
    begin_training_when_prepared(Start::from_checkpoint);
    fits = same_shape(checkpoint.model, model_);
  }
  if (!fits || checkpoint.training_rounds > configuration_.federation.rounds) {
    throw Failure(ExitCode::could_not_finish,
                  "the checkpoint holds models of another shape than this run's: it was written by another "
                  "Hanse; continue with that one");
  }
  model_ = checkpoint.model;
  sums_ = checkpoint.sums;
  training_round_ = checkpoint.training_rounds;
  round_open_ = checkpoint.round_open;
  figures_ = checkpoint.figures;
  evaluation_ = checkpoint.evaluation;
  last_included_ = checkpoint.included;
  seconds_before_ = checkpoint.seconds;
}

double Training::seconds() const {
  return seconds_before_ + static_cast<double>((clock_.now() - began_).count()) / 1000;
}

void Training::save() const {
  view_.checkpoint({.configuration = ledger_.state().plan().configuration,
                    .ledger_lines = ledger_.state().next_seq(),
                    .ledger_tip = ledger_.state().tip(),
                    .preparation = preparation_,
                    .model = model_,
                    .sums = sums_,
                    .training_rounds = training_round_,
                    .round_open = round_open_,
                    .figures = figures_,
                    .evaluation = evaluation_,
                    .included = last_included_,
                    .seconds = seconds()});
}

void Training::save_when_due() const {
  if (training_round_ % configuration_.federation.checkpoint_every == 0 || training_round_ == rounds_) {
    save();
  }
}

namespace {

/// What the model says, and behind it what its last evaluation does.
Insights with_tables(Insights insights, const Metrics& figures) {
  Insights tables = figure_tables(figures);
  std::ranges::move(tables.sentences, std::back_inserter(insights.sentences));
  std::ranges::move(tables.tables, std::back_inserter(insights.tables));
  return insights;
}

}  // namespace

TrainingResult Training::run() {
  if (ledger_.state().heads() == 0) {
    signed_ledger_.sign_plan();
  }
  prepare_data();
  if (stopped_.empty()) {
    train();
  }
  if (training_round_ == 0) {
    throw Failure(ExitCode::could_not_finish, "the run ended before its first round: " + stopped_);
  }
  return {.preparation = preparation_,
          .model = model_,
          .encoding = task_.preparation().encoding(preparation_),
          .arrays = workload_->arrays(model_),
          .insights = with_tables(all_insights(), figures_),
          .figures = published_figures(),
          .rounds = training_round_,
          .stopped = stopped_};
}

void Training::prepare_data() {
  while (const auto sum = task_.preparation().next_sum(preparation_)) {
    if (!run_sum(task_.preparation(), preparation_, *sum)) {
      return;
    }
    save();
  }
}

/// The model to train exists from the release of the last statistic on, so that the ledger knows it.
void Training::begin_training_when_prepared(Start start) {
  if (!workload_ && task_.prepared(preparation_)) {
    workload_ = task_.training(preparation_);
    model_ = workload_->initial_model(configuration_.federation.seed);
    if (start == Start::fresh) {
      if (const auto saved = read_start_model(configuration_)) {
        workload_->start_from(*saved, model_);
      }
    }
    rounds_ = training_rounds(configuration_, *workload_);
  }
}

/// Before the first round, when the statistics have told how many parameters there are and how long a sum takes.
void Training::tell_expected_cost() {
  const auto sum = workload_->next_sum(model_);
  if (!sum || training_round_ >= rounds_) {
    return;
  }
  const CoordinatorSession& session = federation_.session();
  const SumParameters parameters = plan_.parameters(*workload_, *sum);
  ExpectedCost cost;
  cost.parameters = model_.parameters.size();
  cost.entries = parameters.length;
  cost.entry_bytes = static_cast<std::uint64_t>(parameters.ring) / 8;
  cost.payload_bytes = payload().size();
  cost.merchants = merchants_;
  cost.workers = session.workers();
  cost.server_values = model_.server_state.size();
  if (configuration_.privacy.correlated_noise != "none") {
    cost.past_rows = configuration_.privacy.turns - 1;
  }
  cost.rounds = rounds_ - training_round_;
  for (const auto& neighbours : session.neighbours()) {
    cost.neighbours = std::max<std::uint64_t>(cost.neighbours, neighbours.size());
  }
  if (session.encryptor() != nullptr) {
    cost.ciphertext_bytes = encrypted_size(parameters, session.encryptor()->key().size());
  }
  cost.sums = cost.rounds;
  for (std::uint64_t round = training_round_ + 1; round <= rounds_; ++round) {
    cost.sums += evaluates_after(configuration_, round, round == rounds_) ? 1u : 0u;
  }
  if (sums_ > 0 && seconds_before_ == 0) {
    cost.seconds_a_sum = seconds() / static_cast<double>(sums_);
  }
  view_.tell(expected_cost_text(cost));
}

void Training::train() {
  tell_expected_cost();
  if (round_open_) {
    end_round();
  }
  while (training_round_ < rounds_ && stopped_.empty()) {
    const auto sum = workload_->next_sum(model_);
    if (!sum) {
      stopped_ = "the workload is finished";
      return;
    }
    if (!run_sum(*workload_, model_, *sum)) {
      return;
    }
    if (sum->purpose != Purpose::update) {
      save_when_due();  // Statistics of the workload itself: no training round.
      continue;
    }
    ++training_round_;
    round_open_ = true;
    end_round();
  }
}

/// What follows the update: an evaluation, and the line of metrics. A workload that is finished before the last round has the
/// evaluation of that one.
void Training::end_round() {
  const bool last = training_round_ >= rounds_ || !workload_->next_sum(model_);
  const auto evaluation = evaluates_after(configuration_, training_round_, last)
                              ? workload_->evaluation_sum(model_)
                              : std::nullopt;
  if (evaluation) {
    save_when_due();
    run_sum(*workload_, model_, *evaluation);  // Not allowed: the loop ends after this round.
  }
  tell_of_round();
  round_open_ = false;
  save_when_due();
}

bool Training::run_sum(const Workload& workload, Model& model, const PrivateSum& sum) {
  // A failure that shows who is at fault is no reason to give up, but there is an end to it.
  for (int failures = 0, tried = 0; failures < kAttempts && tried < kAttemptsMax; ++tried) {
    check_quorum();

    // 1. Parameters, and the budget before anything else.
    const Invitation invitation =
        next_ ? *std::exchange(next_, {}) : invite(round_ + 1, sums_, static_cast<std::uint64_t>(tried));
    round_ = invitation.round;
    const std::vector<std::uint32_t> invited = invitation.invited.ids();
    Intent intent{.round = round_,
                  .name = sum.name,
                  .purpose = sum.purpose,
                  .population = sum.population,
                  .parameters = plan_.parameters(workload, sum),
                  .row = plan_.row(sum.purpose, ledger_.state().rows()),
                  .sampling_rate = plan_.sampling_rate(sum.purpose),
                  .model = model_digest(),
                  .invited = invited,
                  .unix_time = unix_seconds()};
    const Result<double> allowed = ledger_.state().would_allow(intent);
    if (!allowed) {
      const double budget = configuration_.privacy.epsilon;
      if (budget <= 0 || ledger_.state().epsilon_if(intent) <= budget) {
        throw Failure(ExitCode::could_not_finish,
                      allowed.what());  // Not the budget: the ledger itself objects.
      }
      stopped_ = allowed.what();
      view_.note("round " + std::to_string(round_) + " does not take place: " + stopped_);
      return false;
    }

    // 2. The intent is on disk before any merchant hears of it.
    ledger_.write(intent);

    // 3. Who permits it has signed it, and the signatures are on disk, before anyone is asked for anything.
    federation_.be_patient(std::ranges::any_of(
        invited, [&](std::uint32_t merchant) { return attendance_.stays_away(merchant); }));
    const auto permitted = signed_ledger_.sign_intent(invited);
    record_refusals();
    if (!permitted) {
      view_.note("round " + std::to_string(round_) + " (" + sum.name + ") failed: " + permitted.what());
      ledger_.abort_open(permitted.what());
      ++failures;
      continue;
    }

    // 4. The federation adds it up, and hears who is invited next.
    const Invitation next = invite(round_ + 1, sums_ + 1, 0);
    const CoordinatorRound round = federation_.run({.round = round_,
                                                    .parameters = intent.parameters,
                                                    .payload = payload(),
                                                    .merchants = invited,
                                                    .absent = absent(invitation, *permitted),
                                                    .next = next,
                                                    .collusion = plan_.collusion()},
                                                   sum.name);
    const bool found_culprits = record_attendance(round);
    if (const RoundFailure* failure = round.failed()) {
      view_.note("round " + std::to_string(round_) + " (" + sum.name + ") failed: " + failure->sentence);
      ledger_.abort_open(failure->sentence);
      federation_.announce(round, {});
      round_ = next.round;  // Some may have dealt for it: a number is never used twice.
      failures += found_culprits ? 0 : 1;
      continue;
    }
    next_ = next;

    // 5. The sum moves the model, or tells how good it is.
    const OpenedSum& opened = *round.summed();
    for (const std::uint32_t merchant : opened.merchants) {
      signed_ledger_.knows_all(federation_.session().hosts()[merchant]);
    }
    last_included_ = static_cast<std::uint32_t>(opened.merchants.size());
    std::vector<double> total = decoded(intent, opened);
    for (const auto& [name, value] : workload.apply(model, sum, total)) {
      if (sum.purpose != Purpose::statistics) {  // What is known of the data is no measure of the model.
        figures_[name] = value;
      }
    }
    if (sum.purpose == Purpose::evaluation) {
      evaluation_ = std::move(total);
    }
    begin_training_when_prepared(Start::fresh);
    if (!std::ranges::all_of(model.parameters, [](double parameter) { return std::isfinite(parameter); })) {
      throw Failure(ExitCode::could_not_finish,
                    "training diverged in round " + std::to_string(round_) + ": lower server.learning_rate");
    }

    ++sums_;

    // 6. The release is on disk before any merchant hears of it.
    Release release{.round = round_,
                    .status = Release::Status::released,
                    .merchants = opened.merchants,
                    .opened = digest_of_entries(opened.entries),
                    .model = model_digest(),
                    .reason = ""};
    if (const SurplusRemoval* surplus = round.surplus()) {
      release.surplus = *surplus;
    }
    const std::string& line = ledger_.write(std::move(release));
    federation_.announce(round, bytes_of(line));
    return true;
  }
  end_without_quorum("the last rounds in a row failed, see log.txt for who and why");
}

/// What the opened sum says of this round's units, in the contribution's own scale: itself, or where it has parts of earlier
/// sums in it, what is left without them. Post-processing: nothing here is told to anyone else or asked of data.
std::vector<double> Training::decoded(const Intent& intent, const OpenedSum& opened) {
  if (!intent.row) {
    return opened.values(intent.parameters);
  }
  if (!decoder_) {
    decoder_.emplace(plan_.coefficients());
  }
  return decoder_->values(*intent.row, opened, intent.parameters);
}

void Training::check_quorum() const {
  std::size_t there = 0;
  for (const Peer host : federation_.session().hosts()) {
    there += federation_.lost().contains(host) ? std::size_t{0} : std::size_t{1};
  }
  if (there < plan_.shares_min()) {
    end_without_quorum("too few merchants are left");
  }
}

/// With the failure of the worker that left, if one did: its user can mend it.
void Training::end_without_quorum(const std::string& why) const {
  save();
  if (!federation_.lost().empty()) {
    throw Failure(federation_.lost().begin()->second);
  }
  throw Interrupted("the quorum is lost: " + why);
}

std::set<Peer> Training::lost_workers() const {
  std::set<Peer> workers;
  for (const auto& [worker, failure] : federation_.lost()) {
    workers.insert(worker);
  }
  return workers;
}

/// All merchants worth inviting, or a cohort of them drawn from (seed, sums before this one, failed attempts at it): the
/// same after a restart.
Invitation Training::invite(std::uint64_t round, std::uint64_t sum, std::uint64_t attempt) const {
  std::vector<std::uint32_t> invited = attendance_.invited(round, lost_workers());
  if (invited.size() < plan_.shares_min()) {
    invited = attendance_.all(lost_workers());  // Fewer than a sum needs: no reason to leave anyone out.
  }
  const auto wanted = static_cast<std::size_t>(std::ceil(configuration_.federation.cohort * merchants_));
  if (wanted < invited.size()) {
    // Probes are not part of the draw: they are few, and it would miss most.
    const auto away = std::stable_partition(invited.begin(), invited.end(), [&](std::uint32_t merchant) {
      return !attendance_.stays_away(merchant);
    });
    const std::vector<std::uint32_t> probes(away, invited.end());
    invited.erase(away, invited.end());
    SeededGenerator generator({configuration_.federation.seed, sum, attempt, 0x636F686F7274});
    const std::size_t drawn = std::min(wanted, invited.size());
    draw_to_front(std::span(invited), drawn, generator);
    invited.resize(drawn);
    invited.insert(invited.end(), probes.begin(), probes.end());
  }
  return {round, MerchantSet::of(merchants_, invited)};
}

/// Invited, and nothing is asked of them: they did not permit the round, or were invited a round ago and would not be
/// now. As long as the others are enough, none of the latter is waited for.
std::vector<std::uint32_t> Training::absent(const Invitation& invitation,
                                            const std::vector<std::uint32_t>& permitted) const {
  const std::vector<std::uint32_t> worth_inviting = attendance_.invited(invitation.round, lost_workers());
  std::vector<std::uint32_t> unwilling;
  std::vector<std::uint32_t> all;
  for (const std::uint32_t merchant : invitation.invited.ids()) {
    const bool willing = std::ranges::binary_search(permitted, merchant);
    if (!willing || federation_.lost().contains(federation_.session().hosts()[merchant])) {
      unwilling.push_back(merchant);
    }
    if (!willing || !std::ranges::binary_search(worth_inviting, merchant)) {
      all.push_back(merchant);
    }
  }
  return invitation.invited.count() - all.size() >= plan_.shares_min() ? all : unwilling;
}

/// A worker none of whose merchants answered in time, named once with them.
void Training::note_silence(const std::vector<DroppedMerchant>& dropped) {
  const CoordinatorSession& session = federation_.session();
  std::map<Peer, std::vector<std::uint32_t>> missing;
  for (const DroppedMerchant& one : dropped) {
    if (one.reason == Refusal::deadline) {
      missing[session.hosts()[one.merchant]].push_back(one.merchant);
    }
  }
  for (const auto& [worker, merchants] : missing) {
    const auto hosted = std::ranges::count(session.hosts(), worker);
    if (hosted == static_cast<std::ptrdiff_t>(merchants.size()) && silent_.insert(worker).second) {
      std::string names;
      for (const std::uint32_t merchant : merchants) {
        names += (names.empty() ? "" : ", ") + session.names()[merchant];
      }
      view_.note("worker " + std::to_string(worker) + " gave no sign of life in round " +
                 std::to_string(round_) + ", and with it are missing: " + names +
                 "; the run goes on while enough are left");
    }
  }
}

/// Merchants that did not permit the round missed it.
void Training::record_refusals() {
  note_silence(signed_ledger_.refused());
  for (const DroppedMerchant& refused : signed_ledger_.refused()) {
    attendance_.missed(refused.merchant);
    view_.note("merchant " + federation_.session().names()[refused.merchant] + " is not in round " +
               std::to_string(round_) + ": " + refused.sentence);
  }
}

std::vector<std::uint32_t> Training::present() const {
  std::vector<std::uint32_t> present = attendance_.all(lost_workers());
  std::erase_if(present, [&](std::uint32_t merchant) { return !attendance_.is_present(merchant); });
  return present;
}

/// True when someone was found at fault who was not before.
bool Training::record_attendance(const CoordinatorRound& round) {
  const std::vector<std::string>& names = federation_.session().names();
  const Verdict verdict = round.verdict();
  std::vector<bool> spoiled(merchants_, false);
  bool found = false;
  for (const Culprit& culprit : verdict.culprits) {
    spoiled[culprit.merchant] = true;
    found = attendance_.at_fault(culprit.merchant) || found;
    view_.note("round " + std::to_string(round_) + ": " + culprit.sentence);
  }
  for (const std::uint32_t merchant : verdict.missed) {
    spoiled[merchant] = true;
    attendance_.missed(merchant);
  }
  for (const std::uint32_t merchant :
       round.summed() ? round.summed()->merchants : std::vector<std::uint32_t>{}) {
    if (!spoiled[merchant]) {
      attendance_.took_part(merchant);
    }
    if (silent_.erase(federation_.session().hosts()[merchant]) > 0) {
      view_.note("worker " + std::to_string(federation_.session().hosts()[merchant]) + " is back in round " +
                 std::to_string(round_));
    }
  }
  note_silence(round.dropped());
  for (const DroppedMerchant& dropped : round.dropped()) {
    view_.note("merchant " + names[dropped.merchant] + " is not in round " + std::to_string(round_) + ": " +
               dropped.sentence);
  }
  return found;
}

/// The models, and the signatures that permit the sum. All lines before are with those who signed.
Bytes Training::payload() const {
  return encode(
      RoundPayload{.ledger_lines = {ledger_.last_line()}, .preparation = preparation_, .model = model_});
}

Digest Training::model_digest() const {
  return digest_of(preparation_, model_);
}

/// The figures of rounds; what the statistics told stays out.
Metrics Training::published_figures() const {
  Metrics figures;
  for (const auto& [name, value] : figures_) {
    if (!is_detail(name) && (name.starts_with("train_loss") || name.starts_with("test_"))) {
      figures[name] = value;
    }
  }
  return figures;
}

Insights Training::all_insights() const {
  Insights insights = workload_->insights(model_);
  const auto sum = workload_->evaluation_sum(model_);
  if (sum && sum->length == evaluation_.size()) {
    insights.append(workload_->evaluation_insights(
        *sum, evaluation_, plan_.noise_multiplier(Purpose::evaluation) * sum->clip_norm));
  }
  return insights;
}

void Training::tell_of_round() {
  const bool is_private = configuration_.privacy.unit != Unit::none;
  const double epsilon = ledger_.state().epsilon_spent();
  const std::uint64_t bytes = federation_.bytes_moved();
  RoundMetrics metrics{.round = training_round_,
                       .seconds = seconds(),
                       .merchants = last_included_,
                       .figures = published_figures(),
                       .epsilon = is_private ? std::optional(epsilon) : std::nullopt,
                       .delta = is_private ? std::optional(configuration_.privacy.delta) : std::nullopt,
                       .bytes_sent = bytes - bytes_before_};
  bytes_before_ = bytes;
  view_.round_done(metrics);
  view_.progress({.round = training_round_,
                  .rounds = rounds_,
                  .merchants = last_included_,
                  .merchants_all = merchants_,
                  .figures = metrics.figures,
                  .epsilon = metrics.epsilon,
                  .budget = configuration_.privacy.epsilon > 0 ? std::optional(configuration_.privacy.epsilon)
                                                               : std::nullopt,
                  .seconds = metrics.seconds});
}

}  // namespace hanse
