#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/seeded_generator.h"
#include "common/transport/simulated_network.h"
#include "coordinator/coordinator_round.h"
#include "coordinator/coordinator_session.h"
#include "privacy/pipeline.h"
#include "privacy/secure_sum/masks.h"
#include "tests/support/deterministic_random.h"
#include "worker/arbiter_node.h"
#include "worker/worker_node.h"

namespace hanse {

/// A federation in one process: merchants 0 ... N-1, named "m000" and so on, merchant i at rank 1 + i mod W.
/// In round r merchant i contributes value(r, i, entry), so that every sum can be checked by hand.
class TestFederation {
 public:
  struct Plan {
    std::uint64_t seed = 1;
    std::uint32_t merchants = 3;
    std::uint32_t workers = 1;
    Encryption encryption = Encryption::masked;
    bool tree = false;
    std::uint32_t threshold = 0;
    std::uint32_t merchants_min = 3;
    std::uint32_t aborts_max = 1u << 30;
    bool all_zero = false;        ///< Every merchant contributes zeros.
    bool remove_surplus = false;  ///< privacy.remove_surplus_noise.
    std::uint32_t collusion = 0;
    std::function<void(ByteView)> see_draw = nullptr;  ///< Shown all that the secure random gives.
    std::function<void(ByteView)> see_message =
        nullptr;  ///< Shown all messages in plain, of set-up and rounds.
  };

  explicit TestFederation(Plan plan)
      : plan_(plan),
        random_(std::make_unique<DeterministicSecureRandom>(plan.seed, plan.see_draw)),
        identity_(SigningKey::generate(*random_)),
        session_({.workers = plan.workers,
                  .encryption = plan.encryption,
                  .tree = plan.tree,
                  .remove_surplus = plan.remove_surplus,
                  .graph = {.threshold = plan.threshold},
                  .paillier = modulus()},
                 identity_, *random_) {
    for (Peer rank = 1; rank <= plan.workers; ++rank) {
      nodes_.push_back(make_node(rank));
    }
    if (plan.encryption == Encryption::paillier) {
      arbiter_.emplace(ArbiterOptions{.rank = plan.workers + 1,
                                      .size = *modulus(),
                                      .merchants_min = plan.merchants_min,
                                      .coordinator = identity_.public_key()},
                       SigningKey::generate(*random_), *random_);
    }
  }
  TestFederation(const TestFederation&) = delete;

  /// Sets up the session by handing every message over at once. True when it is ready on all sides.
  bool join() {
    std::vector<std::pair<Peer, Bytes>> to_coordinator;
    for (Peer rank = 1; rank <= plan_.workers; ++rank) {
      to_coordinator.emplace_back(rank, node(rank).hail());
      see(to_coordinator.back().second);
    }
    if (arbiter_) {
      to_coordinator.emplace_back(plan_.workers + 1, arbiter_->hail());
    }
    while (!to_coordinator.empty()) {
      std::vector<std::pair<Peer, Bytes>> next;
      for (const auto& [from, message] : to_coordinator) {
        for (const Outgoing& out : session_.handle(from, message)) {
          see(out.message);
          for (Bytes& answer : deliver(out.to, out.message)) {
            next.emplace_back(out.to, std::move(answer));
          }
        }
      }
      to_coordinator = std::move(next);
    }
    for (const WorkerNode& one : nodes_) {
      if (!one.ready()) {
        return false;
      }
    }
    return session_.ready() && (!arbiter_ || arbiter_->ready());
  }

  /// Adds all workers, and the arbiter if there is one, to a network.
  void attach(SimulatedNetwork& network) {
    network_ = &network;
    for (Peer rank = 1; rank <= plan_.workers; ++rank) {
      network.add_worker([this, rank](ByteView message) { return node(rank).handle(message); });
    }
    if (arbiter_) {
      network.add_worker([this](ByteView message) { return arbiter_->handle(message); });
    }
  }

