#include "coordinator/coordinator_run.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "common/base/durable_file.h"
#include "common/base/interrupted.h"
#include "common/config/model_facts.h"
#include "common/data/feature_space.h"
#include "coordinator/checkpoint.h"
#include "coordinator/federation.h"
#include "coordinator/output/insights_file.h"
#include "coordinator/output/metrics_log.h"
#include "coordinator/run_files.h"
#include "coordinator/training.h"
#include "privacy/ledger/earlier_ledgers.h"
#include "privacy/ledger/model_certificate.h"
#include "privacy/protocol/messages.h"
#include "privacy/protocol/round_payload.h"
#include "privacy/published/model_encoding.h"
#include "privacy/published/model_file.h"
#include "privacy/secure_sum/key_file.h"
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
  plan.unix_time = unix_seconds();
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

// --- a run that is continued ---

using Note = std::function<void(std::string_view)>;

/// Of the roster; or made for this run, and kept in its directory until it is finished.
SigningKey coordinator_key(const Configuration& configuration, const std::optional<SignedRoster>& roster,
                           SecureRandom& random) {
  if (roster) {
    return load_coordinator_key(configuration.aggregation.keys, *roster);
  }
  const std::filesystem::path kept = coordinator_key_file(run_directory(configuration));
  const bool continued = configuration.federation.resume && std::filesystem::exists(kept);
  return continued ? load_key(kept) : SigningKey::generate(random);
}

void keep_coordinator_key(const std::filesystem::path& folder, const SigningKey& identity) {
  const std::filesystem::path file = coordinator_key_file(folder);
  if (std::filesystem::exists(file)) {
    return;
  }
  const std::filesystem::path fresh = file.string() + ".new";
  std::filesystem::remove(fresh);
  save_key(fresh, identity);
  move_durably(fresh, file);  // Before the ledger's first line, which is useless without the key.
}

/// The plan names the merchants' keys: it is written when all workers have said that they have theirs on their disks, or
/// who continues the run could not sign for them. And a merchant whose copy is longer than the coordinator's ledger has
/// seen lines that this disk lost: who begins anew would take them back.
LedgerWriter begin_ledger(const Configuration& configuration, Federation& federation, SigningKey key,
                          Plan plan, const std::optional<Digest>& previous) {
  const std::filesystem::path file = run_directory(configuration) / "ledger.jsonl";
  if (!federation.recall(0, {}).empty()) {
    throw Failure(ExitCode::refused,
                  "merchants have a ledger of this run and the coordinator has none: put a copy of "
                  "merchants/NAME/ledger.jsonl at " +
                      file.string() + " and continue, or begin another run in another output.dir");
  }
  if (configuration.federation.resume) {
    std::filesystem::remove(file);  // At most a first line that was cut short: nobody had been sent it.
  }
  return LedgerWriter::create(file, std::move(key), std::move(plan), previous);
}

void check_same_merchants(const Plan& plan, const CoordinatorSession& session) {
  const std::vector<PublicKey> identities = session.identities();
  for (const LedgerMerchant& merchant : plan.merchants) {
    const auto found = std::ranges::lower_bound(session.names(), merchant.name);
    if (found == session.names().end() || *found != merchant.name) {
      throw bad_input("federation.resume: merchant " + merchant.name +
                      " of the run that is continued is missing");
    }
    if (identities[static_cast<std::size_t>(found - session.names().begin())] != merchant.key) {
      throw Failure(ExitCode::refused, "federation.resume: merchant " + merchant.name +
                                           " joins with another key than the run's plan names: its "
                                           "merchants/NAME/identity.key is not there any more");
    }
  }
  if (plan.merchants.size() != session.names().size()) {
    throw bad_input("federation.resume: " + std::to_string(session.names().size()) +
                    " merchants are there where the run that is continued has " +
                    std::to_string(plan.merchants.size()));
  }
}

