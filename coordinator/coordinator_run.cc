#include "coordinator/coordinator_run.h"

#include <ctime>
#include <utility>

#include "common/base/durable_file.h"
#include "common/data/feature_space.h"
#include "coordinator/federation.h"
#include "coordinator/output/metrics_log.h"
#include "coordinator/output/model_file.h"
#include "coordinator/run_files.h"
#include "coordinator/training.h"
#include "privacy/ledger/earlier_ledgers.h"
#include "privacy/ledger/model_certificate.h"
#include "privacy/protocol/messages.h"
#include "privacy/protocol/round_payload.h"
#include "privacy/secure_sum/roster.h"

namespace hanse {
namespace {

SessionOptions session_options(const Configuration& configuration, const std::optional<SignedRoster>& roster,
                               Peer peers) {
  const Encryption encryption = encryption_named(configuration.aggregation.encryption);
  const bool arbiter = encryption == Encryption::paillier;
  return {.workers = peers - (arbiter ? 1 : 0),
          .encryption = encryption,
          .tree = configuration.aggregation.topology == "tree",
          .remove_surplus = configuration.privacy.remove_surplus_noise,
          .graph = graph_wishes(configuration),
          .plan = sha256(bytes_of(shared_text(configuration))),
          .identities = roster ? roster->identities() : std::map<std::string, PublicKey>{},
          .paillier = arbiter ? PaillierSize::of(configuration.aggregation.paillier_bits) : std::nullopt,
          .arbiter = roster ? roster->arbiter : std::nullopt};
}

Plan plan_of(const Configuration& configuration, const FeatureSpace& space, const CoordinatorSession& session,
             SecureRandom& random) {
  const auto merchants = static_cast<std::uint32_t>(session.names().size());
  Plan plan;
  ReleasePlan(configuration, space, row_kind(configuration), merchants).describe(plan);
  plan.run_id = fresh_run_id(random);
  plan.pinned = !configuration.aggregation.roster.empty();
  plan.software = HANSE_VERSION;
  plan.unix_time = static_cast<std::uint64_t>(std::time(nullptr));
  const std::vector<PublicKey> identities = session.identities();
  for (std::uint32_t id = 0; id < merchants; ++id) {
    plan.merchants.push_back({session.names()[id], identities[id]});
  }
  return plan;
}

/// The earlier ledgers as this coordinator has them.
std::vector<LedgerState> earlier_ledgers(const Configuration& configuration) {
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path run : configuration.privacy.previous_ledgers) {
    files.push_back(std::filesystem::is_directory(run) ? run / "ledger.jsonl" : run);
  }
  auto earlier = read_earlier(files);
  if (!earlier) {
    throw bad_input("privacy.previous_ledgers: " + earlier.what());
  }
  return std::move(*earlier);
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    text += (text.empty() ? "" : ", ") + item;
  }
  return text;
}

std::vector<double> to_doubles(const std::vector<std::uint32_t>& values) {
  return {values.begin(), values.end()};
}

std::string privacy_sentence(const Configuration& configuration, const LedgerState& ledger) {
  if (configuration.privacy.unit == Unit::none) {
    const bool counted = configuration.privacy.min_contributors > 1;
    return std::string("Nothing is private: privacy.unit = none.") +
           (counted ? "" : " What a single merchant has is in it too: privacy.min_contributors = 1.");
  }
  char numbers[96];
  std::snprintf(numbers, sizeof numbers, "epsilon = %.6g at delta = %.3g", ledger.epsilon_spent(),
                configuration.privacy.delta);
  return std::string(numbers) + ", unit " + std::string(name_of(configuration.privacy.unit)) +
         ", adjacency zero-out, towards coordinator and model users who do not collude with merchants.";
}

PublishedModel published(const Configuration& configuration, const TrainingResult& result,
                         const LedgerState& ledger) {
  return {
      .workload = configuration.workload.name,
      .step = result.model.step,
      .arrays = result.arrays,
      .encoding = {{"mean", {result.encoding.mean.size()}, result.encoding.mean},
                   {"deviation", {result.encoding.deviation.size()}, result.encoding.deviation},
                   {"column_of", {result.encoding.column_of.size()}, to_doubles(result.encoding.column_of)}},
      .columns = result.encoding.names,
      .facts = {{"data.format", configuration.data.format},
                {"data.numeric", joined(configuration.data.numeric)},
                {"data.categorical", joined(configuration.data.categorical)},
                {"data.item", configuration.data.format == "ratings" ? configuration.data.item : ""},
                {"ledger_model", hex(digest_of(result.preparation, result.model))}},
      .privacy = privacy_sentence(configuration, ledger)};
}

}  // namespace

