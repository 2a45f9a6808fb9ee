#include "common/workloads/task.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "common/base/failure.h"
#include "common/data/cleaning.h"
#include "common/data/feature_space.h"
#include "common/workloads/adaptive_clip.h"

namespace hanse {

std::uint64_t PlannedSums::of(Purpose purpose) const {
  switch (purpose) {
    case Purpose::statistics:
      return statistics;
    case Purpose::update:
      return updates;
    case Purpose::evaluation:
      return evaluations;
  }
  return 0;
}

namespace {

/// Units that a training round is likely to have, from public numbers alone: where nobody counted customers, a customer is
/// taken for eight rows.
double expected_units(const Configuration& configuration, const WorkloadFacts& facts) {
  const Configuration::Privacy& privacy = configuration.privacy;
  if (privacy.expected_units > 0) {
    return std::max(privacy.expected_units, 1.0);
  }
  const double rows_per_unit = is_customer(privacy.unit) && facts.kind == RowKind::record ? 8 : 1;
  const double units = privacy.unit == Unit::merchant ? facts.merchants : facts.train_rows / rows_per_unit;
  return std::max(units * privacy.sampling_rate * configuration.federation.cohort, 1.0);
}

}  // namespace

Task::Task(Configuration configuration, FeatureSpace space, RowKind kind, std::uint32_t merchants,
           double statistics_noise, double update_noise)
    : configuration_(std::move(configuration)),
      space_(std::move(space)),
      kind_(kind),
      merchants_(merchants),
      update_noise_(update_noise),
      preparation_(make_preparation(configuration_, space_, kind_, merchants, statistics_noise)) {}

std::unique_ptr<Workload> Task::training(const Model& preparation) const {
  WorkloadFacts facts = facts_of(space_, kind_, preparation_.encoding(preparation), merchants_);
  facts.update_noise = update_noise_;
  std::unique_ptr<Workload> workload = make_workload(configuration_, facts);
  const Configuration::Privacy& privacy = configuration_.privacy;
  if (!privacy.adaptive_clip) {
    return workload;
  }
  return std::make_unique<AdaptiveClip>(
      std::move(workload),
      AdaptiveClip::Options{
          .start = privacy.clip,
          .quantile = privacy.clip_quantile,
          .learning_rate = privacy.clip_learning_rate,
          .expected_units = expected_units(configuration_, facts),
          .noise_multiplier = update_noise_,
          .merchants_per_unit =
              privacy.unit == Unit::customer ? static_cast<double>(privacy.max_merchants_per_customer) : 1});
}

std::uint64_t training_rounds(const Configuration& configuration, const Workload& workload) {
  const std::vector<PrivateSum> sums =
      planned_sums(workload, configuration.federation.seed, configuration.federation.rounds);
  return static_cast<std::uint64_t>(
      std::ranges::count(sums, Purpose::update, [](const PrivateSum& sum) { return sum.purpose; }));
}

bool evaluates_after(const Configuration& configuration, std::uint64_t round, bool last) {
  const bool noisy = configuration.privacy.unit != Unit::none;
  const std::uint64_t chosen = configuration.federation.evaluate_every;
  const bool in_turn = chosen > 0 ? round % chosen == 0 : !noisy;
  return configuration.data.test != "none" && (last || in_turn);
}

void check_task(const Configuration& configuration) {
  const FeatureSpace space = feature_space(configuration);
  read_cleaning(configuration.data.clean);
  const Configuration::Privacy& privacy = configuration.privacy;
  if (space.label == LabelKind::number && std::isnan(space.label_low) && privacy.unit != Unit::none) {
    throw bad_input("data.label: privacy needs the public range of the label, for instance data.label=" +
                    (configuration.data.label.empty() ? "label" : configuration.data.label) + "[0..10]");
  }
  if (is_customer(privacy.unit) && configuration.data.customer.empty()) {
    throw bad_input("privacy.unit=" + std::string(name_of(privacy.unit)) +
                    " needs data.customer, the column that names the customer of a row");
  }
  constexpr std::uint32_t merchants = 3;  // Any number above one: it changes no sum.
  const PlannedSums planned = count_sums(configuration, space, row_kind(configuration), merchants);
  // A session's keys are made for 2^16 rounds; repeated ones need some room.
  if (planned.statistics + planned.updates + planned.evaluations > 60000) {
    throw bad_input("federation.rounds: at most 60000 sums fit into one run, evaluations included; got " +
                    std::to_string(planned.statistics + planned.updates + planned.evaluations));
  }
}

PlannedSums count_sums(const Configuration& configuration, const FeatureSpace& space, RowKind kind,
                       std::uint32_t merchants) {
  PlannedSums planned;
  const auto count = [&](const PrivateSum& sum) {
    ++(sum.purpose == Purpose::statistics ? planned.statistics : planned.updates);
  };
  const Preparation preparation = make_preparation(configuration, space, kind, merchants, 0);
  for (Model model = preparation.initial_model(0); const auto sum = preparation.next_sum(model);
       ++model.step) {
    count(*sum);
  }
  WorkloadFacts facts = facts_of(space, kind, identity_encoding(space), merchants);
  facts.train_rows =
      1;  // Not known yet, and of no influence on which sums there are: nor is a label's range.
  if (facts.label == LabelKind::number && std::isnan(facts.label_low)) {
    facts.label_low = -1;
    facts.label_high = 1;
  }
  const std::unique_ptr<Workload> workload = make_workload(configuration, facts);
  for (const PrivateSum& sum :
       hanse::planned_sums(*workload, configuration.federation.seed, configuration.federation.rounds)) {
    count(sum);
  }
  for (std::uint64_t round = 1; round <= planned.updates; ++round) {
    planned.evaluations += evaluates_after(configuration, round, round == planned.updates) ? 1u : 0u;
  }
  return planned;
}

}  // namespace hanse