/// The ledger verified, and behind its last line those that only merchants still have.
LedgerWriter continue_ledger(const Configuration& configuration, Federation& federation, SigningKey key,
                             const Note& note) {
  LedgerWriter ledger = LedgerWriter::resume(run_directory(configuration) / "ledger.jsonl", std::move(key));
  if (ledger.repaired()) {
    note(*ledger.repaired());
  }
  if (ledger.state().plan().configuration != sha256(bytes_of(shared_text(configuration)))) {
    throw bad_input("federation.resume: the run's ledger is of another configuration");
  }
  check_same_merchants(ledger.state().plan(), federation.session());
  const std::vector<std::string> lost = federation.recall(ledger.state().next_seq(), ledger.state().tip());
  if (!lost.empty()) {
    ledger.recover(lost);
    note("the coordinator's ledger lacked " + std::to_string(lost.size()) +
         " lines that merchants have; they are back in it");
  }
  ledger.abort_open("the coordinator was started again");
  return ledger;
}

std::size_t intents_behind(const LedgerWriter& ledger, std::uint64_t lines) {
  const std::vector<std::string> behind = ledger.lines_from(lines);
  return static_cast<std::size_t>(std::ranges::count_if(behind, [](const std::string& line) {
    const auto record = decode_record(line);
    return record && std::holds_alternative<Intent>(record->payload);
  }));
}

std::optional<Checkpoint> last_checkpoint(const Configuration& configuration, const LedgerWriter& ledger,
                                          const Note& note) {
  std::vector<std::string> passed_over;
  const auto checkpoint = newest_checkpoint(run_directory(configuration) / "checkpoints", ledger.state(),
                                            sha256(bytes_of(shared_text(configuration))), passed_over);
  for (const std::string& sentence : passed_over) {
    note(sentence);
  }
  const std::size_t spent = intents_behind(ledger, checkpoint ? checkpoint->ledger_lines : 0);
  note((checkpoint ? "the run continues behind round " + std::to_string(checkpoint->training_rounds) +
                         " of " + std::to_string(configuration.federation.rounds)
                   : "the run continues from its beginning: there is no checkpoint of it") +
       (spent > 0 ? "; " + std::to_string(spent) + " sums announced since then stay spent and are made again"
                  : ""));
  return checkpoint;
}

/// Rounds that have their line of metrics.
std::uint64_t rounds_told(const Checkpoint& checkpoint) {
  return checkpoint.training_rounds - (checkpoint.round_open ? 1 : 0);
}

/// The claim stands and lacks signatures: the model it names must be the one on the disk.
void check_published(const std::filesystem::path& folder, const Claim& claim) {
  if (digest_from_hex(model_digest(read_model(folder / "model"))) != claim.published) {
    throw Failure(ExitCode::could_not_finish,
                  (folder / "model").string() + " is not the model that the ledger's claim names");
  }
}

/// The last file of a run. Without it the keys stay: who continues the run asks for the signatures again.
void write_certificate(const std::filesystem::path& folder, const LedgerWriter& ledger) {
  if (!ledger.state().finished()) {
    throw Interrupted(
        "the model is written, and its claim is signed by too few merchants: continue the run with "
        "federation.resume=true when they are there");
  }
  write_durably(folder / "model" / "certificate.json",
                encode(certificate_of(ledger.state(), ledger.lines_from(0))));
}

std::vector<std::uint32_t> all_merchants(const CoordinatorSession& session) {
  std::vector<std::uint32_t> ids(session.names().size());
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
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
  PublishedModel model{.workload = configuration.workload.name,
                       .step = result.model.step,
                       .arrays = result.arrays,
                       .encoding = {},
                       .columns = {},
                       .facts = model_facts(configuration),
                       .privacy = privacy_sentence(configuration, ledger)};
  publish_encoding(result.encoding, model);
  model.facts["ledger_model"] = hex(digest_of(result.preparation, result.model));
  return model;
}

}  // namespace

