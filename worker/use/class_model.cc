#include "worker/use/class_model.h"

#include <algorithm>
#include <cmath>

#include "common/base/failure.h"
#include "common/data/feature_space.h"

namespace hanse {
namespace {

std::vector<std::string> classes_of(const AppliedModel& model, const std::filesystem::path& folder) {
  if (model.workload() != "softmax" || label_kind(model.configuration) != LabelKind::one_of_many) {
    throw bad_input(model.origin + " is a model of " + model.workload() + ", which tells no classes");
  }
  Configuration configuration = model.configuration;
  configuration.data.path = (folder / "data").string();
  return class_vocabulary(configuration).words();
}

}  // namespace

ClassModel::ClassModel(const AppliedModel& model, const std::filesystem::path& folder)
    : classes_(classes_of(model, folder)),
      columns_(std::max<std::size_t>(model.published.columns.size(), 1) - 1),
      weights_(model.array("weights", columns_ * classes_.size()).values),
      intercepts_(model.array("intercepts", classes_.size()).values) {}

std::vector<double> ClassModel::probabilities(const SparseRow& row) const {
  std::vector<double> scores = intercepts_;
  for (std::size_t i = 0; i < row.columns.size() && row.columns[i] < columns_; ++i) {
    for (std::size_t c = 0; c < scores.size(); ++c) {
      scores[c] += weights_[row.columns[i] * scores.size() + c] * static_cast<double>(row.values[i]);
    }
  }
  const double largest = *std::ranges::max_element(scores);
  double total = 0;
  for (double& score : scores) {
    score = std::exp(score - largest);
    total += score;
  }
  std::ranges::transform(scores, scores.begin(), [total](double score) { return score / total; });
  return scores;
}

std::vector<Effect> ClassModel::effects(const SparseRow& row, std::size_t c, std::size_t most) const {
  const std::size_t classes = classes_.size();
  std::vector<Effect> effects;
  for (std::size_t i = 0; i < row.columns.size() && row.columns[i] < columns_; ++i) {
    const double* const weights = weights_.data() + row.columns[i] * classes;
    double mean = 0;
    for (std::size_t other = 0; other < classes; ++other) {
      mean += weights[other] / static_cast<double>(classes);
    }
    if (const double effect = (weights[c] - mean) * static_cast<double>(row.values[i]); effect != 0) {
      effects.push_back({row.columns[i], effect});
    }
  }
  keep_largest(effects, most);
  return effects;
}

}  // namespace hanse
