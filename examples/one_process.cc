// One private sum among three merchants, in one process, step by step.
//
//     build/bin/one_process
//
// prints, for each merchant, its clipped integers, its share of the noise and the masked residues that leave
// it; then every message of the session and of the round by its name; then the sum that the coordinator
// opens, with the truth beside it. Noise and masks are fresh, so their numbers differ from run to run; the
// last line always says yes.
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "common/base/program.h"
#include "common/transport/simulated_network.h"
#include "coordinator/coordinator_round.h"
#include "coordinator/coordinator_session.h"
#include "privacy/crypto/system_random.h"
#include "privacy/pipeline.h"
#include "privacy/secure_sum/masks.h"
#include "worker/worker_node.h"

namespace hanse {
namespace {

// 1. The data. What each customer spent, in euros, on bread, cheese and wine.
using Basket = std::vector<double>;
const std::map<std::string, std::vector<Basket>> kMerchants = {
    {"Anna's", {{3, 12, 0}, {2, 0, 9}, {5, 4, 0}}},
    {"Bruno's", {{1, 0, 60}, {4, 8, 8}}},  // One customer buys wine for a feast: more than the clip norm.
    {"Carla's", {{0, 21, 6}, {6, 0, 0}, {0, 0, 15}, {2, 3, 0}}},
};

// 2. The public constants of the sum. A step is clip_norm / 2^grid_bits = 12.5 cents. Real runs let
// choose_parameters() take a far finer grid; this one is coarse so that its integers can be read.
const SumParameters kParameters{.length = 3,
                                .clip_norm = 32,
                                .grid_bits = 8,
                                .ring = Ring::bits32,
                                .units_max = 100,
                                .share_variance = 256,  // A standard deviation of 16 steps: 2 euros.
                                .shares_min = 3,
                                .merchants_max = 3};

using Integers = std::vector<std::int64_t>;

/// Under no masks a sealed sum can be read: so a merchant looks at its own numbers, in its own house.
Integers read_own(const UnitSource& units, const NoiseShare& noise) {
  SealedTotal total(kParameters);
  total.add(prepare(units, kParameters, NoiseShare(noise), RoundMasks{}));
  return total.open(kParameters, {0})->entries;
}

void print(const char* what, const auto& entries) {
  std::printf("  %-34s", what);
  for (std::size_t i = 0; i < kParameters.length; ++i) {
    std::printf("%12lld", static_cast<long long>(entries[i]));
  }
  std::printf("\n");
}

Integers plus(Integers sum, const Integers& more) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] += more[i];
  }
  return sum;
}

/// A message in one line. Boxes of the link cannot be read on the way: this is printed at the coordinator's
/// end.
void print_message(const std::string& from, const std::string& to, ByteView message) {
  const Result<Envelope> envelope = open_envelope(message);
  std::printf("  %-12s -> %-12s %-8s %5zu bytes\n", from.c_str(), to.c_str(),
              std::string(name_of(envelope->type)).c_str(), message.size());
}

int run() {
  SystemRandom random;
  Integers truth(kParameters.length);
  Integers noise_of_all(kParameters.length);

  // 3. Three workers, each with one merchant. The state machine calls accept_round() when a sum is asked for,
  // where a merchant checks what it is asked, and prepare() when the masks are there: then data is touched.
  std::vector<WorkerNode> nodes;
  for (const auto& [name, baskets] : kMerchants) {
    WorkerHooks hooks;
    hooks.accept_round = [](const StartView&) -> Result<SumParameters> { return kParameters; };
    hooks.prepare = [&](std::uint32_t, const Seal& seal) {
      const UnitSource units = [&](const std::function<void(const Contribution&)>& take) {
        for (const Basket& basket : baskets) {
          Contribution contribution;
          contribution.add_block(0, basket);
          take(contribution);
        }
      };
      const UnitSource nobody = [](const auto&) {};
      NoiseShare noise = NoiseShare::draw(kParameters, random);
      const Integers clipped = read_own(units, NoiseShare{});
      const Integers share = read_own(nobody, noise);
      truth = plus(truth, clipped);
      noise_of_all = plus(noise_of_all, share);

      std::printf("%s, in its own house\n", name.c_str());
      print("clipped and on the grid (steps)", clipped);
      print("its share of the noise", share);
      SealedSum sealed = prepare(units, kParameters, std::move(noise), seal);
      print("what leaves it: masked residues", std::get<std::vector<std::uint32_t>>(sealed.residues()));
      return sealed;
    };
    std::vector<HostedMerchant> hosted;
    hosted.push_back({name, SigningKey::generate(random)});
    nodes.emplace_back(WorkerOptions{.rank = static_cast<std::uint32_t>(nodes.size() + 1)}, std::move(hosted),
                       std::move(hooks), random);
  }

  // 4. The coordinator and a network whose deadlines cost no time.
  SimulatedNetwork network;
  const SigningKey identity = SigningKey::generate(random);
  CoordinatorSession session({.workers = 3}, identity, random);
  for (WorkerNode& node : nodes) {
    const Peer rank = network.add_worker([&](ByteView message) { return node.handle(message); });
    network.send_from(rank, node.hail());
  }
  const Milliseconds deadline{1000};

  // 5. The session: keys are agreed between each pair of merchants; the coordinator carries what it cannot
  // open.
  std::printf("The session\n");
  while (!session.ready()) {
    const auto incoming = network.receive(network.now() + deadline);
    check(incoming.has_value(), "nothing is lost on a perfect network");
    for (Outgoing& out : session.handle(incoming->from, incoming->message)) {
      network.send(out.to, std::move(out.message));
    }
  }
  for (std::uint32_t id = 0; id < session.names().size(); ++id) {
    std::printf("  merchant %u is %s, with %zu neighbours\n", id, session.names()[id].c_str(),
                session.neighbours()[id].size());
  }

  // 6. The round.
  CoordinatorRound round(session,
                         {.round = 1, .parameters = kParameters, .payload = {}, .merchants = {0, 1, 2}});
  const auto post = [&](const std::vector<ToWorker>& messages) {
    for (const ToWorker& out : messages) {
      print_message("coordinator", session.names()[out.worker - 1], out.message);
    }
    for (Outgoing& out : session.seal(messages)) {
      network.send(out.to, std::move(out.message));
    }
  };
  std::printf("The round\n");
  post(round.begin());
  while (!round.ended()) {
    const auto incoming = network.receive(network.now() + deadline);
    check(incoming.has_value(), "nothing is lost on a perfect network");
    const Result<FromWorker> message = session.open(incoming->from, incoming->message);
    print_message(session.names()[incoming->from - 1], "coordinator", message->message);
    post(round.step(*message));
  }
  check(round.summed() != nullptr, "three honest merchants have a sum");
  post(round.announce({}));
  network.flush(network.now() + deadline);

  // 7. What the coordinator knows now, and what nobody but this example knows.
  const Integers& opened = round.summed()->entries;
  std::printf("The sum\n");
  print("opened by the coordinator (steps)", opened);
  print("the truth, which nobody sees", truth);
  std::printf("  %-34s", "opened, in euros");
  for (const double euros : round.summed()->values(kParameters)) {
    std::printf("%12.2f", euros);
  }
  std::printf("\n  opened = truth + the three shares of noise, to the last step: %s\n",
              opened == plus(truth, noise_of_all) ? "yes" : "no");
  return opened == plus(truth, noise_of_all) ? 0 : 1;
}

}  // namespace
}  // namespace hanse

int main() {
  return hanse::run_program("one_process", hanse::run);
}