std::optional<RunSummary> run_coordinator(const Configuration& configuration, Channel& channel,
                                          const Clock& clock, SecureRandom& random, Progress& progress) {
  const std::filesystem::path folder = run_directory(configuration);
  const FeatureSpace space = feature_space(configuration);
  const std::optional<SignedRoster> roster = roster_of(configuration);
  const RunStart start = check_run_start(configuration);
  std::optional<RunFolderLock> lock;
  if (start != RunStart::fresh) {
    lock.emplace(folder);
  }
  const SigningKey identity = coordinator_key(configuration, roster, random);
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
    if (start == RunStart::finished) {
      std::filesystem::remove(coordinator_key_file(folder));
      federation.stop(ExitCode::done, "");
      return std::nullopt;
    }
    // 2. The plan, then the run directory: a plan that cannot be made leaves none. Or the ledger that is there.
    std::optional<Plan> plan;
    std::optional<Digest> previous;
    if (start == RunStart::fresh) {
      plan = plan_of(configuration, space, federation.session(), random);
      if (const std::vector<LedgerState> earlier = earlier_ledgers(configuration); !earlier.empty()) {
        plan->previous = earlier.front().plan().run_id;
        previous = earlier.front().tip();
      }
      lock.emplace(folder);
      if (check_run_start(configuration) != start) {
        throw Failure(ExitCode::could_not_finish,
                      "another coordinator has begun a run in " + folder.string());
      }
      create_run_directory(folder, configuration);
      if (!roster) {
        keep_coordinator_key(folder, identity);
      }
    }
    log.emplace(folder / "log.txt");
    const auto own_key = [&] { return SigningKey::from_seed(identity.seed().duplicate()); };
    LedgerWriter ledger = plan
                              ? begin_ledger(configuration, federation, own_key(), std::move(*plan), previous)
                              : continue_ledger(configuration, federation, own_key(), note);
    SignedLedger signed_ledger(federation, ledger, note);
    if (const auto& claim = ledger.state().claim()) {
      check_published(folder, *claim);
      if (!ledger.state().finished()) {
        signed_ledger.sign_claim(all_merchants(federation.session()));
      }
      write_certificate(folder, ledger);
      std::filesystem::remove(coordinator_key_file(folder));
      federation.stop(ExitCode::done, "");
      return std::nullopt;
    }
    const auto checkpoint =
        start == RunStart::fresh ? std::nullopt : last_checkpoint(configuration, ledger, note);
    MetricsLog metrics(folder / "metrics.jsonl", checkpoint ? rounds_told(*checkpoint) : 0);

    // 3. Training.
    const Instant began = clock.now();
    Training training(
        configuration, space, row_kind(configuration), federation, ledger, signed_ledger, clock,
        {.round_done = [&](const RoundMetrics& round) { metrics.append(round); },
         .progress = [&](const ProgressState& state) { progress.show(state); },
         .note = note,
         .tell = [&](std::string_view sentence) { progress.note(sentence); },
         .checkpoint = [&](const Checkpoint& state) { write_checkpoint(folder / "checkpoints", state); }});
    if (checkpoint) {
      training.go_on(*checkpoint);
    }
    const TrainingResult result = training.run();

    // 4. The model, and what the run claims of it.
    const PublishedModel model = published(configuration, result, ledger.state());
    const auto insights = write_insights(folder / "model", result.insights, configuration.workload.name);
    const auto files = write_model(folder / "model", model);
    ledger.write(ledger.state().claim_for(*digest_from_hex(model_digest(model)),
                                          digest_of(result.preparation, result.model)));
    signed_ledger.sign_claim(training.present());
    write_certificate(folder, ledger);
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
                       .files = {(folder / "ledger.jsonl").string(), (folder / "metrics.jsonl").string()},
                       .insights = result.insights};
    for (const auto& file : files) {
      summary.files.push_back(file.string());
    }
    if (insights) {
      summary.files.push_back(insights->string());
    }
    std::filesystem::remove(coordinator_key_file(folder));
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
