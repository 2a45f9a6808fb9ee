#include <benchmark/benchmark.h>

#include <functional>
#include <memory>

#include "tests/benchmarks/measurements.h"
#include "tests/benchmarks/timed_federation.h"

namespace hanse {
namespace {

using benchmark::State;
using Cost = TimedFederation::Cost;

/// Made when the first benchmark needs it, kept for its repetitions: a session serves many rounds.
TimedFederation& federation(const TimedFederation::Plan& plan) {
  static std::map<std::uint32_t, std::unique_ptr<TimedFederation>> federations;
  auto& one = federations[plan.merchants];
  if (!one) {
    one = std::make_unique<TimedFederation>(plan);
  }
  return *one;
}

std::set<std::uint32_t> ids(std::uint32_t begin, std::uint32_t end) {
  std::set<std::uint32_t> set;
  for (std::uint32_t id = begin; id < end; ++id) {
    set.insert(set.end(), id);
  }
  return set;
}

constexpr TimedFederation::Plan kThirtyTwo{.merchants = 32, .workers = 32, .length = 100'000};
constexpr TimedFederation::Plan kHundred{.merchants = 100, .workers = 4, .length = 100'000};
constexpr TimedFederation::Plan kThousand{.merchants = 1000, .workers = 4, .length = 10'000};

/// Runs whole rounds and counts what `part` takes of their cost.
void rounds(State& state, const TimedFederation::Plan& plan, const TimedFederation::DropOuts& drop_outs,
            const std::function<double(const Cost&)>& part) {
  TimedFederation& all = federation(plan);
  std::uint64_t upstream = 0;
  for (auto _ : state) {
    const Cost cost = all.run_round(drop_outs);
    state.SetIterationTime(part(cost));
    upstream = cost.upstream;
  }
  // Bytes of a merchant beyond its residues, for each neighbour; without drop-outs all send everything.
  const double vector = 4.0 * static_cast<double>(plan.length);
  state.counters["bytes"] = (static_cast<double>(upstream) / plan.merchants - vector) /
                            static_cast<double>(all.neighbours_of_one());
}

void join(State& state, const TimedFederation::Plan& plan) {
  for (auto _ : state) {
    const TimedFederation all(plan);
    state.SetIterationTime(all.joining().workers);
    state.SetItemsProcessed(static_cast<std::int64_t>(plan.merchants * all.neighbours_of_one()));
  }
}

void register_round(const char* name, const TimedFederation::Plan& plan,
                    const TimedFederation::DropOuts& drop_outs, std::function<double(const Cost&)> part,
                    int repetitions) {
  benchmark::RegisterBenchmark(name, [=](State& state) { rounds(state, plan, drop_outs, part); })
      ->UseManualTime()
      ->Iterations(1)
      ->Repetitions(repetitions);
}

}  // namespace

void register_rounds(int repetitions) {
  const TimedFederation::DropOuts ten_and_ten{.before_upload = ids(0, 10), .after_upload = ids(10, 20)};
  const TimedFederation::DropOuts fifty{.before_upload = ids(0, 25), .after_upload = ids(25, 50)};
  benchmark::RegisterBenchmark("session of 32: all merchants", [](State& state) { join(state, kThirtyTwo); })
      ->UseManualTime()
      ->Iterations(1)
      ->Repetitions(repetitions);
  register_round(
      "round of 32, 100,000 entries: a merchant", kThirtyTwo, {},
      [](const Cost& cost) { return cost.workers / kThirtyTwo.merchants; }, 3 * repetitions);
  register_round(
      "round of 32, 100,000 entries: the coordinator", kThirtyTwo, {},
      [](const Cost& cost) { return cost.coordinator; }, repetitions);
  register_round(
      "round of 100, 10 + 10 drop-outs: the coordinator", kHundred, ten_and_ten,
      [](const Cost& cost) { return cost.coordinator; }, 2 * repetitions);
  register_round(
      "round of 100, 10 + 10 drop-outs: its links", kHundred, ten_and_ten,
      [](const Cost& cost) { return cost.coordinator_link; }, repetitions);
  register_round(
      "round of 1000, 5 % drop-outs: everyone", kThousand, fifty,
      [](const Cost& cost) { return cost.total(); }, repetitions);
  register_round(
      "round of 1000, 5 % drop-outs: the coordinator", kThousand, fifty,
      [](const Cost& cost) { return cost.coordinator; }, repetitions);
}

}  // namespace hanse
