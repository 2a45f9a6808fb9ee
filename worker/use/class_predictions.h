#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/workloads/workload.h"
#include "worker/use/applied_model.h"

namespace hanse {

/// The probabilities of all classes of a row by a published model whose label is one of many: `softmax` and `perceptron`.
class ClassTeller {
 public:
  /// Throws bad_input where `model` is none of them, or its arrays do not fit.
  explicit ClassTeller(const AppliedModel& model);

  const std::vector<std::string>& classes() const { return classes_; }
  /// Of a row that was encoded as the model's, into as many entries as there are classes.
  void probabilities(const SparseRow& row, std::span<double> out) const { score_(row, out); }

 private:
  std::vector<std::string> classes_;
  std::shared_ptr<const Workload> workload_;
  std::shared_ptr<const Model> model_;
  ClassScorer score_;
};

/// Templates of answers: a CSV file with the columns class and answer. Throws bad_input where a class is none of the model's.
std::map<std::string, std::string> read_answers(const std::filesystem::path& file, const ClassTeller& model);

struct ClassWishes {
  std::optional<std::filesystem::path> answers;
  double threshold = 0.4;  ///< Probability below which nothing is answered.
};

/// For all rows of a merchant's file, as CSV with the columns row (from 1), class (the most probable), probability, and with answers
/// the answer to that class: empty, for a person to write, where the probability is below the threshold or there is no template.
std::string class_predictions_csv(const AppliedModel& model, const std::filesystem::path& rows,
                                  const ClassWishes& wishes);

}  // namespace hanse
