#include "common/workloads/catalogue.h"

#include <utility>

#include "common/base/failure.h"
#include "common/data/cleaning.h"
#include "common/workloads/bayesian_network.h"
#include "common/workloads/by_group.h"
#include "common/workloads/counts.h"
#include "common/workloads/covariance.h"
#include "common/workloads/factorization_machine.h"
#include "common/workloads/implicit_factorization.h"
#include "common/workloads/item_similarity.h"
#include "common/workloads/linear_regression.h"
#include "common/workloads/logistic_regression.h"
#include "common/workloads/markov_chain.h"
#include "common/workloads/matrix_factorization.h"
#include "common/workloads/personalised.h"
#include "common/workloads/preparation.h"
#include "common/workloads/segments.h"
#include "common/workloads/softmax_regression.h"
#include "common/workloads/trend.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

/// With the merchants' own part where it is asked for.
std::unique_ptr<Workload> with_own_part(std::unique_ptr<Workload> workload,
                                        const Configuration& configuration, const WorkloadFacts& facts) {
  const OtherOptions& other = configuration.workload.other;
  const OwnKind kind = own_kind(configuration);
  if (kind == OwnKind::none) {
    return workload;
  }
  if (facts.kind != RowKind::record ||
      (facts.label != LabelKind::binary && facts.label != LabelKind::number) ||
      !workload->scorer(workload->initial_model(0))) {
    throw bad_input("workload.own: workload.name=" + configuration.workload.name +
                    " has no part that stays at the merchant; leave it out");
  }
  Personalised::Options options;
  options.kind = kind;
  options.l2 = number_option(other, "own_l2", options.l2);
  options.alone_l2 = number_option(other, "alone_l2", options.alone_l2);
  options.width = facts.width;
  options.numeric_label = facts.label == LabelKind::number;
  options.label_low = facts.label_low;
  options.label_high = facts.label_high;
  options.label_declared = facts.label_declared;
  options.unit = configuration.privacy.unit;
  options.test_rows_per_unit = number_option(other, "test_rows_per_unit", 0);
  options.max_units = configuration.data.max_units;
  return std::make_unique<Personalised>(std::move(workload), options);
}

/// With test figures by group where they are asked for.
std::unique_ptr<Workload> with_groups(std::unique_ptr<Workload> workload, const Configuration& configuration,
                                      const WorkloadFacts& facts) {
  const OtherOptions& other = configuration.workload.other;
  const auto group = other.find("group");
  if (group == other.end()) {
    return workload;
  }
  if (facts.kind != RowKind::record || facts.label == LabelKind::none ||
      own_kind(configuration) != OwnKind::none) {
    throw bad_input(
        "workload.group compares predictions of rows with a label, of one model for all: leave it out, or "
        "workload.own");
  }
  ByGroup::Options options;
  options.group = group->second;
  options.space = facts.space;
  options.mean = facts.mean;
  options.deviation = facts.deviation;
  options.unit = configuration.privacy.unit;
  options.min_contributors = configuration.privacy.min_contributors;
  options.alone = facts.merchants == 1;
  options.max_units = configuration.data.max_units;
  return std::make_unique<ByGroup>(std::move(workload), std::move(options));
}

struct Entry {
  const char* name;
  std::unique_ptr<Workload> (*make)(const Configuration&, const WorkloadFacts&);
};
constexpr Entry kCatalogue[] = {
    {"logistic", make_logistic_regression},
    {"linear", make_linear_regression},
    {"softmax", make_softmax_regression},
    {"matrix-factorization", make_matrix_factorization},
    {"implicit-matrix-factorization", make_implicit_factorization},
    {"item-similarity", make_item_similarity},
    {"factorization-machine", make_factorization_machine},
    {"markov-chain", make_markov_chain},
    {"bayesian-network", make_bayesian_network},
    {"trend", make_trend},
    {"covariance", make_covariance},
    {"segments", make_segments},
    {"counts", make_counts},
};

}  // namespace

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kCatalogue) {
    names.emplace_back(entry.name);
  }
  return names;
}

std::unique_ptr<Workload> make_workload(const Configuration& configuration, const WorkloadFacts& facts) {
  if (facts.label == LabelKind::number) {
    refuse_small_ring(configuration, "a label that is a number");
  }
  std::string names;
  for (const Entry& entry : kCatalogue) {
    if (configuration.workload.name == entry.name) {
      return with_groups(with_own_part(entry.make(configuration, facts), configuration, facts), configuration,
                         facts);
    }
    names += (names.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw bad_input("workload.name: expected one of " + names + "; got '" + configuration.workload.name + "'");
}

Preparation make_preparation(const Configuration& configuration, const FeatureSpace& space, RowKind kind,
                             std::uint32_t merchants, double noise_multiplier) {
  const OtherOptions& other = configuration.workload.other;
  Preparation::Options options;
  options.space = space;
  options.kind = kind;
  options.unit = configuration.privacy.unit;
  options.standardise = configuration.data.standardise;
  options.noise_multiplier = noise_multiplier;
  options.min_contributors = configuration.privacy.min_contributors;
  options.alone = merchants == 1;
  options.kept_at_least = number_option(other, "kept_at_least", 1);
  options.rows_per_unit = number_option(other, "rows_per_unit", 0);
  options.words_per_unit = number_option(other, "words_per_unit", 0);
  options.outlier_limit = read_cleaning(configuration.data.clean).outlier_limit;
  options.max_units = configuration.data.max_units;
  return Preparation(std::move(options));
}

std::vector<PrivateSum> planned_sums(const Workload& workload, std::uint64_t seed, std::uint32_t rounds) {
  std::vector<PrivateSum> sums;
  Model model = workload.initial_model(seed);
  std::uint32_t updates = 0;
  while (const std::optional<PrivateSum> sum = workload.next_sum(model)) {
    updates += sum->purpose == Purpose::update ? 1u : 0u;
    if (updates > rounds) {
      break;
    }
    sums.push_back(*sum);
    ++model.step;
  }
  return sums;
}

}  // namespace hanse
