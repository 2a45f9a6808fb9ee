#pragma once

#include <cmath>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/failure.h"
#include "common/config/configuration.h"
#include "common/numerics/server_optimizer.h"
#include "common/workloads/facts.h"
#include "common/workloads/own_part.h"

namespace hanse {

// How workloads read what a configuration says of them. All throw bad_input naming the key.

/// Keys of [workload] that only some workloads know, by their names.
using OtherOptions = std::map<std::string, std::string>;

/// A number that is not negative; `fallback` where the configuration has none.
double number_option(const OtherOptions& other, const std::string& key, double fallback);

/// A whole number.
template <class Count>
Count count_option(const OtherOptions& other, const std::string& key, Count fallback) {
  const double value = number_option(other, key, static_cast<double>(fallback));
  if (value != std::floor(value) || value > 4e9) {
    throw bad_input("workload." + key + ": expected a whole number below 4e9");
  }
  return static_cast<Count>(value);
}

/// Words between commas, without the white space around them.
std::vector<std::string> list_option(const OtherOptions& other, const std::string& key);

/// True or false.
bool flag_option(const OtherOptions& other, const std::string& key, bool fallback);

/// workload.solver, by the names that the workload knows.
template <class Solver>
Solver solver_option(const Configuration::WorkloadOptions& workload,
                     std::initializer_list<std::pair<const char*, Solver>> known) {
  std::string names;
  std::size_t left = known.size();
  for (const auto& [name, solver] : known) {
    if (workload.solver == name) {
      return solver;
    }
    --left;
    names += std::string(name) + (left > 1 ? ", " : left == 1 ? " or " : "");
  }
  throw bad_input("workload.solver: expected " + names + " for " + workload.name + "; got '" +
                  workload.solver + "'");
}

/// [server].
ServerOptimizer::Options server_options(const Configuration& configuration);

/// Part of the units that a training sum is likely to have.
double expected_share(const Configuration& configuration);

/// Whether merchants weigh the same in an average of `local` steps, whatever their rows: workload.weights.
bool equal_weights(const Configuration& configuration, bool local);

/// workload.own.
OwnKind own_kind(const Configuration& configuration);

/// For workloads of records: refuses other rows, and a label of another kind than these.
void needs_records(const Configuration& configuration, const WorkloadFacts& facts,
                   std::initializer_list<LabelKind> labels);

/// For workloads of one round: refuses what takes several.
void refuse_more_rounds(const Configuration& configuration);

/// Where numbers are summed exactly in two parts (common/workloads/two_parts.h) without a unit of privacy: refuses a ring of
/// 32 bits, which has no grid that is fine enough.
void refuse_small_ring(const Configuration& configuration, const std::string& what);

/// Refuses privacy.turns where a pass over the model takes `sums_a_pass` > 1 sums.
void refuse_turns_of_parts(const Configuration& configuration, std::size_t sums_a_pass);

}  // namespace hanse
