#include "common/workloads/workload_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

namespace hanse {

double number_option(const OtherOptions& other, const std::string& key, double fallback) {
  const auto found = other.find(key);
  if (found == other.end()) {
    return fallback;
  }
  const std::string& text = found->second;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0)) {
    throw bad_input("workload." + key + ": expected a number that is not negative; got '" + text + "'");
  }
  return value;
}

std::vector<std::string> list_option(const OtherOptions& other, const std::string& key) {
  std::vector<std::string> words;
  if (const auto found = other.find(key); found != other.end()) {
    std::istringstream text(found->second);
    for (std::string word; std::getline(text, word, ',');) {
      const std::size_t begin = word.find_first_not_of(" \t");
      if (begin == std::string::npos) {
        throw bad_input("workload." + key + ": an empty entry in '" + found->second + "'");
      }
      words.push_back(word.substr(begin, word.find_last_not_of(" \t") + 1 - begin));
    }
  }
  return words;
}

/// The table of keys lets true and false through only.
bool flag_option(const OtherOptions& other, const std::string& key, bool fallback) {
  const auto found = other.find(key);
  return found == other.end() ? fallback : found->second == "true";
}

ServerOptimizer::Options server_options(const Configuration& configuration) {
  ServerOptimizer::Options options;
  options.name = configuration.server.optimizer;
  options.learning_rate = configuration.server.learning_rate;
  options.momentum = configuration.server.momentum;
  return options;
}

double expected_share(const Configuration& configuration) {
  return configuration.federation.cohort * configuration.privacy.sampling_rate / configuration.privacy.turns;
}

bool equal_weights(const Configuration& configuration, bool local) {
  const Unit unit = configuration.privacy.unit;
  std::string weights = unit == Unit::none ? "rows" : "equal";
  const OtherOptions& other = configuration.workload.other;
  if (const auto found = other.find("weights"); found != other.end()) {
    weights = found->second;
  }
  if (weights != "rows" && weights != "equal") {
    throw bad_input("workload.weights: expected rows or equal; got '" + weights + "'");
  }
  if (weights == "rows" && unit == Unit::merchant && local) {
    throw bad_input(
        "workload.weights=rows would let one merchant weigh more than privacy.clip allows: with "
        "privacy.unit=merchant use workload.weights=equal");
  }
  return weights == "equal";
}

void needs_records(const Configuration& configuration, const WorkloadFacts& facts,
                   std::initializer_list<LabelKind> labels) {
  const std::string who = "workload.name=" + configuration.workload.name;
  if (facts.kind != RowKind::record) {
    throw bad_input(who + " needs records: set data.format to csv or libsvm");
  }
  if (std::ranges::find(labels, facts.label) != labels.end()) {
    return;
  }
  switch (facts.label) {
    case LabelKind::none:
      throw bad_input("data.label is missing: name the column that " + who + " predicts");
    case LabelKind::number:
      throw bad_input("workload.task=regression: " + who + " does not predict numbers; linear does");
    case LabelKind::one_of_many:
      throw bad_input("workload.task=multiclass: " + who + " does not tell many classes apart; softmax does");
    case LabelKind::binary:
      throw bad_input("workload.task=classification: " + who + " does not tell 0 from 1; logistic does");
  }
}

OwnKind own_kind(const Configuration& configuration) {
  const auto found = configuration.workload.other.find("own");
  return found == configuration.workload.other.end() ? OwnKind::none : own_kind_of(found->second);
}

void refuse_more_rounds(const Configuration& configuration) {
  if (configuration.privacy.turns > 1 || configuration.privacy.adaptive_clip) {
    throw bad_input("workload.name=" + configuration.workload.name +
                    " has one round: leave out privacy.turns and privacy.adaptive_clip");
  }
}

void refuse_small_ring(const Configuration& configuration, const std::string& what) {
  if (configuration.privacy.unit == Unit::none && configuration.aggregation.ring == "32") {
    throw bad_input("aggregation.ring=32 has too few digits for " + what +
                    " without a unit of privacy: leave it at auto");
  }
}

/// Where units take turns, all training sums are rows of one kind; and parts of the model that took turns as well would meet
/// the same units again and again.
void refuse_turns_of_parts(const Configuration& configuration, std::size_t sums_a_pass) {
  if (configuration.privacy.turns > 1 && sums_a_pass > 1) {
    throw bad_input(
        "privacy.turns needs training sums that are all alike, but the equations of all items take " +
        std::to_string(sums_a_pass) +
        " sums: raise workload.entries_per_sum, lower workload.rank, or leave out privacy.turns");
  }
}

}  // namespace hanse
