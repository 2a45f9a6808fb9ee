#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

namespace hanse {

/// The best of all repetitions of one benchmark: the one that was disturbed least.
struct Measurement {
  std::string name;
  double seconds = 0;   ///< CPU time of one iteration.
  double per_item = 0;  ///< Seconds of CPU time an item; 0 when it counts none.
  double bytes = 0;     ///< The counter of that name, if the benchmark has one.
};

/// Gathers minima in place of Google Benchmark's own lines, which would be one for each repetition.
class Measurements final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;

  /// In the order in which they were registered.
  std::vector<Measurement> all() const;
  /// That of a name, or null when it was not run.
  const Measurement* find(const std::string& name) const;

 private:
  std::map<std::pair<std::int64_t, std::int64_t>, Measurement> best_;
};

/// Fill the registry of Google Benchmark. Rounds are long and repeated less often, `repetitions` times.
void register_primitives();
void register_factorization(int repetitions);
void register_ratings(int repetitions);
void register_accounting();
void register_logistic();
void register_rounds(int repetitions);
void register_ledgers(int repetitions);

/// Prints every measurement, then each bar with what was measured; false when one is missed. Bars whose benchmarks were
/// filtered away are left out.
bool print_verdict(const Measurements& measurements);

}  // namespace hanse
