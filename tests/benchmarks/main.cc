// hanse-benchmarks [--smoke] [--benchmark_...]: measures, prints, and exits with 1 when a bar is missed. --smoke runs
// nearly everything once and briefly, and never fails on speed: what continuous integration asks.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string_view>
#include <vector>

#include "common/base/memory.h"
#include "tests/benchmarks/measurements.h"

int main(int count, char** arguments) {
  hanse::keep_freed_memory();  // As the programs do.
  bool smoke = false;
  // Defaults first, so that what is asked for on the command line comes after them and holds.
  std::vector<char*> all = {arguments[0]};
  char interleaved[] = "--benchmark_enable_random_interleaving=true";
  char repetitions[] = "--benchmark_repetitions=25";
  char shortly[] = "--benchmark_min_time=0.02";
  char once[] = "--benchmark_repetitions=1";
  char briefly[] = "--benchmark_min_time=0.001";
  char without_the_longest[] = "--benchmark_filter=-of 1000";
  for (int i = 1; i < count; ++i) {
    smoke = smoke || std::string_view(arguments[i]) == "--smoke";
  }
  all.push_back(interleaved);
  all.push_back(smoke ? once : repetitions);
  all.push_back(smoke ? briefly : shortly);
  if (smoke) {
    all.push_back(without_the_longest);
  }
  for (int i = 1; i < count; ++i) {
    if (std::string_view(arguments[i]) != "--smoke") {
      all.push_back(arguments[i]);
    }
  }
  int used = static_cast<int>(all.size());
  benchmark::Initialize(&used, all.data());
  if (benchmark::ReportUnrecognizedArguments(used, all.data())) {
    return 2;
  }

  hanse::register_primitives();
  hanse::register_factorization(smoke ? 1 : 5);
  hanse::register_ratings(smoke ? 1 : 5);
  hanse::register_accounting();
  hanse::register_logistic();
  hanse::register_rounds(smoke ? 1 : 5);
  hanse::register_ledgers(smoke ? 1 : 5);
  hanse::Measurements measurements;
  if (benchmark::RunSpecifiedBenchmarks(&measurements) == 0) {
    std::fputs("no benchmark has such a name\n", stderr);
    return 2;
  }
  const bool holds = print_verdict(measurements);
  return holds || smoke ? 0 : 1;
}