  RoundRequest request(std::uint64_t round, Ring ring = Ring::bits32) const {
    RoundRequest request{.round = round, .parameters = {}, .payload = {}, .merchants = {}};
    request.parameters = {.length = kLength,
                          .clip_norm = 1 << 20,
                          .grid_bits = 20,
                          .ring = ring,
                          .units_max = 1,
                          .share_variance = 0,
                          .shares_min = hidden() ? 3u : 1u,
                          .merchants_max = plan_.merchants};
    request.collusion = plan_.collusion;
    const ByteView model = bytes_of("a model");
    request.payload.assign(model.begin(), model.end());
    for (std::uint32_t id = 0; id < plan_.merchants; ++id) {
      request.merchants.push_back(id);
    }
    return request;
  }

  /// The same, with an invitation of everyone to the round after it: its shares ride on this one.
  RoundRequest request_with_next(std::uint64_t round, Ring ring = Ring::bits32) const {
    RoundRequest asked = request(round, ring);
    asked.next = Invitation{round + 1, MerchantSet::all(plan_.merchants)};
    return asked;
  }

  /// Tells one worker something that no round says.
  void tell(SimulatedNetwork& network, const ToWorker& message) {
    for (Outgoing& out : session_.seal({message})) {
      network.send(out.to, std::move(out.message));
    }
  }

  /// Runs one round over `network` to its end, announces it and lets the last messages arrive. Shares that
  /// rode on the round before are handed over.
  CoordinatorRound run(SimulatedNetwork& network, RoundRequest request) {
    CoordinatorRound round(session_, std::move(request), std::exchange(early_, {}));
    post(network, round.begin());
    int phase = round.phase();
    Instant end = network.now() + kPhaseDeadline;
    deadlines_ = 0;
    while (!round.ended()) {
      const auto incoming = network.receive(end);
      if (!incoming) {
        ++deadlines_;
        post(network, round.deadline_passed());
      } else if (auto message = session_.open(incoming->from, incoming->message)) {
        if (tamper_from_worker(*message)) {
          post(network, round.step(*message));
        }
      }
      if (auto zeros = round.joins_sum()) {
        network.join_sum(std::move(*zeros));
        auto sum = network.take_sum(network.now() + kPhaseDeadline);
        check(sum.ok(), "all workers join the sums of a test");
        post(network, round.reduced(std::move(*sum)));
      }
      if (round.phase() != phase) {
        phase = round.phase();
        end = network.now() + kPhaseDeadline;
      }
    }
    post(network, round.announce(bytes_of("a release")));
    network.flush(network.now() + kPhaseDeadline);
    early_ = round.take_early();
    while (const auto incoming = network.receive(network.now())) {
      if (auto message = session_.open(incoming->from, incoming->message)) {
        if (tamper_from_worker(*message)) {
          early_.push_back(std::move(*message));
        }
      }
    }
    return round;
  }

  /// What merchant `id` contributes in a round.
  std::int64_t value(std::uint64_t round, std::uint32_t id, std::size_t entry) const {
    if (plan_.all_zero) {
      return 0;
    }
    return static_cast<std::int64_t>(split_mix(round * 1000003 + id * 1009 + entry) % 2001) - 1000;
  }
  std::vector<std::int64_t> exact_sum(std::uint64_t round,
                                      const std::vector<std::uint32_t>& merchants) const {
    std::vector<std::int64_t> sum(kLength);
    for (const std::uint32_t id : merchants) {
      for (std::size_t entry = 0; entry < kLength; ++entry) {
        sum[entry] += value(round, id, entry);
      }
    }
    return sum;
  }

  WorkerNode& node(Peer rank) { return nodes_[rank - 1]; }
  CoordinatorSession& session() { return session_; }
  ArbiterNode& arbiter() { return *arbiter_; }
  int deadlines() const { return deadlines_; }  ///< Deadlines that passed in the latest round.
  const std::vector<bool>& released() const {
    return released_;
  }  ///< What round_ended told, over all workers.
  /// May change any message before it is sealed, or after it was opened; false loses it.
  std::function<bool(ToWorker&)> tamper_to_worker = [](ToWorker&) { return true; };
  std::function<bool(FromWorker&)> tamper_from_worker = [](FromWorker&) { return true; };
  /// A merchant's share of noise.
  std::function<NoiseShare(std::uint64_t round, std::uint32_t id, const SumParameters&, const RungKey* top)>
      draw_noise = [this](std::uint64_t, std::uint32_t, const SumParameters& parameters, const RungKey* top) {
        return top ? NoiseShare::draw(parameters, plan_.collusion, *top, *random_)
                   : NoiseShare::draw(parameters, *random_);
      };
  std::optional<std::string> fail_in_prepare;  ///< The Failure that merchant 1's data meets.
  std::optional<std::string> refuse_round;     ///< The reason why accept_round refuses.

