// hanse-worker: every MPI rank but 0. Hosts one or many merchants.

#include <cstdio>
#include <optional>

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
#include "worker/worker_loop.h"

namespace hanse {
namespace {

WorkerOptions options_of(const Configuration& configuration, Peer rank) {
  WorkerOptions options;
  options.rank = rank;
  options.plan = sha256(bytes_of(shared_text(configuration)));
  options.allow_unmasked = configuration.aggregation.encryption == "none";
  options.graph = graph_wishes(configuration);
  options.tree = configuration.aggregation.topology == "tree";
  if (configuration.policy.min_merchants > 0) {
    options.merchants_min = configuration.policy.min_merchants;
  } else if (configuration.federation.min_merchants > 0) {
    options.merchants_min = configuration.federation.min_merchants;
  } else if (configuration.federation.cohort < 1 && !options.allow_unmasked) {
    options.merchants_min = 3;
  }
  return options;
}

/// The merchants of this worker with their keys: from the roster's key folder, or made for this run.
std::vector<HostedMerchant> identities_of(const Configuration& configuration, const Dataset& data,
                                          const std::optional<SignedRoster>& roster, SecureRandom& random) {
  std::vector<std::string> names;
  for (const MerchantRows& merchant : data.merchants) {
    names.push_back(merchant.name);
  }
  std::vector<SigningKey> keys;
  if (roster) {
    keys = load_merchant_keys(configuration.aggregation.keys, names, *roster);
  }
  std::vector<HostedMerchant> hosted;
  for (std::size_t i = 0; i < names.size(); ++i) {
    hosted.push_back(
        {.name = names[i], .identity = roster ? std::move(keys[i]) : SigningKey::generate(random)});
  }
  return hosted;
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

Dataset read_own_data(const Configuration& configuration, Peer rank, Peer size) {
  Dataset data = read_dataset(configuration, rank, size - 1);
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

int run(int argc, char** argv) {
  Arguments arguments("hanse-worker",
                      "A worker of a federation: every MPI rank but 0. Usually started by hanse run.");
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
  WorkerOptions options = options_of(configuration, mpi.rank());
  // Longer than any phase of a round, and than the time the coordinator needs between two.
  const Milliseconds patience{4 * std::int64_t{configuration.federation.deadline_ms} + 60000};

  std::optional<LocalWork> work;
  std::optional<WorkerNode> node;
  try {
    const std::optional<SignedRoster> roster = roster_of(configuration);
    if (roster) {
      options.coordinator = roster->coordinator;
      options.identities = roster->identities();
    }
    Dataset data = read_own_data(configuration, mpi.rank(), mpi.size());
    std::vector<HostedMerchant> hosted = identities_of(configuration, data, roster, random);
    std::vector<LedgerMerchant> listed;
    for (const HostedMerchant& merchant : hosted) {
      listed.push_back({merchant.name, merchant.identity.public_key()});
    }
    work.emplace(configuration, std::move(data), std::move(listed), options.coordinator, random);
    WorkerHooks hooks = work->hooks();
    if (options.tree) {
      add_sums(hooks, channel, clock, Milliseconds{configuration.federation.deadline_ms});
    }
    node.emplace(options, std::move(hosted), std::move(hooks), random);
  } catch (const Failure& failure) {
    // Joins only to say so. Merchants with a roster have houses of their own: what is wrong with their data stays there.
    const bool own_house = !configuration.aggregation.roster.empty();
    if (own_house) {
      std::fprintf(stderr, "worker %u: %s\n", mpi.rank(), failure.what());
    }
    node.emplace(options,
                 own_house ? Failure(failure.code(), "rank " + std::to_string(mpi.rank()) +
                                                         " cannot take part: see its own output")
                           : failure,
                 random);
  }
  const WorkerNode::End end = run_worker(*node, channel, clock, patience);
  if (work && end.code == ExitCode::done) {
    work->take_claim(end.sentence);
  }
  for (const std::string& refusal : node->refusals()) {
    std::fprintf(stderr, "worker %u: refused: %s\n", mpi.rank(), refusal.c_str());
  }
  return static_cast<int>(end.code);  // The coordinator prints the sentence, once for all.
}

}  // namespace
}  // namespace hanse

int main(int argc, char** argv) {
  return hanse::exit_code_for_mpirun(
      hanse::run_program("hanse-worker", [&] { return hanse::run(argc, argv); }));
}
