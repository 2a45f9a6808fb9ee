#include "tests/benchmarks/timed_federation.h"

#include <deque>
#include <utility>

#include "common/base/check.h"
#include "coordinator/coordinator_round.h"
#include "privacy/pipeline.h"

namespace hanse {
namespace {

std::string name_of_merchant(std::uint32_t id) {
  const std::string digits = std::to_string(id);
  return "m" + std::string(5 - digits.size(), '0') + digits;
}

std::int64_t contribution_of(std::uint32_t id) {
  return std::int64_t{id} + 1;
}

}  // namespace

TimedFederation::TimedFederation(Plan plan)
    : plan_(plan),
      parameters_{.length = plan.length,
                  .clip_norm = 1 << 20,
                  .grid_bits = 20,
                  .ring = plan.ring,
                  .units_max = 1,
                  .share_variance = 0,
                  .shares_min = 3,
                  .merchants_max = plan.merchants},
      identity_(SigningKey::generate(random_)),
      session_({.workers = plan.workers}, identity_, random_) {
  for (Peer rank = 1; rank <= plan.workers; ++rank) {
    nodes_.push_back(make_node(rank));
  }
  join();
}

WorkerNode TimedFederation::make_node(Peer rank) {
  std::vector<HostedMerchant> merchants;
  for (std::uint32_t id = rank - 1; id < plan_.merchants; id += plan_.workers) {
    merchants.push_back({name_of_merchant(id), SigningKey::generate(random_)});
  }
  WorkerHooks hooks;
  hooks.accept_round = [this](const StartView&) -> Result<SumParameters> { return parameters_; };
  hooks.prepare = [this](std::uint32_t id, const Seal& seal) {
    data_.start();
    const UnitSource units = [&](const std::function<void(const Contribution&)>& take) {
      Contribution contribution;
      contribution.add(0, static_cast<double>(contribution_of(id)));
      take(contribution);
    };
    NoisedSum sum = NoisedSum::of(EncodedSum::of(LocalSum::of(units, parameters_)),
                                  NoiseShare::draw(parameters_, random_));
    data_.stop();
    return SealedSum::of(std::move(sum), parameters_, seal);
  };
  return {WorkerOptions{.rank = rank, .merchants_min = 3, .aborts_max = 1u << 30}, std::move(merchants),
          std::move(hooks), random_};
}

void TimedFederation::join() {
  CpuStopwatch workers;
  CpuStopwatch coordinator;
  std::deque<std::pair<Peer, Bytes>> to_coordinator;
  for (Peer rank = 1; rank <= plan_.workers; ++rank) {
    const Timed timed(workers);
    to_coordinator.emplace_back(rank, nodes_[rank - 1].hail());
  }
  for (; !to_coordinator.empty(); to_coordinator.pop_front()) {
    std::vector<Outgoing> answers;
    {
      const Timed timed(coordinator);
      answers = session_.handle(to_coordinator.front().first, to_coordinator.front().second);
    }
    for (const Outgoing& out : answers) {
      const Timed timed(workers);
      for (Bytes& answer : nodes_[out.to - 1].handle(out.message)) {
        to_coordinator.emplace_back(out.to, std::move(answer));
      }
    }
  }
  check(session_.ready(), "the session of a benchmark stands");
  joining_ = {.workers = workers.seconds(), .coordinator = coordinator.seconds()};
}

namespace {

bool goes_silent(const TimedFederation::DropOuts& drop_outs, ByteView message) {
  const auto envelope = open_envelope(message);
  check(envelope.ok(), "a worker's message has a header");
  switch (envelope->type) {
    case MessageType::share:
      return false;
    case MessageType::upload:
      return drop_outs.before_upload.contains(envelope->merchant);
    default:
      return drop_outs.before_upload.contains(envelope->merchant) ||
             drop_outs.after_upload.contains(envelope->merchant);
  }
}

void check_sum(const CoordinatorRound& round, std::uint32_t merchants,
               const TimedFederation::DropOuts& drop_outs) {
  check(round.summed() != nullptr, "the round of a benchmark ends with a sum");
  std::int64_t expected = 0;
  for (std::uint32_t id = 0; id < merchants; ++id) {
    expected += drop_outs.before_upload.contains(id) ? 0 : contribution_of(id);
  }
  check(round.summed()->entries.front() == expected, "the sum of a benchmark is exact");
}

}  // namespace

TimedFederation::Cost TimedFederation::run_round(const DropOuts& drop_outs) {
  CpuStopwatch workers;
  CpuStopwatch coordinator;
  CpuStopwatch link;
  std::uint64_t upstream = 0;
  data_ = {};
  RoundRequest request{.round = ++round_, .parameters = parameters_, .payload = {}, .merchants = {}};
  for (std::uint32_t id = 0; id < plan_.merchants; ++id) {
    request.merchants.push_back(id);
  }

  std::deque<Outgoing> to_workers;
  const auto post = [&](const std::vector<ToWorker>& messages) {
    const Timed timed(link);
    for (Outgoing& sealed : session_.seal(messages)) {
      to_workers.push_back(std::move(sealed));
    }
  };
  const auto timed_step = [&](auto&& act) {
    std::vector<ToWorker> messages;
    {
      const Timed timed(coordinator);
      messages = act();
    }
    post(messages);
  };
  const auto receive = [&](Peer from, const Bytes& box) {
    link.start();
    const auto message = session_.open(from, box);
    link.stop();
    check(message.ok(), "the links of a benchmark hold");
    if (!goes_silent(drop_outs, message->message)) {
      upstream += message->message.size();
      return std::optional(*message);
    }
    return std::optional<FromWorker>();
  };

  CoordinatorRound round(session_, std::move(request));
  timed_step([&] { return round.begin(); });
  while (!round.ended()) {
    if (to_workers.empty()) {
      timed_step([&] { return round.deadline_passed(); });
      continue;
    }
    const Outgoing next = std::move(to_workers.front());
    to_workers.pop_front();
    workers.start();
    nodes_[next.to - 1].handle(next.message, [&](Bytes box) {
      workers.stop();
      if (const auto message = receive(next.to, box); message && !round.ended()) {
        timed_step([&] { return round.step(*message); });
      }
      workers.start();
    });
    workers.stop();
  }
  check_sum(round, plan_.merchants, drop_outs);
  timed_step([&] { return round.announce({}); });
  for (; !to_workers.empty(); to_workers.pop_front()) {
    const Timed timed(workers);
    (void)nodes_[to_workers.front().to - 1].handle(to_workers.front().message);
  }
  return {.workers = workers.seconds() - data_.seconds(),
          .coordinator = coordinator.seconds(),
          .coordinator_link = link.seconds(),
          .upstream = upstream};
}

}  // namespace hanse