  static std::string name(std::uint32_t id) {
    const char digits[] = {'m', static_cast<char>('0' + id / 100 % 10), static_cast<char>('0' + id / 10 % 10),
                           static_cast<char>('0' + id % 10), '\0'};
    return digits;
  }

  static constexpr std::size_t kLength = 6;
  static constexpr Milliseconds kPhaseDeadline{100};

 private:
  bool hidden() const { return plan_.encryption != Encryption::none; }
  /// A key that is quick to make.
  std::optional<PaillierSize> modulus() const {
    return plan_.encryption == Encryption::paillier ? std::optional(PaillierSize::for_tests(512))
                                                    : std::nullopt;
  }
  std::vector<Bytes> deliver(Peer to, ByteView message) {
    return to > plan_.workers ? arbiter_->handle(message) : node(to).handle(message);
  }

  void post(SimulatedNetwork& network, const std::vector<ToWorker>& messages) {
    for (ToWorker message : messages) {
      if (!tamper_to_worker(message)) {
        continue;
      }
      see(message.message);
      for (Outgoing& out : session_.seal({message})) {
        network.send(out.to, std::move(out.message));
      }
    }
  }

  void see(ByteView message) const {
    if (plan_.see_message) {
      plan_.see_message(message);
    }
  }

  WorkerNode make_node(Peer rank) {
    std::vector<HostedMerchant> merchants;
    for (std::uint32_t id = rank - 1; id < plan_.merchants; id += plan_.workers) {
      merchants.push_back({name(id), SigningKey::generate(*random_)});
    }
    struct Sum {
      std::uint64_t round = 0;
      SumParameters parameters;
    };
    const auto sum = std::make_shared<Sum>();
    WorkerHooks hooks;
    hooks.accept_round = [this, sum](const StartView& start) -> Result<SumParameters> {
      if (refuse_round) {
        return Error{*refuse_round};
      }
      *sum = {start.round, start.parameters};
      return start.parameters;
    };
    hooks.prepare = [this, sum](std::uint32_t id, const Seal& seal) {
      if (fail_in_prepare && id == 1) {
        throw bad_input(*fail_in_prepare);
      }
      Contribution contribution;
      std::vector<double> values;
      for (std::size_t entry = 0; entry < sum->parameters.length; ++entry) {
        values.push_back(static_cast<double>(value(sum->round, id, entry)));
      }
      contribution.add_block(0, values);
      const UnitSource units = [&](const std::function<void(const Contribution&)>& take) {
        take(contribution);
      };
      return prepare(units, sum->parameters, draw_noise(sum->round, id, sum->parameters, seal.surplus()),
                     seal);
    };
    if (plan_.see_message) {
      hooks.before_sealing = [this](Bytes& message) {
        plan_.see_message(message);
        return true;
      };
    }
    hooks.join_sum = [this, rank](Residues part) { network_->join_sum_from(rank, std::move(part)); };
    hooks.round_ended = [this](ByteView, bool released) { released_.push_back(released); };
    return {WorkerOptions{.rank = rank,
                          .merchants_min = hidden() ? plan_.merchants_min : 1,
                          .encryption = plan_.encryption,
                          .graph = {.threshold = plan_.threshold},
                          .tree = plan_.tree,
                          .remove_surplus = plan_.remove_surplus,
                          .coordinator = identity_.public_key(),
                          .paillier = modulus(),
                          .aborts_max = plan_.aborts_max},
            std::move(merchants), std::move(hooks), *random_};
  }

  Plan plan_;
  std::unique_ptr<DeterministicSecureRandom> random_;
  SigningKey identity_;
  CoordinatorSession session_;
  std::vector<WorkerNode> nodes_;
  std::optional<ArbiterNode> arbiter_;
  SimulatedNetwork* network_ = nullptr;
  std::vector<FromWorker> early_;
  std::vector<bool> released_;
  int deadlines_ = 0;
};

}  // namespace hanse
