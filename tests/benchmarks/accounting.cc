// Accountants, in settings that other accountants are timed on too.

#include <benchmark/benchmark.h>

#include <vector>

#include "privacy/accounting/calibrate.h"
#include "privacy/accounting/pld.h"
#include "privacy/accounting/rdp.h"
#include "privacy/accounting/sensitivity.h"
#include "tests/benchmarks/measurements.h"

namespace hanse {
namespace {

using benchmark::DoNotOptimize;
using benchmark::State;

DpEvent sampled(double z, double q, std::uint64_t count) {
  return {.noise = NoiseLaw::gaussian, .noise_multiplier = z, .sampling_rate = q, .count = count};
}

void bracket(State& state, const std::vector<DpEvent>& events, double delta) {
  for (auto _ : state) {
    PldAccountant accountant;
    for (const DpEvent& event : events) {
      accountant.compose(event);
    }
    DoNotOptimize(accountant.epsilon(delta));
  }
}

void renyi(State& state) {
  const std::vector<DpEvent> events = {sampled(1.5, 0.04, 2250)};
  for (auto _ : state) {
    DoNotOptimize(epsilon(events, 1e-5));
  }
}

void calibrate(State& state) {
  const auto plan = [](double z) { return std::vector{sampled(z, 0.02, 500)}; };
  for (auto _ : state) {
    DoNotOptimize(calibrate_by_pld(plan, 3, 1e-6));
  }
}

void tree(State& state) {
  for (auto _ : state) {
    DoNotOptimize(tree_sensitivity_squared({.most = 6, .separation = 313, .steps = 2000}));
  }
}

}  // namespace

void register_accounting() {
  using benchmark::RegisterBenchmark;
  std::vector<DpEvent> different;
  for (int round = 0; round < 100; ++round) {
    different.push_back(sampled(2 + 0.05 * round, 0.1 + 0.002 * round, 1));
  }
  RegisterBenchmark("RDP: 156 orders of a sampled round", renyi);
  RegisterBenchmark("PLD: 2250 rounds at 0.04", bracket, std::vector{sampled(1.5, 0.04, 2250)}, 1e-5);
  RegisterBenchmark("PLD: 20,000 rounds at 0.05", bracket, std::vector{sampled(1.5, 0.05, 20'000)}, 1e-6);
  RegisterBenchmark("PLD: 100 different rounds", bracket, different, 1e-6);
  RegisterBenchmark("PLD: noise for a wished epsilon", calibrate);
  RegisterBenchmark("tree of 2000 leaves: sensitivity", tree);
}

}  // namespace hanse
