#include "worker/use/class_predictions.h"

#include <algorithm>
#include <cmath>

#include "common/base/failure.h"
#include "common/base/figure.h"
#include "common/data/csv.h"
#include "common/data/feature_space.h"
#include "common/data/mapped_file.h"
#include "common/data/numbers.h"
#include "common/workloads/catalogue.h"
#include "worker/use/csv_text.h"

namespace hanse {
namespace {

constexpr int kDigits = 6;

std::vector<std::string> classes_of(const AppliedModel& model) {
  if (label_kind(model.configuration) != LabelKind::one_of_many) {
    throw bad_input(model.origin + " is a model of " + model.workload() +
                    ", and classes are told by softmax and perceptron");
  }
  std::vector<std::string> classes;
  for (;;) {
    const auto name = model.published.facts.find("class." + std::to_string(classes.size()));
    if (name == model.published.facts.end()) {
      break;
    }
    classes.push_back(name->second);
  }
  if (classes.empty()) {
    throw bad_input(model.origin + " does not name its classes: train it again");
  }
  return classes;
}

WorkloadFacts facts_of_model(const AppliedModel& model, const std::vector<std::string>& classes) {
  WorkloadFacts facts;
  facts.label = LabelKind::one_of_many;
  facts.space.classes = classes;
  facts.space.names = model.published.columns;
  facts.width = static_cast<std::uint32_t>(model.published.columns.size());
  facts.train_rows = 1;
  return facts;
}

/// Groups are of test figures.
Configuration without_groups(Configuration configuration) {
  configuration.workload.other.erase("group");
  return configuration;
}

}  // namespace

ClassTeller::ClassTeller(const AppliedModel& model)
    : classes_(classes_of(model)),
      workload_(make_workload(without_groups(model.configuration), facts_of_model(model, classes_))) {
  Model filled = workload_->initial_model(1);
  std::vector<double> parameters;
  for (const NamedArray& expected : workload_->arrays(filled)) {
    const std::vector<double>& values = model.array(expected.name, expected.values.size()).values;
    parameters.insert(parameters.end(), values.begin(), values.end());
  }
  filled.parameters = std::move(parameters);
  model_ = std::make_shared<const Model>(std::move(filled));
  score_ = workload_->class_scorer(*model_);
}

std::map<std::string, std::string> read_answers(const std::filesystem::path& file, const ClassTeller& model) {
  const MappedFile mapped(file, "--answers");
  CsvReader rows(mapped.text(), file.string());
  const std::size_t name = rows.column("class", "--answers");
  const std::size_t answer = rows.column("answer", "--answers");
  std::map<std::string, std::string> answers;
  while (rows.next()) {
    const std::string word(trimmed(rows.cell(name)));
    if (std::ranges::find(model.classes(), word) == model.classes().end()) {
      throw bad_input(rows.place() + ": '" + word + "' is none of the model's " +
                      std::to_string(model.classes().size()) + " classes");
    }
    if (!answers.try_emplace(word, rows.cell(answer)).second) {
      throw bad_input(rows.place() + ": '" + word + "' has an answer already; give one for each class");
    }
  }
  return answers;
}

std::string class_predictions_csv(const AppliedModel& model, const std::filesystem::path& rows,
                                  const ClassWishes& wishes) {
  const ClassTeller scorer(model);
  std::map<std::string, std::string> answers;
  if (wishes.answers) {
    answers = read_answers(*wishes.answers, scorer);
  }
  const Dataset data = read_own_rows(model, rows);
  std::vector<double> p(scorer.classes().size());
  std::string text = std::string("row,class,probability") + (wishes.answers ? ",answer" : "") + "\n";
  for (std::size_t r = 0; r < data.train.features.rows(); ++r) {
    scorer.probabilities(data.train.features.row(r), p);
    const auto best = std::max_element(p.begin(), p.end());
    const std::string& name = scorer.classes()[static_cast<std::size_t>(best - p.begin())];
    text += std::to_string(r + 1) + "," + csv_cell(name) + "," + figure(*best, kDigits);
    if (wishes.answers) {
      const auto answer = answers.find(name);
      text += "," + (answer != answers.end() && *best >= wishes.threshold ? csv_cell(answer->second) : "");
    }
    text += "\n";
  }
  return text;
}

}  // namespace hanse