RunSummary run_coordinator(const Configuration& configuration, Channel& channel, const Clock& clock,
                           SecureRandom& random, Progress& progress) {
  const std::filesystem::path folder = run_directory(configuration);
  const FeatureSpace space = feature_space(configuration);
  const std::optional<SignedRoster> roster = roster_of(configuration);
  const SigningKey identity =
      roster ? load_coordinator_key(configuration.aggregation.keys, *roster) : SigningKey::generate(random);
  std::optional<RunLog> log;  // Once there is a run directory.
  const auto note = [&](std::string_view sentence) {
    if (log) {
      log->note(sentence);
    }
    progress.note(sentence);
  };

  // 1. The session. A worker's bad input ends here, before anything is written.
  Federation federation(
      channel, clock,
      CoordinatorSession(session_options(configuration, roster, channel.size() - 1), identity, random),
      Milliseconds{configuration.federation.deadline_ms}, note);
  federation.assemble();

  try {
    // 2. The plan, then the run directory: a plan that cannot be made leaves none.
    Plan plan = plan_of(configuration, space, federation.session(), random);
    std::optional<Digest> previous;
    if (const std::vector<LedgerState> earlier = earlier_ledgers(configuration); !earlier.empty()) {
      plan.previous = earlier.front().plan().run_id;
      previous = earlier.front().tip();
    }
    create_run_directory(folder, configuration);
    log.emplace(folder / "log.txt");
    LedgerWriter ledger =
        LedgerWriter::create(folder / "ledger.jsonl", SigningKey::from_seed(identity.seed().duplicate()),
                             std::move(plan), previous);
    MetricsLog metrics(folder / "metrics.jsonl", 0);

    // 3. Training.
    const Instant began = clock.now();
    SignedLedger signed_ledger(federation, ledger, note);
    Training training(configuration, space, row_kind(configuration), federation, ledger, signed_ledger, clock,
                      {.round_done = [&](const RoundMetrics& round) { metrics.append(round); },
                       .progress = [&](const ProgressState& state) { progress.show(state); },
                       .note = note});
    const TrainingResult result = training.run();

    // 4. The model, and what the run claims of it.
    const PublishedModel model = published(configuration, result, ledger.state());
    const auto files = write_model(folder / "model", model);
    ledger.write(ledger.state().claim_for(*digest_from_hex(model_digest(model))));
    signed_ledger.sign_claim(training.present());
    if (ledger.state().finished()) {
      write_durably(folder / "model" / "certificate.json",
                    encode(certificate_of(ledger.state(), ledger.lines())));
    }
    RunSummary summary{.name = configuration.federation.name,
                       .workload = configuration.workload.name,
                       .merchants = static_cast<std::uint32_t>(federation.session().names().size()),
                       .rounds = result.rounds,
                       .rounds_aborted = ledger.state().aborted(),
                       .seconds = static_cast<double>((clock.now() - began).count()) / 1000,
                       .figures = result.figures,
                       .epsilon = configuration.privacy.unit == Unit::none
                                      ? std::nullopt
                                      : std::optional(ledger.state().epsilon_spent()),
                       .delta = configuration.privacy.delta,
                       .unit = std::string(name_of(configuration.privacy.unit)),
                       .adjacency = "zero-out",
                       .encryption = configuration.aggregation.encryption,
                       .bytes_sent = federation.bytes_moved(),
                       .stopped = result.stopped,
                       .files = {(folder / "ledger.jsonl").string(), (folder / "metrics.jsonl").string()}};
    for (const auto& file : files) {
      summary.files.push_back(file.string());
    }
    federation.stop(ExitCode::done, "");
    return summary;
  } catch (const Failure& failure) {
    if (log) {
      log->note(failure.what());  // The program prints it.
    }
    federation.stop(failure.code(), failure.what());
    throw;
  } catch (const std::exception&) {
    federation.stop(ExitCode::could_not_finish, "the coordinator failed");
    throw;
  }
}

}  // namespace hanse
