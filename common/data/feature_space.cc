#include "common/data/feature_space.h"

#include <filesystem>
#include <string>

#include "common/base/failure.h"
#include "common/data/column_spec.h"
#include "common/data/csv_columns.h"
#include "common/data/vocabulary.h"

namespace hanse {
namespace {

std::string numeric_name(const NumericSpec& spec) {
  switch (spec.transform) {
    case Transform::none:
      return spec.name;
    case Transform::log:
      return "log(" + spec.name + ")";
    case Transform::log1p:
      return "log1p(" + spec.name + ")";
    case Transform::sqrt:
      return "sqrt(" + spec.name + ")";
  }
  return spec.name;
}

void add_columns(FeatureSpace& space, const Vocabulary& vocabulary) {
  const std::uint32_t begin = space.width;
  space.width += vocabulary.width();
  for (std::uint32_t word = 0; word < vocabulary.width(); ++word) {
    space.names.push_back(vocabulary.column_name(word));
  }
  space.sparse_ranges.push_back({begin, space.width, vocabulary.name()});
  if (vocabulary.counted()) {
    space.counted = true;
    space.counted_ranges.push_back({begin, space.width, vocabulary.name()});
  }
}

void add_cross(FeatureSpace& space, const CsvColumns& columns, const CsvColumns::Cross& cross) {
  const std::uint32_t width = columns.words[cross.words].width();
  const std::uint32_t words = columns.begins[cross.words];
  space.crosses.push_back({.begin = space.width,
                           .end = space.width + width,
                           .words_begin = words,
                           .number = static_cast<std::uint32_t>(cross.number)});
  for (std::uint32_t word = 0; word < width; ++word) {
    space.names.push_back(space.names[words + word] + "*" + space.names[cross.number]);
  }
  space.width += width;
}

void add_intercept(FeatureSpace& space) {
  ++space.width;
  space.names.push_back("intercept");
}

FeatureSpace csv_space(const Configuration::Data& data, const std::filesystem::path& folder) {
  const CsvColumns columns = csv_columns(data, folder);
  FeatureSpace space;
  for (const NumericSpec& spec : columns.numbers) {
    space.names.push_back(numeric_name(spec));
    space.range_low.push_back(spec.low);
    space.range_high.push_back(spec.high);
  }
  space.numeric = space.width = static_cast<std::uint32_t>(columns.numbers.size());
  for (const Vocabulary& words : columns.words) {
    add_columns(space, words);
  }
  for (const CsvColumns::Cross& cross : columns.crosses) {
    add_cross(space, columns, cross);
  }
  add_intercept(space);
  return space;
}

FeatureSpace libsvm_space(const Configuration::Data& data) {
  FeatureSpace space;
  space.width = data.features;
  for (std::uint32_t i = 1; i <= data.features; ++i) {
    space.names.push_back("feature" + std::to_string(i));
  }
  space.sparse_ranges.push_back({0, space.width, "feature"});
  add_intercept(space);
  return space;
}

FeatureSpace ratings_space(const Configuration::Data& data, const std::filesystem::path& folder) {
  FeatureSpace space;
  add_columns(space, Vocabulary(read_word_spec(data.item, "data.item", kItemBuckets), folder, "data.item"));
  if (!data.rating.empty()) {
    const NumericSpec rating = read_numeric_spec(data.rating, "data.rating");
    space.rating_low = rating.low;
    space.rating_high = rating.high;
  }
  return space;
}

}  // namespace

RowKind row_kind(const Configuration& configuration) {
  return configuration.data.format == "ratings" ? RowKind::customer : RowKind::record;
}

bool has_numeric_label(const Configuration& configuration) {
  const Configuration::WorkloadOptions& workload = configuration.workload;
  const bool regression =
      workload.task == "regression" || (workload.task == "auto" && workload.name == "linear");
  return regression && row_kind(configuration) == RowKind::record;
}

NumericSpec label_spec(const Configuration& configuration) {
  const Configuration::Data& data = configuration.data;
  if (!data.positive.empty()) {
    throw bad_input("data.positive = '" + data.positive +
                    "' makes the label 0 or 1, and workload.task is regression: leave one of them out");
  }
  if (data.partition.starts_with("dirichlet")) {
    throw bad_input(
        "data.partition = " + data.partition +
        " deals rows by a label of 0 or 1, and with regression it is a number: use iid:N or column");
  }
  if (data.label.empty()) {  // Format libsvm has labels without a name.
    return {};
  }
  NumericSpec label = read_numeric_spec(data.label, "data.label");
  if (data.format == "libsvm" && label.transform != Transform::none) {
    throw bad_input("data.label = '" + data.label +
                    "' transforms the label, and format libsvm takes labels as they are: leave the transform "
                    "out, and write transformed labels into the file");
  }
  return label;
}

FeatureSpace feature_space(const Configuration& configuration) {
  const Configuration::Data& data = configuration.data;
  const std::filesystem::path folder = std::filesystem::path(data.path).parent_path();
  if (data.format == "ratings") {
    return ratings_space(data, folder);
  }
  FeatureSpace space = data.format == "libsvm" ? libsvm_space(data) : csv_space(data, folder);
  if (has_numeric_label(configuration)) {
    const NumericSpec label = label_spec(configuration);
    space.numeric_label = true;
    space.label_low = label.low;
    space.label_high = label.high;
  }
  return space;
}

}  // namespace hanse
