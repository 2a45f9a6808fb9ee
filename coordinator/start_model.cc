#include "coordinator/start_model.h"

#include "common/base/failure.h"
#include "common/data/feature_space.h"
#include "common/workloads/catalogue.h"
#include "common/workloads/facts.h"
#include "privacy/published/model_file.h"

namespace hanse {
namespace {

std::vector<double> values_of(const PublishedModel& model, std::string_view name) {
  const NamedArray* array = model.find(name);
  return array == nullptr ? std::vector<double>() : array->values;
}

}  // namespace

std::optional<SavedModel> read_start_model(const Configuration& configuration) {
  const std::string& start = configuration.federation.start;
  if (start.empty()) {
    return std::nullopt;
  }
  const PublishedModel model = read_model(start);
  if (model.workload != configuration.workload.name) {
    throw bad_input("federation.start: the model in " + start + " is of workload " + model.workload +
                    ", and workload.name is " + configuration.workload.name);
  }
  return SavedModel{.arrays = model.arrays,
                    .columns = model.columns,
                    .mean = values_of(model, "mean"),
                    .deviation = values_of(model, "deviation")};
}

void check_start_model(const Configuration& configuration) {
  if (const auto saved = read_start_model(configuration)) {
    const FeatureSpace space = feature_space(configuration);
    WorkloadFacts facts = facts_of(space, row_kind(configuration), identity_encoding(space), 3);
    facts.train_rows = 1;  // Nobody counted yet; no shape depends on it.
    if (facts.label == LabelKind::number && !facts.label_declared) {
      facts.label_low = -1;
      facts.label_high = 1;
    }
    const auto workload = make_workload(configuration, facts);
    Model model = workload->initial_model(configuration.federation.seed);
    workload->start_from(*saved, model);
  }
}

}  // namespace hanse
