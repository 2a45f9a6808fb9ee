// hanse-worker: every MPI rank but 0. Hosts one or many merchants; with aggregation.encryption=paillier, the last rank is
// the arbiter instead.

#include <cstdio>
#include <optional>

#include "common/base/memory.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "common/data/read_dataset.h"
#include "common/transport/mpi_channel.h"
#include "common/transport/mpi_sums.h"
#include "common/transport/run_status.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/system_random.h"
#include "privacy/secure_sum/roster.h"
#include "worker/local_work.h"
#include "worker/run_identities.h"
#include "worker/worker_loop.h"

namespace hanse {
namespace {

std::optional<PaillierSize> modulus_of(const Configuration& configuration) {
  return configuration.aggregation.encryption == "paillier"
             ? PaillierSize::of(configuration.aggregation.paillier_bits)
             : std::nullopt;
}

/// The fewest merchants in a sum that this program takes part in; 0: what follows from the roster's size.
std::uint32_t own_minimum(const Configuration& configuration) {
  const std::uint32_t hidden = configuration.aggregation.encryption != "none" ? 3 : 0;
  const std::uint32_t wished =
      std::max(configuration.policy.min_merchants, configuration.federation.min_merchants);
  if (wished > 0) {
    return std::max(wished, hidden);
  }
  return configuration.federation.cohort < 1 ? hidden : 0;
}

WorkerOptions options_of(const Configuration& configuration, Peer rank) {
  WorkerOptions options;
  options.rank = rank;
  options.plan = sha256(bytes_of(shared_text(configuration)));
  options.encryption = encryption_named(configuration.aggregation.encryption);
  options.paillier = modulus_of(configuration);
  options.merchants_min = own_minimum(configuration);
  options.graph = graph_wishes(configuration);
  options.tree = configuration.aggregation.topology == "tree";
  options.remove_surplus = configuration.privacy.remove_surplus_noise;
  return options;
}

std::vector<std::string> names_of(const Dataset& data) {
  std::vector<std::string> names;
  for (const MerchantRows& merchant : data.merchants) {
    names.push_back(merchant.name);
  }
  return names;
}

/// Without a unit of privacy the finest units are added, at one sum of the run at least.
void check_units(const Configuration& configuration, const Dataset& data) {
  const Unit finest = data.kind == RowKind::customer ? Unit::customer : Unit::record;
  const Unit unit = configuration.privacy.unit == Unit::none ? finest : configuration.privacy.unit;
  for (const MerchantRows& merchant : data.merchants) {
    const std::size_t units = std::max(count_units(data, merchant, unit, Population::train),
                                       count_units(data, merchant, unit, Population::test));
    if (units > configuration.data.max_units) {
      throw bad_input("merchant " + merchant.name + " has " + std::to_string(units) + " " +
                      std::string(name_of(unit)) + "s, more than data.max_units = " +
                      std::to_string(configuration.data.max_units) + ": raise that public bound");
    }
  }
}

Dataset read_own_data(const Configuration& configuration, Peer rank, Peer workers) {
  Dataset data = read_dataset(configuration, rank, workers);
  give_back_freed_memory();
  const bool own_file = configuration.data.path.find("{worker}") != std::string::npos;
  if (data.merchants.empty() && (own_file || read_dataset(configuration, 1, 1).merchants.empty())) {
    throw bad_input("data.path: " + configuration.data.path + " has no rows" +
                    (own_file ? " for worker " + std::to_string(rank) : std::string()) +
                    ": give it at least one row below its header");
  }
  check_units(configuration, data);
  for (const std::string& sentence : data.account) {
    std::fprintf(stderr, "worker %u: %s\n", rank, sentence.c_str());
  }
  return data;
}

/// With a tree: the sums over all processes, opened when all of them are there.
void add_sums(WorkerHooks& hooks, Channel& channel, const Clock& clock, Milliseconds deadline) {
  check_sums_wrap();
  hooks.session_ready = [&channel, &clock, deadline,
                         before = std::move(hooks.session_ready)](const SessionView& session) {
    before(session);
    const auto opened = channel.open_sums(clock.now() + deadline);
    if (!opened) {
      throw Failure(ExitCode::could_not_finish, opened.what());
    }
  };
  hooks.join_sum = [&channel](Residues part) { channel.join_sum(std::move(part)); };
}

/// What a program that cannot take part says to the others. Parties with a roster have houses of their own: what is wrong
/// there stays there.
Failure told_to_others(const Failure& failure, const Configuration& configuration, Peer rank) {
  if (configuration.aggregation.roster.empty()) {
    return failure;
  }
  std::fprintf(stderr, "worker %u: %s\n", rank, failure.what());
  return Failure(failure.code(), "rank " + std::to_string(rank) + " cannot take part: see its own output");
}

void print_refusals(const std::vector<std::string>& refusals, const char* who, Peer rank) {
  for (const std::string& refusal : refusals) {
    std::fprintf(stderr, "%s %u: refused: %s\n", who, rank, refusal.c_str());
  }
}

/// What carries the messages of this rank.
struct Line {
  Peer rank;
  Peer workers;  ///< Without the arbiter.
  Channel& channel;
  const Clock& clock;
  Milliseconds patience;
  SecureRandom& random;
};

ExitCode work(const Configuration& configuration, const Line& line) {
  WorkerOptions options = options_of(configuration, line.rank);
  std::optional<RunIdentities> made;  ///< Without a roster.
  std::optional<LocalWork> work;
  std::optional<WorkerNode> node;
  try {
    const std::optional<SignedRoster> roster = roster_of(configuration);
    if (roster) {
      options.coordinator = roster->coordinator;
      options.identities = roster->identities();
      options.arbiter = roster->arbiter;
    }
    Dataset data = read_own_data(configuration, line.rank, line.workers);
    std::vector<std::string> names = names_of(data);
    if (!roster) {
      made.emplace(run_directory(configuration), names, configuration.federation.resume, line.random);
    }
    std::vector<SigningKey> keys =
        roster ? load_merchant_keys(configuration.aggregation.keys, names, *roster) : made->keys();
    std::vector<HostedMerchant> hosted;
    std::vector<LedgerMerchant> listed;
    for (std::size_t i = 0; i < names.size(); ++i) {
      listed.push_back({names[i], keys[i].public_key()});
      hosted.push_back({.name = std::move(names[i]), .identity = std::move(keys[i])});
    }
    work.emplace(configuration, std::move(data), std::move(listed), options.coordinator, line.random);
    WorkerHooks hooks = work->hooks();
    if (made) {
      save_before_answering(hooks, *made);
    }
    if (options.tree) {
      add_sums(hooks, line.channel, line.clock, Milliseconds{configuration.federation.deadline_ms});
    }
    node.emplace(options, std::move(hosted), std::move(hooks), line.random);
  } catch (const Failure& failure) {  // Joins only to say so.
    node.emplace(options, told_to_others(failure, configuration, line.rank), line.random);
  }
  const WorkerNode::End end = run_worker(*node, line.channel, line.clock, line.patience);
  print_refusals(node->refusals(), "worker", line.rank);
  if (work && node->ended() && end.code == ExitCode::done) {
    if (const auto reason = work->keep_own_parts()) {
      std::fprintf(stderr, "worker %u: %s\n", line.rank, reason->c_str());
    }
  }
  if (made && node->ended() && end.code == ExitCode::done) {
    made->remove();
  }
  return end.code;
}

ExitCode arbitrate(const Configuration& configuration, const Line& line) {
  ArbiterOptions options{.rank = line.rank,
                         .size = *modulus_of(configuration),
                         .merchants_min = own_minimum(configuration),
                         .plan = sha256(bytes_of(shared_text(configuration)))};
  std::optional<ArbiterNode> node;
  try {
    const std::optional<SignedRoster> roster = roster_of(configuration);
    if (roster) {
      options.coordinator = roster->coordinator;
      options.identities = roster->identities();
    }
    node.emplace(options,
                 roster ? load_arbiter_key(configuration.aggregation.keys, *roster)
                        : SigningKey::generate(line.random),
                 line.random);
  } catch (const Failure& failure) {
    node.emplace(options, told_to_others(failure, configuration, line.rank), line.random);
  }
  const ArbiterNode::End end = run_arbiter(*node, line.channel, line.clock, line.patience);
  print_refusals(node->refusals(), "arbiter", line.rank);
  return end.code;
}

int run(int argc, char** argv) {
  Arguments arguments(
      "hanse-worker",
      "A worker of a federation: every MPI rank but 0. With aggregation.encryption=paillier, the last "
      "rank is the arbiter. Usually started by hanse run.");
  arguments.positional("FILE.ini", "The federation's configuration.").configuration_settings();
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  const Configuration configuration = read_configuration(arguments.text("FILE.ini"), arguments.settings());
  const MpiEnvironment mpi(&argc, &argv);
  if (mpi.rank() == 0) {
    throw bad_input("hanse-worker is rank 0, which is the coordinator's: start with hanse run FILE.ini");
  }
  MpiChannel channel(mpi);
  const SteadyClock clock;
  SystemRandom random;
  const bool paillier = configuration.aggregation.encryption == "paillier";
  if (paillier && mpi.size() < 3) {
    throw bad_input(
        "aggregation.encryption=paillier needs a worker and, behind it, an arbiter: start with hanse run "
        "FILE.ini");
  }
  const Line line{.rank = mpi.rank(),
                  .workers = mpi.size() - (paillier ? 2 : 1),
                  .channel = channel,
                  .clock = clock,
                  // Longer than any phase of a round, and than the time the coordinator needs between two.
                  .patience = Milliseconds{4 * std::int64_t{configuration.federation.deadline_ms} + 60000},
                  .random = random};
  const bool arbiter = paillier && mpi.rank() + 1 == mpi.size();
  // The coordinator prints the sentence, once for all.
  return static_cast<int>(arbiter ? arbitrate(configuration, line) : work(configuration, line));
}

}  // namespace
}  // namespace hanse

int main(int argc, char** argv) {
  return hanse::exit_code_for_mpirun(
      hanse::run_program("hanse-worker", [&] { return hanse::run(argc, argv); }));
}
